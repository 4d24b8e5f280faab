//! What was decided, and why.

use super::denial::Denial;
use super::unverified::Unverified;
use super::verified::Verified;
use super::verifier::CacheStatus;
use std::rc::Rc;

/// A decision on one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Whether the request goes on.
    pub outcome: Outcome,
    /// The rule that decided, by its place in the config; `None` for the default, a bad token and an ambiguous path.
    pub rule: Option<usize>,
    /// Rules in shadow mode that would have decided.
    pub shadow: Vec<usize>,
    /// The token, if it is good and the rule that decided looked at it: only then it says whom the upstream serves.
    pub verified: Option<Rc<Verified>>,
    /// Whether the token was in the cache, if one was looked at.
    pub cache_status: Option<CacheStatus>,
    /// `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
}

/// Whether a request goes on.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The request goes on.
    Allowed,
    /// The request is refused.
    Refused(Denial),
    /// The token cannot be judged without a key that may still be fetched.
    NoKey(Rc<Unverified>),
}

impl Decision {
    /// A refusal that involves no rule.
    #[must_use]
    pub const fn refused(denial: Denial) -> Self {
        Self {
            outcome: Outcome::Refused(denial),
            rule: None,
            shadow: Vec::new(),
            verified: None,
            cache_status: None,
            client_ip_fallback: false,
        }
    }
}
