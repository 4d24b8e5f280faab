//! A token that no key of the set has signed, as long as the set may change.

use super::denial::Denial;
use super::reason;
use super::verifier::Judged;
use crate::crypto::KeySet;
use crate::jwks::Missing;
use std::rc::Rc;

/// A token that no key of the provider's set has signed. The key that has may come yet.
#[derive(Clone, Debug)]
pub struct Unverified {
    provider: usize,
    missing: Missing,
    denial: Denial,
    /// The set whose keys were tried, and the hash of the token.
    tried: Option<(Rc<KeySet>, u128)>,
}

impl Unverified {
    /// There is no set yet.
    pub(crate) const fn without_set(provider: usize) -> Self {
        let denial = Denial::new(reason::JWKS_UNAVAILABLE).of_provider(provider);
        Self { provider, missing: Missing::Set, denial, tried: None }
    }

    /// `denial`: why the token with this hash is refused as long as the set is this one.
    pub(crate) const fn new(
        missing: Missing,
        denial: Denial,
        provider: usize,
        set: Rc<KeySet>,
        token: u128,
    ) -> Self {
        let denial = denial.of_provider(provider);
        Self { provider, missing, denial, tried: Some((set, token)) }
    }

    /// The provider, by its place in the config.
    #[must_use]
    pub const fn provider(&self) -> usize {
        self.provider
    }

    /// The key that is not there.
    #[must_use]
    pub const fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Whether a look at these keys comes to the same: signatures need not be checked again.
    pub(crate) fn holds_for(&self, provider: usize, set: &Rc<KeySet>, token: u128) -> bool {
        let is_same = |(tried, hash): &(Rc<KeySet>, u128)| Rc::ptr_eq(tried, set) && *hash == token;
        self.provider == provider && self.tried.as_ref().is_some_and(is_same)
    }

    /// What becomes of the token if nobody waits for the key.
    pub(crate) const fn settled(&self) -> Judged {
        // 503: with other keys the token may be good.
        if self.denial.reason.class.status == 503 {
            Judged::Unknown(self.denial)
        } else {
            Judged::Bad(self.denial)
        }
    }
}
