//! The result of a test that may be undecided.

use std::ops::Not;

/// Whether a test holds, in Kleene's three-valued logic.
///
/// A test is undecided if upstreams may read its subject differently. The caller chooses what undecided counts as: no
/// where the test allows a request, yes where it refuses or charges one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// The test does not hold.
    No,
    /// The result depends on the upstream.
    Undecided,
    /// The test holds.
    Yes,
}

impl Truth {
    /// Whether the test holds for all upstreams: undecided counts as no.
    #[must_use]
    pub fn is_certain(self) -> bool {
        self == Self::Yes
    }

    /// Whether the test holds for some upstream: undecided counts as yes.
    #[must_use]
    pub fn is_possible(self) -> bool {
        self != Self::No
    }

    /// Conjunction: the lesser of two results. After a no, the other test is not evaluated.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::No { self } else { self.min(other()) }
    }

    /// Conjunction: the least of the results; yes if there are none. Stops at the first no.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut least = Self::Yes;
        for answer in answers {
            least = least.min(answer);
            if least == Self::No {
                break;
            }
        }
        least
    }

    /// Disjunction: the greatest of the results; no if there are none. Stops at the first yes.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut greatest = Self::No;
        for answer in answers {
            greatest = greatest.max(answer);
            if greatest == Self::Yes {
                break;
            }
        }
        greatest
    }

    /// The common result of all upstreams; undecided if they differ, or if there are none.
    pub fn agreed(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut answers = answers.into_iter();
        let Some(first) = answers.next() else { return Self::Undecided };
        if answers.all(|answer| answer == first) { first } else { Self::Undecided }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Undecided => Self::Undecided,
            Self::Yes => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, No, Undecided, Yes};
    use crate::testing::test;

    const ALL: [Truth; 3] = [No, Undecided, Yes];

    #[test]
    fn kleenes_tables() {
        for a in ALL {
            for b in ALL {
                assert_eq!(Truth::all([a, b]), a.min(b), "{a:?} {b:?}");
                assert_eq!(a.and(|| b), a.min(b), "{a:?} {b:?}");
                assert_eq!(Truth::any([a, b]), a.max(b), "{a:?} {b:?}");
                // De Morgan.
                assert_eq!(!Truth::all([a, b]), Truth::any([!a, !b]), "{a:?} {b:?}");
            }
        }
        assert_eq!((!No, !Undecided, !Yes), (Yes, Undecided, No));
        assert_eq!((Truth::all([]), Truth::any([])), (Yes, No));
    }

    #[test]
    fn readers_agree_or_the_answer_is_undecided() {
        assert_eq!(Truth::agreed([Yes, Yes]), Yes);
        assert_eq!(Truth::agreed([No]), No);
        assert_eq!(Truth::agreed([Yes, No]), Undecided);
        assert_eq!(Truth::agreed([]), Undecided);
    }

    #[test]
    fn each_use_errs_on_its_side() {
        assert_eq!(ALL.map(Truth::is_certain), [false, false, true]);
        assert_eq!(ALL.map(Truth::is_possible), [false, true, true]);
    }
}
