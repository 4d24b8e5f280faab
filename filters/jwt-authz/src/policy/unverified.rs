//! A token that no key of the provider's current set verifies.

use super::denial::Denial;
use super::reason;
use crate::crypto::KeySet;
use crate::jwks::Missing;
use std::rc::Rc;

/// A token that no key of the provider's current set verifies. A later set may have its key.
#[derive(Clone, Debug)]
pub struct Unverified {
    provider: usize,
    missing: Missing,
    denial: Denial,
    /// The key set that was tried, and the hash of the token.
    tried: Option<(Rc<KeySet>, u128)>,
}

impl Unverified {
    /// The provider has no key set yet.
    pub(crate) const fn without_set(provider: usize) -> Self {
        let denial = Denial::new(reason::JWKS_UNAVAILABLE).of_provider(provider);
        Self { provider, missing: Missing::Set, denial, tried: None }
    }

    /// `denial` is the refusal with the current key set, `token` the hash of the token.
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

    /// Index of the provider in the config.
    #[must_use]
    pub const fn provider(&self) -> usize {
        self.provider
    }

    /// The key or key set that is missing.
    #[must_use]
    pub const fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Whether this is the result for this token and key set, so that signatures need not be checked again.
    pub(crate) fn holds_for(&self, provider: usize, set: &Rc<KeySet>, token: u128) -> bool {
        let is_same = |(tried, hash): &(Rc<KeySet>, u128)| Rc::ptr_eq(tried, set) && *hash == token;
        self.provider == provider && self.tried.as_ref().is_some_and(is_same)
    }

    /// The refusal with the key set that was tried.
    pub(crate) const fn denial(&self) -> Denial {
        self.denial
    }
}
