//! A decision and what it is based on.

use super::bucket::{Owed, Quota};
use super::metric::Metric;
use super::reason;
use std::time::Duration;

/// The decision on one request.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Whether the request is admitted or refused.
    pub outcome: Outcome,
    /// Counters to increment, each with the index of its limit.
    pub tallies: Vec<(usize, Metric)>,
    /// Whether `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
    /// Indices of limits that need claims and whose first requests, up to this one, had none.
    pub without_claims: Vec<usize>,
}

/// Whether a request is admitted or refused.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Admitted, with the standing of the charged limit with the smallest share left, if any was charged.
    Admitted(Option<Standing>),
    /// Refused.
    Refused(Denial),
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Admitted(None)
    }
}

/// A refusal and the limit that caused it.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Index of the limit; `None` if the request could not be read.
    pub limit: Option<usize>,
    /// Why the limit refuses the request.
    pub reason: Reason,
}

/// Why a limit refuses a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The bucket has too few tokens.
    NoTokens {
        /// State of the bucket.
        standing: Standing,
        /// Time until there are enough tokens, unless other requests take them.
        wait: Duration,
    },
    /// The table has no slot for the bucket, and the limit's `overflow` is `deny`.
    NoSlot,
    /// The request lacks a part of the limit's key, and its `on_missing_key` is `deny`.
    NoKey {
        /// Index of the first part that it lacks.
        part: usize,
    },
    /// The bucket could not be read or written, and `on_error` is `deny`.
    Error,
}

impl Reason {
    /// The reason's row in the table in [`reason`].
    #[must_use]
    pub const fn row(&self) -> mesh_policy::reason::Reason {
        match self {
            Self::NoTokens { .. } | Self::NoSlot => reason::RATE_LIMITED,
            Self::NoKey { .. } => reason::KEY_MISSING,
            Self::Error => reason::ERROR,
        }
    }
}

/// State of a limit's bucket after a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Index of the limit.
    pub limit: usize,
    quota: Quota,
    owed: Owed,
}

impl Standing {
    pub(crate) const fn new(limit: usize, quota: Quota, owed: Owed) -> Self {
        Self { limit, quota, owed }
    }

    /// Maximum number of tokens in the bucket.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.quota.burst.get()
    }

    /// Tokens left, rounded down.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.quota.remaining(self.owed)
    }

    /// Time from empty to full.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.quota.window()
    }

    /// Time from now to full.
    #[must_use]
    pub fn reset(&self) -> Duration {
        self.quota.until_full(self.owed)
    }

    /// Fraction of the bucket that is left, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.quota.remaining_share(self.owed)
    }
}
