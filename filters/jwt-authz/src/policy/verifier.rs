//! From the bytes of a token to its claims, in the one order that is safe: size, shape and header; the
//! key; the signature over the raw bytes; and only then what the payload says.

use super::cache::Cache;
use super::denial::Denial;
use super::memory::Memory;
use super::places::Found;
use super::reason;
use super::registered;
use super::token::{Token, unverified_issuer};
use super::turns::{Candidates, MAX_SLOW, Turns};
use super::unverified::Unverified;
use super::verified::Verified;
use crate::config::{Config, Provider, ProviderId};
use crate::crypto::{Algorithm, Key, KeySet};
use crate::jwks::Missing;
use mesh_policy::hash;
use serde_json::Value as Json;
use std::cell::{LazyCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Checks signatures, in the proxy or in the VM.
pub trait Signatures {
    /// Whether `signature` is that of `message` by `key`, a key of this provider.
    fn verify(
        &self,
        provider: usize,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Signature;

    /// The token of the last check is refused although its signature may be good, so the check takes from the
    /// share as a failed one does.
    fn wasted(&self) {}

    /// Whether one check takes so long that a token is not tried on each key that may have signed it.
    fn is_slow(&self, algorithm: Algorithm) -> bool;
}

/// The result of a signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The key has signed the message.
    Good,
    /// The key has not signed the message.
    Bad,
    /// Not checked: the provider's share of time is used up.
    NoTime,
    /// The proxy cannot check it.
    Failed,
}

/// The key sets of the providers, by their place in the config.
pub trait Keys {
    /// The provider's present key set; `None` before the first one.
    fn of(&self, provider: usize) -> Option<Rc<KeySet>>;

    /// Whether the key set may be replaced: then a request may wait for a new key.
    fn may_change(&self, provider: usize) -> bool;
}

/// What a token is judged with: the same for all steps of one request.
pub struct Context<'a, K, S> {
    /// The time since 1970.
    pub now: Duration,
    /// Whether the decision may be [`Outcome::NoKey`](super::Outcome::NoKey); if not, it is taken with the keys there are.
    pub may_wait: bool,
    /// What an earlier decision on this request waited for.
    pub before: Option<&'a Rc<Unverified>>,
    /// The providers' key sets.
    pub keys: &'a K,
    /// Checks signatures.
    pub signatures: &'a S,
}

/// The state of a request's token.
#[derive(Clone, Debug)]
pub enum Judged {
    /// The request has no token.
    Absent,
    /// The token is verified.
    Good(Rc<Verified>),
    /// The token is refused.
    Bad(Denial),
    /// No key of the set has signed the token; a later set may have the key.
    NoKey(Rc<Unverified>),
    /// The token cannot be checked.
    Unknown(Denial),
}

/// Whether the verified token was in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// It was, and is still valid.
    Hit,
    /// It was not.
    Miss,
}

/// Verifies tokens, and remembers the good ones.
pub(crate) struct Verifier {
    cache: Cache,
    turns: RefCell<Turns>,
}

impl Verifier {
    pub(crate) fn new(config: &Config, key: hash::Key, memory: &Rc<Memory>) -> Self {
        Self {
            cache: Cache::new(config.token_cache, key, memory),
            turns: RefCell::new(Turns::new(config.providers.len())),
        }
    }

    /// Judges a token.
    pub(crate) fn judge(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        config: &Config,
        found: &Found<'_>,
    ) -> (Judged, CacheStatus) {
        if found.token.len() > config.max_token_bytes {
            return (Judged::Bad(Denial::new(reason::TOO_LARGE)), CacheStatus::Miss);
        }
        if let Some(verified) = self.recall(context, found) {
            return (Judged::Good(verified), CacheStatus::Hit);
        }
        let judged = self.verify(context, config, found).unwrap_or_else(|judged| judged);
        match &judged {
            Judged::Good(verified) => self.cache.insert(verified),
            // A refused token is not cached: sent again, it is checked again.
            _ => context.signatures.wasted(),
        }
        (judged, CacheStatus::Miss)
    }

    /// A token from the cache, if its key still is in the provider's set and it has not expired.
    fn recall(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        found: &Found<'_>,
    ) -> Option<Rc<Verified>> {
        let verified = self.cache.get(found.token)?;
        // Among other providers another one may be for it.
        if verified.among != found.providers {
            return None;
        }
        let in_time = verified.until.is_none_or(|until| context.now.as_secs_f64() < until);
        if in_time && context.keys.of(verified.provider).is_some_and(|set| set.contains(&verified.key)) {
            return Some(verified);
        }
        self.cache.remove(found.token);
        None
    }

