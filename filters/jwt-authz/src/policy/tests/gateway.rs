//! Test support: a policy with stand-ins for keys, clock and signature checks, and functions that sign tokens.

use super::super::{
    Context, Decision, Keys, Memory, Outcome, Policy, Seen, Signature, Signatures, Unverified, answer,
};
use crate::config::{self, Jwks};
use crate::crypto::{Algorithm, Key, KeySet, Origin, in_vm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mesh_policy::facts::Facts;
use mesh_policy::hash;
use mesh_policy::headers::Headers;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Time of the requests, in seconds since the Unix epoch.
pub(in crate::policy) const NOW: u64 = 1_700_000_000;

/// A policy and the inputs of its decisions.
pub(in crate::policy) struct Gateway {
    pub(in crate::policy) policy: Policy,
    /// The key sets by provider, initially those of the config.
    pub(in crate::policy) sets: RefCell<Vec<Option<Rc<KeySet>>>>,
    /// Overrides the result of every signature check.
    pub(in crate::policy) verdict: Cell<Option<Signature>>,
    /// Number of signature checks.
    pub(in crate::policy) checks: Cell<usize>,
    pub(in crate::policy) now: Cell<Duration>,
    pub(in crate::policy) may_wait: Cell<bool>,
    /// Whether signature checks are slow.
    pub(in crate::policy) is_slow: Cell<bool>,
    /// Whether the key sets may change, as those of key servers do.
    pub(in crate::policy) may_change: Cell<bool>,
}

impl Gateway {
    pub(in crate::policy) fn new(config: &Json) -> Self {
        Self::in_memory(config, &Memory::new(64 << 20))
    }

    /// Shares `memory` with other configs.
    pub(in crate::policy) fn in_memory(config: &Json, memory: &Rc<Memory>) -> Self {
        let config = config::parse(config.to_string().as_bytes())
            .unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let set = |jwks: &Jwks| match jwks {
            Jwks::Inline(set) => Some(Rc::clone(set)),
            Jwks::Remote(_) => None,
        };
        let sets = config.providers.iter().map(|provider| set(&provider.jwks)).collect();
        Self {
            policy: Policy::new(config, hash::Key::new([7; 16]), memory),
            sets: RefCell::new(sets),
            verdict: Cell::new(None),
            checks: Cell::new(0),
            now: Cell::new(Duration::from_secs(NOW)),
            may_wait: Cell::new(false),
            is_slow: Cell::new(false),
            may_change: Cell::new(true),
        }
    }

    /// With the provider `main`, whose key is `k`. `provider` and `top` are further fields of it and of the config.
    pub(in crate::policy) fn with(provider: &Json, top: &Json) -> Self {
        let mut main = main();
        merge(&mut main, provider);
        let mut config = json!({"providers": [main]});
        merge(&mut config, top);
        Self::new(&config)
    }

    pub(in crate::policy) fn decide(&self, headers: &Headers) -> Decision {
        self.decide_again(headers, None)
    }

    /// The decision on a request that has waited for a key.
    pub(in crate::policy) fn decide_again(
        &self,
        headers: &Headers,
        before: Option<&Rc<Unverified>>,
    ) -> Decision {
        self.decide_beside(headers, before, &Seen::default())
    }

    /// The decision on a request on which other configs decide as well.
    pub(in crate::policy) fn decide_beside(
        &self,
        headers: &Headers,
        before: Option<&Rc<Unverified>>,
        seen: &Seen,
    ) -> Decision {
        let (now, may_wait) = (self.now.get(), self.may_wait.get());
        self.policy
            .decide(&Context { now, may_wait, before, keys: self, signatures: self, seen }, &facts(headers))
    }

    /// The outcome for a request: `+`, the reason of the refusal, or `waits`.
    pub(in crate::policy) fn word(&self, headers: &Headers) -> String {
        match self.decide(headers).outcome {
            Outcome::Allowed => "+".to_owned(),
            Outcome::Refused(denial) => {
                let subject = answer::details(self.policy.config(), &denial).subject;
                subject.unwrap_or_default().into_owned()
            }
            Outcome::NoKey(_) => "waits".to_owned(),
        }
    }

    /// The outcome for a request with this token.
    pub(in crate::policy) fn judge(&self, token: &[u8]) -> String {
        self.word(&bearer(token))
    }

    /// Replaces the key set of a provider; `None` removes it.
    pub(in crate::policy) fn rotate(&self, provider: usize, keys: Option<&Json>) {
        self.sets.borrow_mut()[provider] = keys.map(|keys| Rc::new(set(keys)));
    }

    /// Replaces the key set as a fetch does: keys that are still in the set are kept.
    pub(in crate::policy) fn reuse(&self, provider: usize, keys: &Json) {
        let mut newer = set(keys);
        if let Some(older) = &self.sets.borrow()[provider] {
            newer.reuse(older);
        }
        self.sets.borrow_mut()[provider] = Some(Rc::new(newer));
    }

    pub(in crate::policy) fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

impl Keys for Gateway {
    fn of(&self, provider: usize) -> Option<Rc<KeySet>> {
        self.sets.borrow()[provider].clone()
    }

    fn may_change(&self, _provider: usize) -> bool {
        self.may_change.get()
    }
}

impl Signatures for Gateway {
    fn is_slow(&self, _algorithm: Algorithm) -> bool {
        self.is_slow.get()
    }

    fn verify(
        &self,
        _provider: usize,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Signature {
        self.checks.set(self.checks.get() + 1);
        self.verdict.get().unwrap_or_else(|| match in_vm::verify(algorithm, key, message, signature) {
            true => Signature::Good,
            false => Signature::Bad,
        })
    }
}

fn facts(headers: &Headers) -> Facts<'_> {
    Facts::of(headers)
}

/// A provider with one key, `k`.
pub(in crate::policy) fn main() -> Json {
    json!({"name": "main", "jwks": {"inline": {"keys": [secret("k")]}}, "algorithms": ["HS256"]})
}

/// Sets `fields` in the object `into`.
pub(in crate::policy) fn merge(into: &mut Json, fields: &Json) {
    for (name, value) in fields.as_object().unwrap() {
        into[name] = value.clone();
    }
}

pub(in crate::policy) fn set(keys: &Json) -> KeySet {
    KeySet::from_json(&json!({"keys": keys}), Origin::Inline).unwrap()
}

/// A symmetric key with this `kid`, unique to it.
pub(in crate::policy) fn secret(id: &str) -> Json {
    json!({"kty": "oct", "kid": id, "k": URL_SAFE_NO_PAD.encode(secret_bytes(id))})
}

fn secret_bytes(id: &str) -> [u8; 32] {
    let mut secret = [0; 32];
    secret.iter_mut().zip(id.bytes().cycle()).for_each(|(to, from)| *to = from);
    secret
}

/// A token of arbitrary header and payload bytes, signed with the key `id`.
pub(in crate::policy) fn sign(header: &[u8], payload: &[u8], id: &str) -> String {
    sign_parts(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(payload), id)
}

/// A token of two parts as they are, with a signature by the key `id`.
pub(in crate::policy) fn sign_parts(header: &str, payload: &str, id: &str) -> String {
    let message = format!("{header}.{payload}");
    let mac = Hmac::<Sha256>::new_from_slice(&secret_bytes(id)).unwrap().chain_update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A token with this payload, signed with the key `id`.
pub(in crate::policy) fn token_of(id: &str, payload: &str) -> String {
    sign(json!({"alg": "HS256", "kid": id}).to_string().as_bytes(), payload.as_bytes(), id)
}

/// A token with these claims, signed with the key `k`. It expires in a minute unless the claims set `exp`.
pub(in crate::policy) fn token(claims: &Json) -> String {
    let mut payload = json!({"exp": NOW + 60});
    merge(&mut payload, claims);
    token_of("k", &payload.to_string())
}

/// The token with an invalid signature.
pub(in crate::policy) fn forged(token: &str) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 32]))
}

/// A request with this token.
pub(in crate::policy) fn bearer(token: &[u8]) -> Headers {
    Headers::from_pairs([(":path", b"/".as_slice()), ("authorization", &[b"Bearer ", token].concat())])
}

/// A request with these headers, one `name: value` per line.
pub(in crate::policy) fn request(headers: &str) -> Headers {
    Headers::from_pairs(headers.lines().filter_map(|line| line.trim_start().split_once(": ")))
}
