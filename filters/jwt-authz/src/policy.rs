//! The decision on a request: a pure function of its facts, the time, the keys and a checker of signatures.

mod answer;
mod cache;
mod expression;
mod forward;
mod places;
mod reason;
mod registered;
mod share;
mod token;
mod verified;
mod verifier;

pub use answer::Refusal;
pub use forward::Forwarded;
pub use reason::{Fault, Reason};
pub use share::Share;
pub use token::{Header, Token};
pub use verified::Verified;
pub use verifier::{Judged, Keys, Remembered, Signature, Signatures};

use crate::config::{Action, Config, EscapedSlashes, OnJwksUnavailable, Rule, TokenUse};
use expression::Context;
use places::Places;
use policy::facts::{Facts, Needs};
use policy::hash;
use policy::headers::{HeaderName, Headers};
use policy::mode::Mode;
use policy::path;
use serde_json::{Map, Value as Json};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use verifier::Verifier;

/// A config at work.
pub struct Policy {
    config: Config,
    needs: Needs,
    places: Places,
    own_headers: Vec<HeaderName>,
    verifier: Verifier,
}

/// A decision on one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What becomes of the request.
    pub outcome: Outcome,
    /// The rule that decided, by its place in the config; `None` for the default and for a bad token.
    pub rule: Option<usize>,
    /// Rules in shadow mode that would have decided.
    pub shadow: Vec<usize>,
    /// The token, if it was looked at and is good.
    pub verified: Option<Rc<Verified>>,
    /// Whether the token was remembered, if it was looked at.
    pub remembered: Option<Remembered>,
    /// The client's address was to be found in `x-forwarded-for`, and was not.
    pub client_ip_fallback: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes on.
    Allowed,
    /// It is refused.
    Refused(Refusal),
    /// Its token cannot be judged before the provider's keys are there. Without them: `otherwise`.
    NoKey {
        /// The provider, by its place in the config.
        provider: usize,
        /// The key that the provider's set lacks; `None` if there is no set.
        key_id: Option<String>,
    },
}

/// Whether a request may wait for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The decision may be [`Outcome::NoKey`].
    Wait,
    /// It is taken with the keys there are.
    Decide,
}

impl Policy {
    /// `key`: a secret of this worker, for the hashes of remembered tokens.
    #[must_use]
    pub fn new(config: Config, key: hash::Key) -> Self {
        let mut needs = Needs { headers: true, ..Needs::default() };
        config.rules.iter().for_each(|rule| needs.add(&rule.matches.needs()));
        if needs.source {
            needs.add(&config.client_ip.needs());
        }
        let mut own_headers: Vec<HeaderName> = Vec::new();
        for name in config.providers.iter().flat_map(|provider| provider.own_headers()) {
            if !own_headers.contains(name) {
                own_headers.push(name.clone());
            }
        }
        let places = Places::new(&config.providers);
        let verifier = Verifier::new(&config, key);
        Self { config, needs, places, own_headers, verifier }
    }

