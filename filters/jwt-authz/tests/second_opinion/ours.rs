//! The filter's verdict. Everything that these tests call of the filter's API is here.

use crate::issuer::{AUDIENCE, ISSUER, LEEWAY, SUBJECT};
use crate::keys;
use crate::verdict::Verdict;
use jwt_authz::config::{self, Jwks};
use jwt_authz::crypto::{Algorithm, Key, KeySet, in_vm};
use jwt_authz::policy::{Context, Keys, Memory, Outcome, Policy, Seen, Signature, Signatures};
use mesh_policy::facts::Facts;
use mesh_policy::hash;
use mesh_policy::headers::Headers;
use serde_json::json;
use std::rc::Rc;
use std::time::Duration;

/// A filter with one provider, and one rule that admits its tokens.
pub(crate) struct Filter {
    policy: Policy,
    keys: Inline,
}

impl Filter {
    pub(crate) fn new() -> Self {
        let config = json!({
            "providers": [{
                "name": "main",
                "issuer": ISSUER,
                "audiences": [AUDIENCE, "other.example.com"],
                "subjects": [SUBJECT],
                "jwks": {"inline": keys::public_set()},
                "algorithms": keys::ALGORITHMS.map(|algorithm| format!("{algorithm:?}")),
                "leeway": format!("{LEEWAY}s"),
            }],
            "rules": [{"name": "main", "action": "allow"}],
        });
        let config = config::parse(config.to_string().as_bytes()).unwrap();
        let Jwks::Inline(set) = &config.providers[0].jwks else { panic!("the key set is inline") };
        let keys = Inline(Rc::clone(set));
        Self { policy: Policy::new(config, hash::Key::new([7; 16]), &Memory::new(1 << 20)), keys }
    }

    /// `now`: seconds since 1970. A refusal is the reason's label.
    pub(crate) fn verdict(&self, token: &[u8], now: u64) -> Verdict {
        let authorization = [b"Bearer ", token].concat();
        let headers =
            Headers::from_pairs([(":path", b"/".as_slice()), ("authorization", authorization.as_slice())]);
        let facts = Facts::of(&headers);
        let decide = || {
            let context = Context {
                now: Duration::from_secs(now),
                may_wait: false,
                before: None,
                keys: &self.keys,
                signatures: &self.keys,
                seen: &Seen::default(),
            };
            self.policy.decide(&context, &facts).outcome
        };
        let verdict = |outcome| match outcome {
            Outcome::Allowed => Ok(()),
            Outcome::Refused(denial) => Err(denial.reason.label.to_owned()),
            Outcome::NoKey(_) => panic!("nothing is waited for"),
        };
        let first = verdict(decide());
        assert_eq!(verdict(decide()), first, "a remembered token is judged like a new one");
        first
    }
}

/// The keys of the config.
struct Inline(Rc<KeySet>);

impl Keys for Inline {
    fn of(&self, _provider: usize) -> Option<Rc<KeySet>> {
        Some(Rc::clone(&self.0))
    }

    fn may_change(&self, _provider: usize) -> bool {
        false
    }
}

impl Signatures for Inline {
    fn verify(
        &self,
        _provider: usize,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Signature {
        match in_vm::verify(algorithm, key, message, signature) {
            true => Signature::Good,
            false => Signature::Bad,
        }
    }

    fn is_slow(&self, _algorithm: Algorithm) -> bool {
        false
    }
}
