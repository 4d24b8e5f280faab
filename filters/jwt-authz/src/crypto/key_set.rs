//! Reads a JSON Web Key Set (RFC 7517 section 5).

use super::algorithm::Algorithm;
use super::jwk::{self, Origin};
use super::key::Key;
use super::skip_reason::{MAX_KEYS, SkipReason};
use mesh_config::json::{self, InvalidJson};
use serde_json::Value;
use std::fmt;
use std::rc::Rc;

/// A key set with at least one usable key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    skipped: Vec<Skipped>,
}

/// A key that is not used. The other keys of the set still are (RFC 7517 section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Index in `keys`.
    pub index: usize,
    /// Why the key is not used.
    pub reason: SkipReason,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "keys[{}]: {}", self.index, self.reason)
    }
}

/// Why a key set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// Not JSON, or an object with a repeated name.
    NotJson(InvalidJson),
    /// Not an object with an array `keys`.
    NotASet,
    /// There is no key, or all keys were skipped.
    NoKey(Vec<Skipped>),
}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => error.fmt(formatter),
            Self::NotASet => formatter.write_str("expected an object with an array `keys`"),
            Self::NoKey(skipped) => {
                formatter.write_str("no key can be used")?;
                skipped.first().map_or(Ok(()), |first| write!(formatter, ": {first}"))
            }
        }
    }
}

impl std::error::Error for KeySetError {}

impl KeySet {
    /// Maximum number of keys that are tried for a token, as a token without a `kid` may be signed by any key of the set.
    /// Few issuers sign with more than two keys at a time.
    pub const MAX_CANDIDATES: usize = 8;

    /// Reads a key set.
    ///
    /// # Errors
    ///
    /// `bytes` is not a key set, or none of its keys can be used.
    pub fn read(bytes: &[u8], origin: Origin) -> Result<Self, KeySetError> {
        Self::from_json(&json::parse(bytes).map_err(KeySetError::NotJson)?, origin)
    }

    /// Reads a key set from parsed JSON.
    ///
    /// # Errors
    ///
    /// `set` is not a key set, or none of its keys can be used.
    pub fn from_json(set: &Value, origin: Origin) -> Result<Self, KeySetError> {
        let list = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::NotASet)?;
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, key) in list.iter().take(MAX_KEYS).enumerate() {
            match jwk::read(key, origin) {
                Ok(key) => keys.push(Rc::new(key)),
                Err(reason) => skipped.push(Skipped { index, reason }),
            }
        }
        if list.len() > MAX_KEYS {
            skipped.push(Skipped { index: MAX_KEYS, reason: SkipReason::TooMany(list.len()) });
        }
        if keys.is_empty() {
            return Err(KeySetError::NoKey(skipped));
        }
        Ok(Self { keys, skipped })
    }

    /// The keys to try for a token. With a `kid`, these are the keys with that `kid` or, if there are none, those without
    /// any, like in Envoy's own filter: issuers with a single key may omit its `kid`.
    pub fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Rc<Key>> {
        let fitting = move || self.keys.iter().filter(move |key| key.fits(algorithm));
        let is_named = fitting().any(|key| key.id() == id);
        let wanted = if is_named { id } else { None };
        fitting().filter(move |key| id.is_none() || key.id() == wanted).take(Self::MAX_CANDIDATES)
    }

    /// Replaces keys that equal a key of `older` by that key, so that a key keeps its identity when the set is fetched
    /// again.
    pub fn reuse(&mut self, older: &Self) {
        for key in &mut self.keys {
            if let Some(same) = older.keys.iter().find(|same| *same == key) {
                *key = Rc::clone(same);
            }
        }
    }

    /// All usable keys.
    pub fn keys(&self) -> impl Iterator<Item = &Rc<Key>> {
        self.keys.iter()
    }

    /// Whether the set has a key equal to this one.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.keys.iter().any(|known| std::ptr::eq(&raw const **known, key) || **known == *key)
    }

    /// The keys that are not used, with the reasons.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Number of usable keys, at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests;
