//! The decision on a request: a pure function of its facts, the time, the keys and a checker of signatures.

mod answer;
mod cache;
mod case;
mod decision;
mod export;
mod expression;
mod forward;
mod memory;
mod places;
mod reason;
mod registered;
mod share;
mod token;
mod trailers;
mod turns;
mod unverified;
mod verified;
mod verifier;
pub mod weight;

pub use answer::Refusal;
pub use decision::{Decision, Outcome, Patience};
pub use forward::{Forwarded, Unchangeable};
pub use memory::Memory;
pub use reason::{Fault, Reason};
pub use share::Shares;
pub use token::{Header, Token};
pub use unverified::Unverified;
pub use verified::Verified;
pub use verifier::{Judged, Keys, Remembered, Signature, Signatures};

use crate::config::{Config, EscapedSlashes};
use case::Case;
use mesh_policy::authority::Authority;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash;
use mesh_policy::headers::{HeaderName, Headers};
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::path;
use places::Places;
use std::rc::Rc;
use std::time::Duration;
use verifier::Verifier;

/// A config at work.
pub struct Policy {
    config: Config,
    needs: Needs,
    places: Places,
    own_headers: Vec<HeaderName>,
    /// What is kept out of trailers.
    kept_out: Vec<HeaderName>,
    /// A rule that decides looks at the host.
    tests_host: bool,
    verifier: Verifier,
}

impl Policy {
    /// `key`: a secret of this worker, for the hashes of remembered tokens. `memory`: where they are.
    #[must_use]
    pub fn new(config: Config, key: hash::Key, memory: &Rc<Memory>) -> Self {
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
        let kept_out = trailers::kept_out(&own_headers, &places, config.mode);
        let tests_host = config.rules.iter().any(|rule| rule.mode == Mode::Enforce && rule.tests_host());
        let verifier = Verifier::new(&config, key, memory);
        Self { config, needs, places, own_headers, kept_out, tests_host, verifier }
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

    /// Decides on a request. `now`: since 1970. `before`: what an earlier decision on it has waited for.
    pub fn decide(
        &self,
        facts: &Facts<'_>,
        now: Duration,
        patience: Patience,
        before: Option<&Rc<Unverified>>,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> Decision {
        let client = self.needs.source.then(|| self.config.client_ip.resolve(facts));
        let request = MatchInput::new(facts, client.and_then(|client| client.ip))
            .with_escaped_slashes(self.config.escaped_slashes.in_paths());
        if let Some(fault) = self.unclear_path(facts.headers.target()).or_else(|| self.unclear_host(&request))
        {
            return Decision::refused(Refusal::new(fault));
        }
        let judge = |request: &MatchInput<'_>| self.judge(request, now, patience, before, keys, signatures);
        let decision = Case::new(&self.config, request, judge).decision();
        Decision { client_ip_fallback: client.is_some_and(|client| client.fallback), ..decision }
    }

    /// Why the rules cannot judge a path: the upstream may serve another one.
    fn unclear_path(&self, target: &[u8]) -> Option<Fault> {
        if self.config.escaped_slashes == EscapedSlashes::Refuse && path::has_escaped_slash(target) {
            return Some(Fault::new(Reason::EscapedSlash, "the path holds an escaped slash"));
        }
        path::is_ambiguous(target)
            .then_some(Fault::new(Reason::AmbiguousPath, "the path can be read in several ways"))
    }

    /// Why the rules cannot judge a host: the upstream may be another one.
    fn unclear_host(&self, request: &MatchInput<'_>) -> Option<Fault> {
        let is_unclear = self.tests_host && *request.authority() == Authority::Ambiguous;
        is_unclear.then_some(Fault::new(Reason::AmbiguousHost, "the host can be read in several ways"))
    }

    fn judge(
        &self,
        request: &MatchInput<'_>,
        now: Duration,
        patience: Patience,
        before: Option<&Rc<Unverified>>,
        keys: &impl Keys,
        signatures: &impl Signatures,
    ) -> (Judged, Option<Remembered>) {
        let found = match self.places.find(request) {
            Ok(Some(found)) => found,
            Ok(None) => return (Judged::Absent, None),
            Err(fault) => return (Judged::Bad(fault), None),
        };
        let (judged, remembered) = self.verifier.judge(&self.config, &found, now, before, keys, signatures);
        let judged = match (judged, patience) {
            (Judged::NoKey(unverified), Patience::Decide) => unverified.settled(),
            (judged, _) => judged,
        };
        (judged, Some(remembered))
    }

    /// The headers in which tokens are found.
    pub fn token_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.places.headers()
    }

    /// Takes away the headers that only this filter may set: before anything is made of the request.
    ///
    /// # Errors
    /// One cannot be taken away: the request must not go on.
    pub fn strip(&self, headers: &Headers) -> Result<Vec<Edit>, Unchangeable> {
        forward::strip(headers, &self.own_headers)
    }

    /// Takes away what must not go on in trailers, whatever was decided on the request.
    ///
    /// # Errors
    /// It cannot be taken away: the trailers must not go on.
    pub fn strip_trailers(&self, trailers: &Headers) -> Result<Vec<Edit>, Unchangeable> {
        forward::strip(trailers, &self.kept_out)
    }

    /// Changes to a request that goes on, after this decision or without one.
    ///
    /// # Errors
    /// A token cannot be taken away: the request must not go on.
    pub fn forward(&self, headers: &Headers, decision: Option<&Decision>) -> Result<Forwarded, Unchangeable> {
        let mut forwarded = Forwarded::default();
        let verified = decision.and_then(|decision| decision.verified.as_ref());
        let provider = verified.and_then(|verified| self.config.providers.get(verified.provider));
        if let (Some(verified), Some(provider)) = (verified, provider) {
            forward::claims(verified, provider, &mut forwarded);
        }
        // In shadow mode the upstream may still look at the token by itself.
        if self.config.mode == Mode::Enforce {
            match provider {
                Some(provider) if provider.forward_token => {}
                Some(_) => forward::remove_token(headers, self.places.all(), &mut forwarded.edits)?,
                // A token that nobody has verified is one that the upstream might take for verified.
                None => forward::remove_token(headers, self.places.private(), &mut forwarded.edits)?,
            }
        }
        Ok(forwarded)
    }

    /// The claims that other modules may see, as a JSON object; `None` if there are none.
    #[must_use]
    pub fn export(&self, verified: &Verified) -> Option<Vec<u8>> {
        export::export(&verified.claims, &self.config.export).map(|claims| claims.to_string().into_bytes())
    }

    /// A decision in a few words, for the access log. `mode`: whether it bites.
    #[must_use]
    pub fn explain(&self, decision: &Decision, mode: Mode) -> String {
        match &decision.outcome {
            Outcome::Allowed => match decision.rule.and_then(|index| self.config.rules.get(index)) {
                Some(rule) => format!("allowed{{{}}}", rule.name),
                None => "allowed".to_owned(),
            },
            Outcome::Refused(refusal) if mode == Mode::Enforce => self.config.details(refusal),
            Outcome::Refused(refusal) => format!("shadow_denied{{{}}}", self.config.stage(refusal)),
            Outcome::NoKey(_) => "waiting".to_owned(),
        }
    }
}

#[cfg(test)]
mod gateway;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
