//! From the bytes of a token to its claims, in the one order that is safe: size, shape and header; the
//! key; the signature over the raw bytes; and only then what the payload says.

use super::cache::Cache;
use super::places::Found;
use super::reason::{Fault, Reason};
use super::registered;
use super::token::{Token, unverified_issuer};
use super::unverified::Unverified;
use super::verified::Verified;
use crate::config::{Config, Provider};
use crate::crypto::{Algorithm, Key, KeySet};
use crate::jwks::Missing;
use policy::hash;
use serde_json::Value as Json;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Whoever checks signatures: the proxy, or code in the VM.
pub trait Signatures {
    /// Whether `key` has made `signature` of `message`.
    fn verify(&self, algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Signature;
}

/// What a check of a signature comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The key has made it.
    Good,
    /// The key has not.
    Bad,
    /// There is no time left for it.
    NoTime,
    /// The proxy fails to say.
    Failed,
}

/// The key sets of the providers, by their place in the config.
pub trait Keys {
    /// The provider's set at the moment; `None` as long as there is none.
    fn of(&self, provider: usize) -> Option<Rc<KeySet>>;

    /// Whether the set may ever be another one: then it pays to wait.
    fn may_change(&self, provider: usize) -> bool;
}

/// What is known of a request's token.
#[derive(Clone, Debug)]
pub enum Judged {
    /// There is none.
    Absent,
    /// It is good.
    Good(Rc<Verified>),
    /// It is not.
    Bad(Fault),
    /// It may be: the key that has signed it is not there, and may come.
    NoKey(Rc<Unverified>),
    /// It cannot be said.
    Unknown(Fault),
}

/// Whether the token was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// It was, and is still good.
    Hit,
    /// It was not.
    Miss,
}

/// Verifies tokens, and remembers the good ones.
pub(crate) struct Verifier {
    key: hash::Key,
    cache: RefCell<Cache>,
}

impl Verifier {
    pub(crate) fn new(config: &Config, key: hash::Key) -> Self {
        let cache = Cache::new(config.token_cache.entries, config.token_cache.max_token_bytes, key);
        Self { key, cache: RefCell::new(cache) }
    }

