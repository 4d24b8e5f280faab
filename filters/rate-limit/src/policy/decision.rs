//! What was decided, and why.

use super::bucket::{Owed, Quota};
use super::metric::Metric;
use super::reason;
use std::time::Duration;

/// A decision on one request.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Whether the request goes on.
    pub outcome: Outcome,
    /// What to count, for which limit, by its place in the config.
    pub tallies: Vec<(usize, Metric)>,
    /// `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
    /// Limits by claims whose first requests, this one included, had no claims.
    pub without_claims: Vec<usize>,
}

/// Whether a request goes on.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes on. The standing of the charged limit that has the smallest share left, if any was charged.
    Admitted(Option<Standing>),
    /// It is refused.
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
    /// The limit, by its place in the config; `None` if the request could not be read.
    pub limit: Option<usize>,
    /// The reason.
    pub reason: Reason,
}

/// Why a limit refuses a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The bucket has too few tokens; it has enough after `wait` unless others take them.
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

impl Reason {
    /// The reason's row.
    #[must_use]
    pub const fn row(&self) -> mesh_policy::reason::Reason {
        match self {
            Self::NoTokens { .. } | Self::NoSlot => reason::RATE_LIMITED,
            Self::NoKey { .. } => reason::KEY_MISSING,
            Self::Error => reason::ERROR,
        }
    }
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
