//! What one worker has counted since its last merge.

use super::counts::Outcome;
use super::window::Window;

/// The time from a start or a return to the next trip. What was counted in one round is not added in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    /// The record's life; `None` if the worker knows of no record of its config.
    pub(super) life: Option<u64>,
    /// Number of trips so far.
    pub(super) trips: u32,
}

impl Round {
    /// Whether what was counted in this round belongs to another, which is the later one of the two. A worker that knows
    /// of no record counts for the first round of whatever record its config gets.
    fn is_of(self, other: Self) -> bool {
        self.trips == other.trips && (self.life.is_none() || self.life == other.life)
    }
}

/// The local counts of a worker, of fixed size.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    round: Round,
    counts: Window,
}

impl Tally {
    pub(super) fn empty() -> Self {
        Self { round: Round::default(), counts: Window::empty() }
    }

    /// Counts an outcome in a slice of a round, and drops what was counted in another round.
    pub(super) fn count(&mut self, outcome: &Outcome, slice: u64, round: Round) {
        if !self.round.is_of(round) {
            self.counts.clear();
        }
        self.round = round;
        self.counts.count(outcome, slice);
    }

    /// The counts, if they belong to this round.
    pub(super) fn of(&self, round: Round) -> Option<&Window> {
        self.round.is_of(round).then_some(&self.counts)
    }

    /// The counts, whatever round they belong to.
    #[cfg(test)]
    pub(super) const fn counts(&self) -> &Window {
        &self.counts
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            self.counts.clear();
        }
        self.round = Round::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Round;

    #[test]
    fn counts_belong_to_one_round() {
        #[track_caller]
        fn check(counted: (Option<u64>, u32), merged: (Option<u64>, u32), expected: bool) {
            let [counted, merged] = [counted, merged].map(|(life, trips)| Round { life, trips });
            assert_eq!(counted.is_of(merged), expected, "{counted:?} {merged:?}");
        }
        check((Some(7), 1), (Some(7), 1), true);
        check((Some(7), 0), (Some(7), 1), false);
        check((Some(6), 1), (Some(7), 1), false);
        check((None, 0), (Some(7), 0), true);
        check((None, 0), (Some(7), 1), false);
        check((Some(7), 0), (None, 0), false);
    }
}
