//! Detects a limit that needs claims and never gets any, because rate-limit runs before jwt-authz, or jwt-authz does
//! not export them. Without a warning, such a limit would silently charge nothing.

use std::cell::Cell;

/// Number of requests that are looked at.
pub(super) const LOOKED_AT: u32 = 100;

/// Tracks the first requests of a limit with a claim in its key or match, in one worker.
#[derive(Debug, Default)]
pub(crate) struct FirstRequests {
    without_claims: Cell<u32>,
}

impl FirstRequests {
    /// Records a request. Returns true at most once: for the last of the first [`LOOKED_AT`] requests, if none of them
    /// had claims.
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

    /// `expected` says for which of 300 requests it returns true, if those in `with_claims` have claims.
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
