//! Outcomes that this worker has not reported yet.

use std::cell::{Cell, RefCell};

/// Numbers of requests and errors, for each variant of each split.
pub(super) struct Tally {
    counts: RefCell<Vec<Counted>>,
    /// Whether there are any.
    is_waiting: Cell<bool>,
}

/// Outcomes of a variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) requests: u64,
    pub(super) errors: u64,
}

impl Tally {
    pub(super) fn new(subjects: usize) -> Self {
        Self { counts: RefCell::new(vec![Counted::default(); subjects]), is_waiting: Cell::default() }
    }

    /// Adds an outcome. Returns whether it is the first one since the last [`Tally::take`].
    pub(super) fn add(&self, subject: usize, is_error: bool) -> bool {
        if let Ok(mut counts) = self.counts.try_borrow_mut()
            && let Some(counted) = counts.get_mut(subject)
        {
            counted.requests = counted.requests.saturating_add(1);
            counted.errors = counted.errors.saturating_add(is_error.into());
        }
        !self.is_waiting.replace(true)
    }

    /// Takes what was added, with the subjects.
    pub(super) fn take(&self) -> Vec<(usize, Counted)> {
        if !self.is_waiting.replace(false) {
            return Vec::new();
        }
        let Ok(mut counts) = self.counts.try_borrow_mut() else { return Vec::new() };
        let taken = counts.iter_mut().map(std::mem::take).enumerate();
        taken.filter(|(_, counted)| counted.requests > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, Tally};

    #[test]
    fn outcomes_are_taken_once() {
        let tally = Tally::new(3);
        assert!(tally.add(2, false));
        assert!(!tally.add(0, true) && !tally.add(2, true));
        let counted = |requests, errors| Counted { requests, errors };
        assert_eq!(tally.take(), [(0, counted(1, 1)), (2, counted(2, 1))]);
        assert_eq!(tally.take(), []);
        assert!(tally.add(0, false));
    }

    #[test]
    fn a_subject_that_does_not_exist_counts_nothing() {
        let tally = Tally::new(1);
        assert!(tally.add(1, true));
        assert_eq!(tally.take(), []);
    }
}
