//! A JSON Web Key Set (RFC 7517 section 5), read.

use super::algorithm::Algorithm;
use super::jwk::{self, Origin};
use super::key::Key;
use super::skip_reason::{MAX_KEYS, SkipReason};
use mesh_config::json::{self, InvalidJson};
use serde_json::Value;
use std::fmt;
use std::rc::Rc;

/// Keys, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    skipped: Vec<Skipped>,
}

/// A key that is not used, which is no reason not to use the others: RFC 7517 section 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in `keys`.
    pub index: usize,
    /// Why.
    pub reason: SkipReason,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "keys[{}]: {}", self.index, self.reason)
    }
}

/// Why a set cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// Not JSON, or JSON in which an object has a name twice.
    NotJson(InvalidJson),
    /// Not an object with a list `keys`.
    NotASet,
    /// There is no key, or each was skipped.
    NoKey(Vec<Skipped>),
}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => error.fmt(formatter),
            Self::NotASet => formatter.write_str("expected an object with a list `keys`"),
            Self::NoKey(skipped) => {
                formatter.write_str("no key can be used")?;
                skipped.first().map_or(Ok(()), |first| write!(formatter, ": {first}"))
            }
        }
    }
}

impl std::error::Error for KeySetError {}

impl KeySet {
    /// A token without a `kid` could ask for a check with each key of the set. Few issuers sign with
    /// more than two at a time.
    pub const MAX_CANDIDATES: usize = 8;

    /// Reads a set.
    ///
    /// # Errors
    ///
    /// If it is no set, or no key of it can be used.
    pub fn read(bytes: &[u8], origin: Origin) -> Result<Self, KeySetError> {
        Self::from_json(&json::parse(bytes).map_err(KeySetError::NotJson)?, origin)
    }

    /// Takes a set from JSON that was read already.
    ///
    /// # Errors
    ///
    /// If it is no set, or no key of it can be used.
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

    /// The keys that a token's signature is to be checked with. A token that names its key is checked
    /// with keys of that name; only where there is none, with keys that have no name, as Envoy's own
    /// filter does: issuers whose set is a single key may leave its name out.
    pub fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Rc<Key>> {
        let fitting = move || self.keys.iter().filter(move |key| key.fits(algorithm));
        let is_named = fitting().any(|key| key.id() == id);
        let wanted = if is_named { id } else { None };
        fitting().filter(move |key| id.is_none() || key.id() == wanted).take(Self::MAX_CANDIDATES)
    }

    /// Takes keys that an older set has as well from there. What hangs on a key is then one key, however often
    /// the set is fetched.
    pub fn reuse(&mut self, older: &Self) {
        for key in &mut self.keys {
            if let Some(same) = older.keys.iter().find(|same| *same == key) {
                *key = Rc::clone(same);
            }
        }
    }

    /// All keys that can be used.
    pub fn keys(&self) -> impl Iterator<Item = &Rc<Key>> {
        self.keys.iter()
    }

    /// Whether this very key is in the set.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.keys.iter().any(|own| std::ptr::eq(&raw const **own, key) || **own == *key)
    }

    /// The keys that are not used, and why.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// How many keys can be used: at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests;
