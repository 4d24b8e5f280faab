//! The decision on a request: a pure function of the request's facts, the time, the keys and the signature checks.

mod answer;
mod cache;
mod cpu_budget;
mod decision;
mod denial;
mod evaluation;
mod export;
mod expression;
mod forward;
mod host_interface;
mod memory;
mod metric;
pub mod reason;
mod registered;
mod token;
mod token_locations;
mod trailers;
mod turns;
mod unverified;
mod verified;
mod verifier;
pub mod weight;

pub use cpu_budget::CpuBudget;
pub use decision::{Decision, Outcome};
pub use denial::Denial;
pub use memory::Memory;
pub use metric::Metric;
pub use token::{Header, Token};
pub use unverified::Unverified;
pub use verified::Verified;
pub use verifier::{CacheStatus, Context, Judged, Keys, Seen, Signature, Signatures};

use crate::config::{Config, EscapedSlashes};
use mesh_policy::authority::Authority;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash;
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::path;
use mesh_policy::routes::RouteConfig as _;
use std::rc::Rc;
use token_locations::TokenLocations;
use verifier::Verifier;

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    needs: Needs,
    token_locations: TokenLocations,
    /// Headers that may hold a token.
    token_headers: Vec<HeaderName>,
    /// Headers that only this filter may set.
    own_headers: Vec<HeaderName>,
    /// Names of the trailers to remove.
    kept_out: Vec<HeaderName>,
    /// Whether an enforced rule tests the host.
    tests_host: bool,
    /// Text of the refusal of a request without a token.
    no_token: String,
    /// The labels of reasons, in the order of their counters.
    labels: Vec<&'static str>,
    /// That of the block, if this is a route's.
    verifier: Rc<Verifier>,
}

impl Policy {
    /// `key` is a secret of this worker, for the hashes of cached tokens; `memory` bounds the cache.
    #[must_use]
    pub fn new(config: Config, key: hash::Key, memory: &Rc<Memory>) -> Self {
        let verifier = Rc::new(Verifier::new(&config, key, memory));
        Self::with_verifier(config, verifier)
    }

    /// The policy of a route. It shares the verified tokens of this one, which is the block's own.
    #[must_use]
    pub fn of_route(&self, config: Config) -> Self {
        Self::with_verifier(config, Rc::clone(&self.verifier))
    }

    #[inline(never)]
    fn with_verifier(config: Config, verifier: Rc<Verifier>) -> Self {
        let needs = config.settings.complete(config.needs());
        let mut own_headers: Vec<HeaderName> = Vec::new();
        for name in config.providers.iter().flat_map(|provider| provider.own_headers()) {
            if !own_headers.contains(name) {
                own_headers.push(name.clone());
            }
        }
        let token_locations = TokenLocations::new(&config.providers);
        Self {
            needs,
            kept_out: trailers::kept_out(&own_headers, &token_locations, config.settings.mode),
            own_headers,
            token_headers: token_locations.headers().cloned().collect(),
            labels: reason::labels(),
            no_token: format!("the request has no token in {}", token_locations.describe()),
            tests_host: config.rules.iter().any(|rule| rule.mode == Mode::Enforce && rule.tests_host()),
            verifier,
            token_locations,
            config,
        }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Decides on a request without headers that only this filter may set: the adapter has removed them.
    pub fn decide(&self, context: &Context<'_, impl Keys, impl Signatures>, facts: &Facts<'_>) -> Decision {
        let client = self.config.settings.client(&self.needs, facts);
        let request =
            MatchInput::new(facts, client.ip).with_escaped_slashes(self.config.escaped_slashes.in_paths());
        let ambiguous = self.unclear_path(facts.headers.target()).or_else(|| self.unclear_host(&request));
        if let Some(denial) = ambiguous {
            return Decision::refused(denial);
        }
        let judge = |request: &MatchInput<'_>| self.judge(context, request);
        let decision = evaluation::decide(&self.config, request, judge);
        Decision { client_ip_fallback: client.fallback, ..decision }
    }

    /// The refusal of a path that the upstream may read as another one.
    fn unclear_path(&self, target: &[u8]) -> Option<Denial> {
        if self.config.escaped_slashes == EscapedSlashes::Refuse && path::has_escaped_slash(target) {
            return Some(Denial::new(reason::ESCAPED_SLASH));
        }
        path::is_ambiguous(target).then_some(Denial::new(reason::AMBIGUOUS_PATH))
    }

    /// The refusal of an authority that may be read as another host.
    fn unclear_host(&self, request: &MatchInput<'_>) -> Option<Denial> {
        let is_unclear = self.tests_host && *request.authority() == Authority::Ambiguous;
        is_unclear.then_some(Denial::new(reason::AMBIGUOUS_HOST))
    }

    fn judge(
        &self,
        context: &Context<'_, impl Keys, impl Signatures>,
        request: &MatchInput<'_>,
    ) -> (Judged, Option<CacheStatus>) {
        let found = match self.token_locations.find(request) {
            Ok(Some(found)) => found,
            Ok(None) => return (Judged::Absent, None),
            Err(denial) => return (Judged::Bad(denial), None),
        };
        let (judged, cache_status) = self.verifier.judge(context, &self.config, &found);
        let judged = match judged {
            Judged::NoKey(unverified) if !context.may_wait => Judged::without_waiting(&unverified),
            judged => judged,
        };
        (judged, Some(cache_status))
    }
}

#[cfg(test)]
mod tests;