    /// The config.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What a decision reads of a request.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Decides on a request. `now`: since 1970.
    pub fn decide(
        &self,
        facts: &Facts<'_>,
        now: Duration,
        patience: Patience,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> Decision {
        let target = facts.headers.target();
        if self.config.escaped_slashes == EscapedSlashes::Refuse && path::has_escaped_slash(target) {
            let fault = Fault::new(Reason::EscapedSlash, "the path holds an escaped slash");
            return Decision::refused(Refusal::new(fault));
        }
        let client = self.needs.source.then(|| self.config.client_ip.resolve(facts));
        let judge = || self.judge(facts.headers, now, patience, keys, signatures);
        let mut case = Case {
            config: &self.config,
            facts,
            client_ip: client.and_then(|client| client.ip),
            path: path::normalise(target),
            judge,
            judged: None,
            shadow: Vec::new(),
        };
        let (outcome, rule) = case.decide();
        let (verified, remembered) = match case.judged {
            Some((Judged::Good(verified), remembered)) => (Some(verified), remembered),
            Some((_, remembered)) => (None, remembered),
            None => (None, None),
        };
        let client_ip_fallback = client.is_some_and(|client| client.fallback);
        Decision { outcome, rule, shadow: case.shadow, verified, remembered, client_ip_fallback }
    }

    fn judge(
        &self,
        headers: &Headers,
        now: Duration,
        patience: Patience,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> (Judged, Option<Remembered>) {
        let found = match self.places.find(headers) {
            Ok(Some(found)) => found,
            Ok(None) => return (Judged::Absent, None),
            Err(fault) => return (Judged::Bad(fault), None),
        };
        let (judged, remembered) = self.verifier.judge(&self.config, &found, now, keys, signatures);
        let judged = match (judged, patience) {
            (Judged::NoKey { provider, key_id }, Patience::Decide) => without_key(provider, key_id.is_some()),
            (judged, _) => judged,
        };
        (judged, Some(remembered))
    }

    /// Changes to a request that goes on after this decision, or without one.
    #[must_use]
    pub fn forward(&self, headers: &Headers, decision: Option<&Decision>) -> Forwarded {
        let mut forwarded = Forwarded::default();
        if !self.own_headers.is_empty() {
            forward::strip(headers, &self.own_headers, &mut forwarded.edits);
        }
        let verified = decision.and_then(|decision| decision.verified.as_ref());
        if let Some(verified) = verified
            && let Some(provider) = self.config.providers.get(verified.provider)
        {
            forward::claims(verified, provider, &mut forwarded);
            // In shadow mode the upstream may still look at the token by itself.
            if !provider.forward_token && self.config.mode == Mode::Enforce {
                forward::remove_token(headers, &self.places, &mut forwarded.edits);
            }
        }
        forwarded
    }

    /// The claims that other modules may see, as a JSON object; `None` if there are none.
    #[must_use]
    pub fn export(&self, verified: &Verified) -> Option<Vec<u8>> {
        let mut exported = Map::new();
        for names in &self.config.export {
            if let Some(claim) = policy::matching::claim::find(&verified.claims, names) {
                put(&mut exported, names, claim);
            }
        }
        (!exported.is_empty()).then(|| Json::Object(exported).to_string().into_bytes())
    }

    /// A decision in a few words, for the access log.
    #[must_use]
    pub fn explain(&self, decision: &Decision) -> String {
        match &decision.outcome {
            Outcome::Allowed => {
                let rule = decision.rule.and_then(|index| self.config.rules.get(index));
                format!("allowed{{{}}}", rule.map_or("default", |rule| &rule.name))
            }
            Outcome::Refused(refusal) if self.config.mode == Mode::Enforce => self.config.details(refusal),
            Outcome::Refused(refusal) => format!("shadow_denied{{{}}}", self.config.stage(refusal)),
            Outcome::NoKey { .. } => "waiting".to_owned(),
        }
    }
}

impl Decision {
    /// A refusal that no rule has to do with.
    #[must_use]
    pub const fn refused(refusal: Refusal) -> Self {
        Self {
            outcome: Outcome::Refused(refusal),
            rule: None,
            shadow: Vec::new(),
            verified: None,
            remembered: None,
            client_ip_fallback: false,
        }
    }
}

/// A token whose key is not there, and for which nobody waits any longer.
const fn without_key(provider: usize, has_set: bool) -> Judged {
    if has_set {
        Judged::Bad(Fault::new(Reason::UnknownKey, "the token's key is not known").of(provider))
    } else {
        Judged::Unknown(
            Fault::new(Reason::JwksUnavailable, "there are no keys to check the token with").of(provider),
        )
    }
}

/// A request before the rules. Its token is looked at once, and only if a rule asks.
struct Case<'a, J> {
    config: &'a Config,
    facts: &'a Facts<'a>,
    client_ip: Option<IpAddr>,
    path: std::borrow::Cow<'a, [u8]>,
    judge: J,
    judged: Option<(Judged, Option<Remembered>)>,
    shadow: Vec<usize>,
}

/// Whether a rule holds.
enum Holds {
    Yes,
    No,
    /// It cannot be said: this is what becomes of the request.
    Ends(Outcome),
}

impl<J: Fn() -> (Judged, Option<Remembered>)> Case<'_, J> {
    /// Deny rules, then allow rules, then the default.
    fn decide(&mut self) -> (Outcome, Option<usize>) {
        let config = self.config;
        for action in [Action::Deny, Action::Allow] {
            for (index, rule) in config.rules.iter().enumerate() {
                if rule.action != action || rule.mode == Mode::Off {
                    continue;
                }
                match self.holds(rule) {
                    Holds::No => {}
                    Holds::Yes | Holds::Ends(Outcome::Refused(_)) if rule.mode == Mode::Shadow => {
                        self.shadow.push(index);
                    }
                    // Nobody waits for what does not decide.
                    Holds::Ends(Outcome::NoKey { .. }) if rule.mode == Mode::Shadow => {}
                    Holds::Yes => return (self.carry_out(index, action), Some(index)),
                    Holds::Ends(outcome) => return (outcome, None),
                }
            }
        }
        (self.by_default(), None)
    }

