//! A good token.

use super::weight::{allocated, allocated_by};
use crate::config::ProviderSet;
use crate::crypto;
use serde_json::Value as Json;
use std::rc::Rc;

/// A token whose signature and registered claims are good.
#[derive(Debug)]
pub struct Verified {
    /// The token itself.
    pub(crate) token: Box<[u8]>,
    /// The provider, by its place in the config.
    pub(crate) provider: usize,
    /// The providers among which it was picked: those that look where the token was found.
    pub(crate) among: ProviderSet,
    /// The key that has made the signature.
    pub(crate) key: Rc<crypto::Key>,
    /// Until when it is good, in seconds since 1970, leeway included.
    pub(crate) until: Option<f64>,
    /// A JSON object.
    pub(crate) claims: Rc<Json>,
}

impl Verified {
    /// The provider, by its place in the config.
    #[must_use]
    pub const fn provider(&self) -> usize {
        self.provider
    }

    /// All claims, a JSON object.
    #[must_use]
    pub fn claims(&self) -> Rc<Json> {
        Rc::clone(&self.claims)
    }

    /// What it takes, in bytes. Not its key, which is the set's.
    pub(crate) fn weight(&self) -> usize {
        const COUNTS: usize = 2 * size_of::<usize>();
        allocated(COUNTS + size_of::<Self>())
            + allocated(self.token.len())
            + allocated(COUNTS + size_of::<Json>())
            + allocated_by(&self.claims)
    }

    /// The second part of the token, in base64url.
    pub(crate) fn payload(&self) -> &[u8] {
        self.token.split(|byte| *byte == b'.').nth(1).unwrap_or_default()
    }
}