    fn verify(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        config: &Config,
        found: &Found<'_>,
    ) -> Result<Judged, Judged> {
        let Context { now, before, keys, signatures, .. } = *context;
        let token = Token::read(found.token).map_err(Judged::Bad)?;
        let (index, provider) = pick(config, found, &token).map_err(Judged::Bad)?;
        let bad = |denial: Denial| Judged::Bad(denial.of_provider(index));
        let algorithm = token
            .header
            .algorithm
            .filter(|algorithm| provider.algorithms.contains(algorithm))
            .ok_or_else(|| bad(Denial::new(reason::ALGORITHM_NOT_ALLOWED)))?;
        let set = keys.of(index).ok_or_else(|| Judged::NoKey(Rc::new(Unverified::without_set(index))))?;
        let hash = LazyCell::new(|| self.cache.hash(found.token));
        if let Some(before) = before.filter(|before| before.holds_for(index, &set, *hash)) {
            return Err(Judged::NoKey(Rc::clone(before)));
        }
        let id = token.header.key_id.as_deref();
        let candidates =
            Candidates { provider: index, set: &set, keys: set.candidates(id, algorithm).collect() };
        let signer = self.signer(&candidates, &token, || *hash, algorithm, signatures);
        let key = signer.map_err(|unsigned| {
            let reason = match unsigned {
                Unsigned::NoKey if token.header.key_id.is_some() => reason::UNKNOWN_KEY,
                Unsigned::NoKey => reason::NO_KEY_FOR_ALGORITHM,
                Unsigned::BadSignature => reason::BAD_SIGNATURE,
                Unsigned::NotTried => reason::NOT_TRIED,
                Unsigned::NoTime => return Judged::Unknown(Denial::new(reason::NO_TIME).of_provider(index)),
                Unsigned::Failed => {
                    return Judged::Unknown(Denial::new(reason::CHECK_FAILED).of_provider(index));
                }
            };
            let missing = match id {
                Some(id) if !candidates.are_named(id) => Missing::Key(id.to_owned()),
                _ => Missing::Signer(*hash),
            };
            let unverified = Unverified::new(missing, Denial::new(reason), index, Rc::clone(&set), *hash);
            if keys.may_change(index) { Judged::NoKey(Rc::new(unverified)) } else { unverified.settled() }
        })?;
        // The provider has signed the payload.
        let not_json = Denial::new(reason::PAYLOAD_JSON);
        let payload = token.payload_bytes().ok_or_else(|| bad(not_json))?;
        let Ok(Json::Object(claims)) = mesh_config::json::parse(&payload) else { return Err(bad(not_json)) };
        let until = registered::check(&claims, provider, now).map_err(bad)?;
        Ok(Judged::Good(Rc::new(Verified {
            token: found.token.into(),
            provider: index,
            among: found.providers,
            key,
            until,
            claims: Rc::new(Json::Object(claims)),
        })))
    }

    /// The key that has made the token's signature. `hash`: of the token.
    fn signer(
        &self,
        candidates: &Candidates<'_>,
        token: &Token<'_>,
        hash: impl Fn() -> u128,
        algorithm: Algorithm,
        signatures: &impl Signatures,
    ) -> Result<Rc<Key>, Unsigned> {
        let check = |key: &Key| {
            signatures.verify(candidates.provider, algorithm, key, token.message, &token.signature)
        };
        // A key without a name is not the one that the token names: that one may still come.
        let bad = match &token.header.key_id {
            Some(id) if !candidates.are_named(id) => Unsigned::NoKey,
            _ if candidates.keys.is_empty() => Unsigned::NoKey,
            _ => Unsigned::BadSignature,
        };
        if !signatures.is_slow(algorithm) || candidates.keys.len() <= MAX_SLOW {
            for key in &candidates.keys {
                match check(key) {
                    Signature::Good => return Ok(Rc::clone(key)),
                    Signature::Bad => {}
                    Signature::NoTime => return Err(Unsigned::NoTime),
                    Signature::Failed => return Err(Unsigned::Failed),
                }
            }
            return Err(bad);
        }
        let mut turns = self.turns.try_borrow_mut().map_err(|_| Unsigned::Failed)?;
        let hash = hash();
        for place in turns.pick(candidates, hash) {
            let Some(key) = candidates.keys.get(place) else { continue };
            match check(key) {
                Signature::Good => {
                    turns.verified(candidates, place);
                    return Ok(Rc::clone(key));
                }
                Signature::Bad => turns.failed(candidates, hash, place),
                Signature::NoTime => return Err(Unsigned::NoTime),
                Signature::Failed => return Err(Unsigned::Failed),
            }
        }
        Err(if turns.is_tried_on_all(candidates, hash) { bad } else { Unsigned::NotTried })
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
) -> Result<(usize, &'a Provider), Denial> {
    let looks_there = |(index, _): &(usize, &Provider)| found.providers.contains(ProviderId::new(*index));
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
        .ok_or(Denial::new(reason::WRONG_ISSUER))
}

/// Why no key has made a signature.
#[derive(Clone, Copy)]
enum Unsigned {
    NoKey,
    BadSignature,
    /// Not all keys that may have made it were tried.
    NotTried,
    NoTime,
    Failed,
}
