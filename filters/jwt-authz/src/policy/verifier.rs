//! Verifies tokens in a safe order: size, structure and header, then the key, then the signature over the raw bytes,
//! and only then the payload.

use super::cache::Cache;
use super::denial::Denial;
use super::memory::Memory;
use super::reason;
use super::registered;
use super::token::{Token, unverified_issuer};
use super::token_locations::Found;
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
    /// Checks the signature of `message` by `key`, a key of this provider.
    fn verify(
        &self,
        provider: usize,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Signature;

    /// Called when the token of the last check is refused, even if its signature is good. The check then counts
    /// against the CPU budget like a failed one.
    fn wasted(&self) {}

    /// Whether a check is so slow that a request tries only some of the candidate keys.
    fn is_slow(&self, algorithm: Algorithm) -> bool;
}

/// The result of a signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The key has signed the message.
    Good,
    /// The key has not signed the message.
    Bad,
    /// Not checked: the provider's CPU budget is used up.
    NoTime,
    /// The proxy cannot check it.
    Failed,
}

/// The key sets of the providers, by index in the config.
pub trait Keys {
    /// The provider's current key set; `None` until the first one is available.
    fn of(&self, provider: usize) -> Option<Rc<KeySet>>;

    /// Whether the key set may be replaced, so that a request may wait for a new key.
    fn may_change(&self, provider: usize) -> bool;
}

/// What a decision depends on besides the request and the config.
pub struct Context<'a, K, S> {
    /// Time since the Unix epoch.
    pub now: Duration,
    /// Whether the decision may be [`Outcome::NoKey`](super::Outcome::NoKey). If not, it is made with the current keys.
    pub may_wait: bool,
    /// The unverified token of an earlier decision on this request.
    pub before: Option<&'a Rc<Unverified>>,
    /// Key sets of the providers.
    pub keys: &'a K,
    /// Signature checks.
    pub signatures: &'a S,
    /// What other configs of the block have found out about the request's token.
    pub seen: &'a Seen,
}

/// What is known of a request's token, for all configs of a block that decide on it in turn: they have the same providers, and
/// a token that is not in the cache is verified once.
#[derive(Debug, Default)]
pub struct Seen(RefCell<Option<(Judged, CacheStatus)>>);

impl Seen {
    /// The result. A missing key may have come since.
    fn result(&self) -> Option<(Judged, CacheStatus)> {
        let seen = self.0.try_borrow().ok()?.clone();
        seen.filter(|(judged, _)| !matches!(judged, Judged::NoKey(_)))
    }

    /// The token, if its key was missing.
    fn unverified(&self) -> Option<Rc<Unverified>> {
        match &*self.0.try_borrow().ok()? {
            Some((Judged::NoKey(unverified), _)) => Some(Rc::clone(unverified)),
            _ => None,
        }
    }

    fn note(&self, judged: &Judged, cache_status: CacheStatus) {
        if let Ok(mut seen) = self.0.try_borrow_mut() {
            *seen = Some((judged.clone(), cache_status));
        }
    }
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

impl Judged {
    /// The result for a token whose key is missing, if the request does not wait for the key.
    pub(crate) fn without_waiting(unverified: &Unverified) -> Self {
        let denial = unverified.denial();
        // 503: the token may be valid with other keys.
        if denial.reason.class.status == 503 { Self::Unknown(denial) } else { Self::Bad(denial) }
    }
}

/// Whether a token was in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// In the cache and still valid.
    Hit,
    /// Not in the cache, or no longer valid.
    Miss,
}

/// Verifies tokens and caches the valid ones.
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

    pub(crate) fn judge(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        config: &Config,
        found: &Found<'_>,
    ) -> (Judged, CacheStatus) {
        if found.token.len() > config.max_token_bytes {
            return (Judged::Bad(Denial::new(reason::TOO_LARGE)), CacheStatus::Miss);
        }
        if let Some(seen) = context.seen.result() {
            return seen;
        }
        if let Some(verified) = self.recall(context, found) {
            return (Judged::Good(verified), CacheStatus::Hit);
        }
        let judged = self.verify(context, config, found).unwrap_or_else(|judged| judged);
        context.seen.note(&judged, CacheStatus::Miss);
        match &judged {
            Judged::Good(verified) => self.cache.insert(verified),
            // A refused token is not cached; if it is sent again, it is checked again.
            _ => context.signatures.wasted(),
        }
        (judged, CacheStatus::Miss)
    }

    /// The cached token, if its key is still in the provider's set and it has not expired.
    fn recall(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        found: &Found<'_>,
    ) -> Option<Rc<Verified>> {
        let verified = self.cache.get(found.token)?;
        // With other providers to choose from, another one may be responsible for the token.
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
        let Context { now, before, keys, signatures, seen, .. } = *context;
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
        let before = before.cloned().into_iter().chain(seen.unverified());
        if let Some(before) = before.into_iter().find(|before| before.holds_for(index, &set, *hash)) {
            return Err(Judged::NoKey(before));
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
            if keys.may_change(index) {
                Judged::NoKey(Rc::new(unverified))
            } else {
                Judged::without_waiting(&unverified)
            }
        })?;
        // From here on the payload is authentic.
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

    /// The key that signed the token. `hash` is the token's hash.
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
        // A key without a `kid` is not the key that the token names; that one may still be added to the set.
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
        for index in turns.pick(candidates, hash) {
            let Some(key) = candidates.keys.get(index) else { continue };
            match check(key) {
                Signature::Good => {
                    turns.verified(candidates, index);
                    return Ok(Rc::clone(key));
                }
                Signature::Bad => turns.failed(candidates, hash, index),
                Signature::NoTime => return Err(Unsigned::NoTime),
                Signature::Failed => return Err(Unsigned::Failed),
            }
        }
        Err(if turns.is_tried_on_all(candidates, hash) { bad } else { Unsigned::NotTried })
    }
}

/// The provider that verifies the token, with its index.
///
/// If several providers look where the token was found, the unverified `iss` selects one of them. `iss` is checked
/// again with the other claims once the signature is verified.
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
        config
            .providers
            .iter()
            .enumerate()
            .filter(looks_there)
            .find(|(_, provider)| provider.issuer.as_ref() == issuer)
    };
    issuer
        .as_ref()
        .and_then(|issuer| with(Some(issuer)))
        .or_else(|| with(None))
        .ok_or(Denial::new(reason::WRONG_ISSUER))
}

/// Why no key of the set verifies a signature.
#[derive(Clone, Copy)]
enum Unsigned {
    NoKey,
    BadSignature,
    /// Some of the candidate keys were not tried.
    NotTried,
    NoTime,
    Failed,
}
