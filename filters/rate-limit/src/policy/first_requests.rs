//! Notices a limit by claims that never gets to see any: rate-limit stands in front of the filter that
//! verifies tokens, or that filter does not export them. Such a limit counts nothing, silently.

use std::cell::Cell;

/// How many requests are looked at.
pub(super) const LOOKED_AT: u32 = 100;

/// The first requests of a limit whose key or match has a claim, as one worker sees them.
#[derive(Debug, Default)]
pub(crate) struct FirstRequests {
    without_claims: Cell<u32>,
}

impl FirstRequests {
    /// Takes note of a request. True once at the most: for the last of the first [`LOOKED_AT`], if none
    /// of them had claims.
    pub(crate) fn are_without_claims(&self, has_claims: bool) -> bool {
        let count = self.without_claims.get();
        if count == LOOKED_AT {
            return false;
        }
        self.without_claims.set(if has_claims { LOOKED_AT } else { count + 1 });
        !has_claims && count + 1 == LOOKED_AT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of 300 requests is the one, if those at `with_claims` have claims.
    #[track_caller]
    fn check(with_claims: &[u32], expected: &[u32]) {
        let first = FirstRequests::default();
        let noticed = (1..=300).filter(|request| first.are_without_claims(with_claims.contains(request)));
        assert_eq!(noticed.collect::<Vec<_>>(), expected, "{with_claims:?}");
    }

    #[test]
    fn the_first_hundred_are_looked_at() {
        check(&[], &[100]);
        check(&[1], &[]);
        check(&[100], &[]);
        check(&[101], &[100]);
    }
}
