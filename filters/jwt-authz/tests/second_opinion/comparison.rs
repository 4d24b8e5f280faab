//! One token, two verdicts.

use crate::differences::DIFFERENCES;
use crate::ours::Filter;
use crate::theirs;
use crate::token::Token;
use crate::verdict::Verdict;
use jsonwebtoken::get_current_timestamp;

/// A token and what both say to it.
#[derive(Debug)]
pub(crate) struct Comparison {
    token: Token,
    pub(crate) ours: Verdict,
    theirs: Verdict,
}

impl Comparison {
    /// Judges the token that `make` returns for the time that it is given, in seconds since 1970.
    pub(crate) fn of(filter: &Filter, make: impl Fn(u64) -> Token) -> Self {
        // `jsonwebtoken` reads the clock itself: begin again if a new second has begun meanwhile.
        loop {
            let now = get_current_timestamp();
            let token = make(now);
            let (ours, theirs) = (filter.verdict(token.bytes(), now), theirs::verdict(token.bytes()));
            if get_current_timestamp() == now {
                return Self { token, ours, theirs };
            }
        }
    }

    pub(crate) fn is_agreed(&self) -> bool {
        self.ours.is_ok() == self.theirs.is_ok()
    }

    /// The names of the differences that explain the two verdicts.
    pub(crate) fn explanations(&self) -> Vec<&'static str> {
        let explains = DIFFERENCES
            .iter()
            .filter(|difference| difference.explains(&self.token, &self.ours, &self.theirs));
        explains.map(|difference| difference.name).collect()
    }
}
