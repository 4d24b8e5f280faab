//! How much is measured.

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

    /// With another number of rounds or requests, where one is given.
    #[must_use]
    pub fn or(self, rounds: Option<usize>, requests: Option<u64>) -> Self {
        Self { rounds: rounds.unwrap_or(self.rounds), requests: requests.unwrap_or(self.requests) }
    }
}
