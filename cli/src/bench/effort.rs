//! How much is measured.

use anyhow::ensure;

use super::estimate::{MAX_SAMPLES, MIN_SAMPLES};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds; each of them measures every row.
    pub rounds: usize,
    /// Requests for each row in a round.
    pub requests: u64,
}

impl Effort {
    /// For one filter, whose figures are the lowest third of the samples.
    pub const FILTER: Self = Self { rounds: 30, requests: 10_000 };
    /// For the comparison of everything, whose figures are medians of paired differences: many short rounds.
    pub const COMPARISON: Self = Self { rounds: 60, requests: 1500 };

    /// Whether there are enough rounds, and not too many, for intervals.
    ///
    /// # Errors
    ///
    /// There are not.
    pub(super) fn allows_intervals(self) -> anyhow::Result<()> {
        ensure!(
            (MIN_SAMPLES..=MAX_SAMPLES).contains(&self.rounds),
            "found {} rounds, expected {MIN_SAMPLES} to {MAX_SAMPLES}: an interval needs as many",
            self.rounds
        );
        Ok(())
    }

    /// With another number of rounds or requests, where one is given.
    #[must_use]
    pub fn or(self, rounds: Option<usize>, requests: Option<u64>) -> Self {
        Self { rounds: rounds.unwrap_or(self.rounds), requests: requests.unwrap_or(self.requests) }
    }
}
