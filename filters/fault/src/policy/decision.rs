//! A decision and what it is based on.

use super::names::{FaultKind, Kinds};
use std::time::Duration;

/// The decision on one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The fault, or why there is none.
    pub outcome: Result<Fault, Untouched>,
    /// What the rules in shadow mode would have done.
    pub shadow: Vec<Fault>,
    /// Whether the request asks for a fault and gets none for it.
    pub is_trigger_ignored: bool,
    /// Whether `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
}

/// The faults that a request gets, as the dice have fallen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why it gets them.
    pub cause: Cause,
    /// How long the request waits.
    pub delay: Option<Duration>,
    /// Whether the proxy replies in place of the upstream, after the delay.
    pub is_aborted: bool,
    /// How the response is changed.
    pub response: Option<Changes>,
    /// Whether the response is slowed down.
    pub is_throttled: bool,
}

/// Why a request is faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The rule with this index is for it.
    Rule(usize),
    /// It has asked for it.
    Trigger {
        /// The status of the reply, if it has asked for one.
        status: Option<u16>,
    },
}

/// Changes of a response, besides what the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// How long it waits.
    pub delay: Option<Duration>,
}

/// Why a request passes untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untouched {
    /// `exclude` holds.
    Excluded,
    /// No rule is for it.
    NoRule,
    /// The dice of the rule with this index say so.
    ByDice(usize),
    /// It was faulted before, as its marker says.
    Marked,
    /// The time of the config is over, or the proxy has no clock.
    Expired,
    /// Too many requests were faulted. The index is that of the rule.
    OverBudget(usize),
    /// The plugin holds as many requests as it may.
    NoPlace(Cause),
    /// The proxy has failed.
    Failed,
}

impl Default for Decision {
    fn default() -> Self {
        Self {
            outcome: Err(Untouched::NoRule),
            shadow: Vec::new(),
            is_trigger_ignored: false,
            client_ip_fallback: false,
        }
    }
}

impl Fault {
    /// Nothing happens yet.
    #[must_use]
    pub(super) const fn of(cause: Cause) -> Self {
        Self { cause, delay: None, is_aborted: false, response: None, is_throttled: false }
    }

    /// What happens to the request and to its response.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        let happening = [
            (self.delay.is_some(), FaultKind::Delay),
            (self.is_aborted, FaultKind::Abort),
            (self.response.is_some(), FaultKind::Response),
            (self.is_throttled, FaultKind::Throttle),
        ];
        happening.into_iter().filter(|(happens, _)| *happens).map(|(_, kind)| kind).collect()
    }
}
