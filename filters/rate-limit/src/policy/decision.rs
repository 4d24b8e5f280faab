//! What was decided, and why.

use super::bucket::{Owed, Quota};
use std::time::Duration;

/// A decision on one request.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Whether the request goes on.
    pub outcome: Outcome,
    /// What is to be counted: for which limit, and what.
    pub tallies: Vec<(usize, Tally)>,
    /// The client's address was to be found in `x-forwarded-for`, and was not.
    pub client_ip_fallback: bool,
    /// Limits by claims whose first requests, up to and with this one, had none.
    pub without_claims: Vec<usize>,
}

/// Whether a request goes on.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It does. The standing of the limit that has the least left, if one was charged.
    Admitted(Option<Standing>),
    /// It does not.
    Refused(Refusal),
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Admitted(None)
    }
}

/// Why a request is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The limit, by its place in the config; `None` if the request could not be judged at all.
    pub limit: Option<usize>,
    /// The reason.
    pub reason: Reason,
}

/// A reason to refuse a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Not enough tokens; there will be after `wait`, if nobody else takes them.
    NoTokens {
        /// The bucket.
        standing: Standing,
        /// From now.
        wait: Duration,
    },
    /// The table has no slot for the bucket, and the limit's `overflow` is `deny`.
    NoSlot,
    /// The request lacks a part of the limit's key, and its `on_missing_key` is `deny`.
    NoKey {
        /// The first part that it lacks, by its place in the key.
        part: usize,
    },
    /// The bucket could not be read or written, and `on_error` is `deny`.
    Error,
}

/// How a bucket stands after a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The limit, by its place in the config.
    pub limit: usize,
    quota: Quota,
    owed: Owed,
}

impl Standing {
    pub(crate) const fn new(limit: usize, quota: Quota, owed: Owed) -> Self {
        Self { limit, quota, owed }
    }

    /// Tokens that the full bucket holds.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.quota.burst.get()
    }

    /// Whole tokens left.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.quota.remaining(self.owed)
    }

    /// From empty to full.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.quota.window()
    }

    /// From now to full.
    #[must_use]
    pub fn reset(&self) -> Duration {
        self.quota.until_full(self.owed)
    }

    /// The share that is left, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.quota.remaining_share(self.owed)
    }
}

/// What a limit did with a request. A request that several limits match is counted by each that came
/// to a decision of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tally {
    /// Charged, and the request went on.
    Allowed,
    /// Refused the request.
    Denied,
    /// Would have refused it.
    ShadowDenied,
    /// Could not read or write the bucket.
    Error,
    /// The bucket found no slot in the table. Counted on top of what became of the request.
    Overflow,
    /// Charged, and gave the tokens back because another limit refused.
    GivenBack,
    /// The request lacks a part of the key. Counted on top of what became of it.
    KeyMissing,
}

impl Tally {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Allowed,
        Self::Denied,
        Self::ShadowDenied,
        Self::Error,
        Self::Overflow,
        Self::GivenBack,
        Self::KeyMissing,
    ];

    /// The last part of the counter's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ShadowDenied => "shadow_denied",
            Self::Error => "error",
            Self::Overflow => "overflow",
            Self::GivenBack => "given_back",
            Self::KeyMissing => "key_missing",
        }
    }
}