    /// Judges a token. `now`: since 1970. `before`: what it has waited for.
    pub(crate) fn judge(
        &self,
        config: &Config,
        found: &Found<'_>,
        now: Duration,
        before: Option<&Rc<Unverified>>,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> (Judged, Remembered) {
        if found.token.len() > config.max_token_bytes {
            return (Judged::Bad(Fault::new(Reason::TooLarge, "the token is too large")), Remembered::Miss);
        }
        if let Some(verified) = self.recall(found, now, keys) {
            return (Judged::Good(verified), Remembered::Hit);
        }
        let judged =
            self.verify(config, found, now, before, keys, signatures).unwrap_or_else(|judged| judged);
        if let (Judged::Good(verified), Ok(mut cache)) = (&judged, self.cache.try_borrow_mut())
            && cache.takes(&verified.token)
        {
            cache.insert(Rc::clone(verified));
        }
        (judged, Remembered::Miss)
    }

    /// A token that was verified before, if its key still is in the provider's set and its time has not
    /// come.
    fn recall(&self, found: &Found<'_>, now: Duration, keys: &impl Keys) -> Option<Rc<Verified>> {
        let mut cache = self.cache.try_borrow_mut().ok()?;
        if !cache.takes(&found.token) {
            return None;
        }
        let verified = cache.get(&found.token)?;
        // Among other providers another one may be for it.
        if verified.among != found.providers {
            return None;
        }
        let in_time = verified.until.is_none_or(|until| now.as_secs_f64() < until);
        if in_time && keys.of(verified.provider).is_some_and(|set| set.contains(&verified.key)) {
            return Some(Rc::clone(verified));
        }
        cache.remove(&found.token);
        None
    }

    fn verify(
        &self,
        config: &Config,
        found: &Found<'_>,
        now: Duration,
        before: Option<&Rc<Unverified>>,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> Result<Judged, Judged> {
        let token = Token::read(&found.token).map_err(Judged::Bad)?;
        let (index, provider) = pick(config, found, &token).map_err(Judged::Bad)?;
        let bad = |fault: Fault| Judged::Bad(fault.of(index));
        let algorithm = token
            .header
            .algorithm
            .filter(|algorithm| provider.algorithms.contains(algorithm))
            .ok_or_else(|| bad(Fault::new(Reason::UnknownKey, "the token's algorithm is not allowed")))?;
        let set = keys.of(index).ok_or_else(|| Judged::NoKey(Rc::new(Unverified::without_set(index))))?;
        let hash = || self.hash(&found.token);
        if let Some(before) = before.filter(|before| before.holds_for(index, &set, hash())) {
            return Err(Judged::NoKey(Rc::clone(before)));
        }
        let key = signer(&set, &token, algorithm, signatures).map_err(|unsigned| {
            let fault = match unsigned {
                Unsigned::NoKey if token.header.key_id.is_some() => {
                    Fault::new(Reason::UnknownKey, "the token's key is not known")
                }
                Unsigned::NoKey => Fault::new(Reason::UnknownKey, "no key is for the token's algorithm"),
                Unsigned::BadSignature => Fault::new(Reason::BadSignature, "the token's signature is wrong"),
                Unsigned::NoTime => {
                    return Judged::Unknown(
                        Fault::new(Reason::Overloaded, "too many signatures to check").of(index),
                    );
                }
                Unsigned::Failed => {
                    return Judged::Unknown(
                        Fault::new(Reason::Error, "the signature cannot be checked").of(index),
                    );
                }
            };
            if !keys.may_change(index) {
                return bad(fault);
            }
            let missing = match (unsigned, &token.header.key_id) {
                (Unsigned::NoKey, Some(id)) => Missing::Key(id.clone()),
                _ => Missing::Signer(hash()),
            };
            Judged::NoKey(Rc::new(Unverified::new(missing, fault, index, Rc::clone(&set), hash())))
        })?;
        // From here on the payload is the provider's word.
        let not_json =
            Fault::new(Reason::BadClaims, "the token's payload is not a JSON object with each name once");
        let payload = token.payload_bytes().ok_or_else(|| bad(not_json))?;
        let Ok(Json::Object(claims)) = policy::json::parse(&payload) else { return Err(bad(not_json)) };
        let until = registered::check(&claims, provider, now).map_err(bad)?;
        Ok(Judged::Good(Rc::new(Verified {
            token: (*found.token).into(),
            provider: index,
            among: found.providers,
            key,
            until,
            claims: Rc::new(Json::Object(claims)),
        })))
    }

    fn hash(&self, token: &[u8]) -> u128 {
        let mut hasher = self.key.hasher();
        hasher.part(token);
        hasher.finish()
    }
}

/// The provider that is to verify the token, with its place in the config.
///
/// With one provider that looks where the token was found there is nothing to pick. With several, the
/// token's own `iss` picks one of them, unverified; whether it told the truth is checked with the other
/// claims.
fn pick<'a>(
    config: &'a Config,
    found: &Found<'_>,
    token: &Token<'_>,
) -> Result<(usize, &'a Provider), Fault> {
    let looks_there = |(index, _): &(usize, &Provider)| found.providers & (1 << index) != 0;
    let mut providers = config.providers.iter().enumerate().filter(looks_there);
    let (first, second) = (providers.next(), providers.next());
    if let (Some(only), None) = (first, second) {
        return Ok(only);
    }
    let issuer = unverified_issuer(token)?;
    let with = |issuer: Option<&String>| {
        config.providers.iter().enumerate().filter(looks_there).find(|(_, own)| own.issuer.as_ref() == issuer)
    };
    issuer
        .as_ref()
        .and_then(|issuer| with(Some(issuer)))
        .or_else(|| with(None))
        .ok_or(Fault::new(Reason::WrongIssuer, "the token is of another issuer"))
}

/// Why no key has made a signature.
enum Unsigned {
    NoKey,
    BadSignature,
    NoTime,
    Failed,
}

/// The key that has made the token's signature.
fn signer(
    set: &KeySet,
    token: &Token<'_>,
    algorithm: Algorithm,
    signatures: &impl Signatures,
) -> Result<Rc<Key>, Unsigned> {
    let mut unsigned = Unsigned::NoKey;
    for key in set.candidates(token.header.key_id.as_deref(), algorithm) {
        match signatures.verify(algorithm, key, token.message, &token.signature) {
            Signature::Good => return Ok(Rc::clone(key)),
            // A key without a name is not the one that the token names: that one may still come.
            Signature::Bad if key.id() != token.header.key_id.as_deref() && token.header.key_id.is_some() => {
            }
            Signature::Bad => unsigned = Unsigned::BadSignature,
            Signature::NoTime => return Err(Unsigned::NoTime),
            Signature::Failed => return Err(Unsigned::Failed),
        }
    }
    Err(unsigned)
}
