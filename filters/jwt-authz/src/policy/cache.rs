//! Cache of verified tokens.

use super::memory::{Memory, Tokens};
use super::verified::Verified;
use crate::config::TokenCache;
use mesh_policy::hash::Key;
use std::rc::Rc;

/// LRU cache of the tokens that a config has verified.
///
/// The key is a keyed hash of the token, so that clients cannot construct collisions. The token is then compared
/// byte for byte, so that a collision does not admit another token.
pub(crate) struct Cache {
    key: Key,
    /// `None` if the cache is disabled.
    tokens: Option<Rc<Tokens>>,
    max_token_bytes: usize,
}

impl Cache {
    pub(crate) fn new(config: TokenCache, key: Key, memory: &Rc<Memory>) -> Self {
        let tokens = (config.entries > 0).then(|| memory.tokens(config.entries));
        Self { key, tokens, max_token_bytes: config.max_token_bytes }
    }

    /// The cached result for a token. The caller checks that it is still valid.
    pub(crate) fn get(&self, token: &[u8]) -> Option<Rc<Verified>> {
        let tokens = self.tokens_for(token)?;
        tokens.get(self.hash(token)).filter(|verified| *verified.token == *token)
    }

    pub(crate) fn insert(&self, verified: &Rc<Verified>) {
        if let Some(tokens) = self.tokens_for(&verified.token) {
            tokens.insert(self.hash(&verified.token), Rc::clone(verified));
        }
    }

    pub(crate) fn remove(&self, token: &[u8]) {
        if let Some(tokens) = self.tokens_for(token) {
            tokens.remove(self.hash(token));
        }
    }

    pub(crate) fn hash(&self, token: &[u8]) -> u128 {
        let mut hasher = self.key.hasher();
        hasher.part(token);
        hasher.finish()
    }

    /// The cache for this token; `None` if the token is too long to be cached.
    fn tokens_for(&self, token: &[u8]) -> Option<&Tokens> {
        self.tokens.as_deref().filter(|_| token.len() <= self.max_token_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use crate::config::TokenCache;
    use crate::policy::Memory;
    use crate::policy::tests::gateway::{Gateway, bearer, token};
    use mesh_policy::hash::Key;
    use serde_json::json;

    /// Clients cannot produce a collision, as they do not have the key of the hash.
    #[test]
    fn a_hash_that_is_equal_lets_nobody_in() {
        let gateway = Gateway::with(&json!({}), &json!({}));
        let verified = gateway.decide(&bearer(token(&json!({})).as_bytes())).verified.unwrap();
        let cache = Cache::new(TokenCache::default(), Key::new([7; 16]), &Memory::new(1 << 20));
        cache.insert(&verified);
        assert!(cache.get(&verified.token).is_some());
        assert!(cache.get(b"other").is_none());
        cache.tokens.as_ref().unwrap().insert(cache.hash(b"other"), verified);
        assert!(cache.get(b"other").is_none());
    }
}
