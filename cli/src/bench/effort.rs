//! How much is measured.

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds; each of them measures every row once.
    pub rounds: usize,
    /// Requests for each row in a round.
    pub requests: u64,
}