    fn holds(&mut self, rule: &Rule) -> Holds {
        if !rule.matches.is_match(self.facts, self.client_ip) {
            return Holds::No;
        }
        if rule.token == TokenUse::None {
            return Holds::Yes;
        }
        let optional = rule.token == TokenUse::Optional;
        let without_token = if rule.needs_good_token() { Holds::No } else { Holds::Yes };
        let allow_public = self.config.on_jwks_unavailable == OnJwksUnavailable::AllowPublic;
        match self.judged().clone() {
            Judged::Absent => without_token,
            Judged::Bad(fault) if optional => Holds::Ends(Outcome::Refused(Refusal::new(fault))),
            Judged::Unknown(fault) if optional => {
                if fault.reason == Reason::JwksUnavailable && allow_public {
                    without_token
                } else {
                    Holds::Ends(Outcome::Refused(Refusal::new(fault)))
                }
            }
            Judged::Bad(_) | Judged::Unknown(_) => Holds::No,
            Judged::NoKey { provider, key_id } => Holds::Ends(Outcome::NoKey { provider, key_id }),
            Judged::Good(verified) => {
                let context =
                    Context { headers: self.facts.headers, path: &self.path, matches: &rule.matches };
                let holds = rule.providers & (1 << verified.provider) != 0
                    && rule
                        .claims
                        .as_ref()
                        .is_none_or(|claims| expression::holds(claims, &verified.claims, &context));
                if holds { Holds::Yes } else { Holds::No }
            }
        }
    }

    fn by_default(&mut self) -> Outcome {
        let allow = self.config.default == Action::Allow;
        let allow_public = self.config.on_jwks_unavailable == OnJwksUnavailable::AllowPublic;
        match self.judged().clone() {
            Judged::Good(_) | Judged::Absent if allow => Outcome::Allowed,
            Judged::Unknown(fault) if allow && allow_public && fault.reason == Reason::JwksUnavailable => {
                Outcome::Allowed
            }
            Judged::Good(verified) => {
                let fault = Fault::new(Reason::NoRule, "no rule lets this request in");
                Outcome::Refused(Refusal::new(fault.of(verified.provider)))
            }
            Judged::Absent => {
                Outcome::Refused(Refusal::new(Fault::new(Reason::Missing, "the request has no token")))
            }
            Judged::Bad(fault) | Judged::Unknown(fault) => Outcome::Refused(Refusal::new(fault)),
            Judged::NoKey { provider, key_id } => Outcome::NoKey { provider, key_id },
        }
    }

    fn carry_out(&self, rule: usize, action: Action) -> Outcome {
        match action {
            Action::Allow => Outcome::Allowed,
            Action::Deny => {
                let fault = Fault::new(Reason::DeniedBy, "a rule refuses this request");
                let provider = match &self.judged {
                    Some((Judged::Good(verified), _)) => Some(verified.provider),
                    _ => None,
                };
                Outcome::Refused(Refusal { fault: Fault { provider, ..fault }, rule: Some(rule) })
            }
        }
    }

    fn judged(&mut self) -> &Judged {
        let Self { judge, judged, .. } = self;
        &judged.get_or_insert_with(&*judge).0
    }
}

/// Puts a claim where these names lead.
fn put(object: &mut Map<String, Json>, names: &[String], claim: &Json) {
    match names {
        [] => {}
        [name] => {
            object.insert(name.clone(), claim.clone());
        }
        [name, rest @ ..] => {
            let within = object.entry(name.clone()).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(within) = within {
                put(within, rest, claim);
            }
        }
    }
}

#[cfg(test)]
mod gateway;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
