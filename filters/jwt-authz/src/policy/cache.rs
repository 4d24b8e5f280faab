//! Tokens that were verified before.

use super::verified::Verified;
use lru::LruCache;
use policy::hash::Key;
use rustc_hash::FxBuildHasher;
use std::num::NonZeroUsize;
use std::rc::Rc;

/// The tokens that a worker has verified, the least recently used out first.
///
/// A token is found by a keyed hash, so that nobody can make tokens that crowd one another out at will,
/// and then compared byte for byte: a hash that is equal lets nobody in.
pub(crate) struct Cache {
    key: Key,
    /// `None`: nothing is remembered.
    tokens: Option<LruCache<u128, Rc<Verified>, FxBuildHasher>>,
    max_token_bytes: usize,
}

impl Cache {
    pub(crate) fn new(entries: usize, max_token_bytes: usize, key: Key) -> Self {
        let tokens = NonZeroUsize::new(entries).map(|entries| LruCache::with_hasher(entries, FxBuildHasher));
        Self { key, tokens, max_token_bytes }
    }

    /// Whether such a token would be remembered.
    pub(crate) fn takes(&self, token: &[u8]) -> bool {
        self.tokens.is_some() && token.len() <= self.max_token_bytes
    }

    /// What is known of a token. The caller judges whether it still holds.
    pub(crate) fn get(&mut self, token: &[u8]) -> Option<&Rc<Verified>> {
        let hash = self.hash(token);
        self.tokens.as_mut()?.get(&hash).filter(|verified| *verified.token == *token)
    }

    pub(crate) fn insert(&mut self, verified: Rc<Verified>) {
        let hash = self.hash(&verified.token);
        if let Some(tokens) = &mut self.tokens {
            tokens.put(hash, verified);
        }
    }

    pub(crate) fn remove(&mut self, token: &[u8]) {
        let hash = self.hash(token);
        if let Some(tokens) = &mut self.tokens {
            tokens.pop(&hash);
        }
    }

    fn hash(&self, token: &[u8]) -> u128 {
        let mut hasher = self.key.hasher();
        hasher.part(token);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use crate::policy::Verified;
    use crate::policy::gateway::{Gateway, bearer, token};
    use policy::hash::Key;
    use serde_json::json;
    use std::rc::Rc;

    fn verified() -> Rc<Verified> {
        let gateway = Gateway::with(&json!({}), &json!({}));
        gateway.decide(&bearer(token(&json!({})).as_bytes())).verified.unwrap()
    }

    /// Which nobody can bring about, without the key.
    #[test]
    fn a_hash_that_is_equal_lets_nobody_in() {
        let verified = verified();
        let mut cache = Cache::new(8, 4096, Key::new([7; 16]));
        cache.insert(Rc::clone(&verified));
        assert!(cache.get(&verified.token).is_some());
        assert!(cache.get(b"other").is_none());
        let hash = cache.hash(b"other");
        cache.tokens.as_mut().unwrap().put(hash, Rc::clone(&verified));
        assert!(cache.get(b"other").is_none());
    }
}
