//! A verified token.

use super::weight::{allocated, allocated_by};
use crate::config::ProviderSet;
use crate::crypto;
use serde_json::Value as Json;
use std::rc::Rc;

/// A token whose signature and registered claims are valid.
#[derive(Debug)]
pub struct Verified {
    pub(crate) token: Box<[u8]>,
    /// Index of the provider.
    pub(crate) provider: usize,
    /// The providers to choose from: those that look where the token was found.
    pub(crate) among: ProviderSet,
    /// The key that signed the token.
    pub(crate) key: Rc<crypto::Key>,
    /// When the token expires, leeway included, in seconds since the Unix epoch; `None` if never.
    pub(crate) until: Option<f64>,
    /// A JSON object.
    pub(crate) claims: Rc<Json>,
}

impl Verified {
    /// Index of the provider in the config.
    #[must_use]
    pub const fn provider(&self) -> usize {
        self.provider
    }

    /// All claims, as a JSON object.
    #[must_use]
    pub fn claims(&self) -> Rc<Json> {
        Rc::clone(&self.claims)
    }

    /// Memory usage in bytes, without the key, which belongs to the key set.
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
