//! Facts in, effects out: the filter in its proxy. No decision is taken here.

use crate::config;
use crate::policy::{self as rate_limit, Decision, LOOKED_AT, Outcome, Policy, Tally};
use crate::summary::summary;
use mesh_config::Problems;
use mesh_host::metrics::Counter;
use mesh_host::{
    Callbacks, Configure, Filter, Flow, Plugin, Request, Response, SharedData, Status, clock, random,
};
use mesh_policy::effects::Edit;
use mesh_policy::grpc::is_grpc;
use mesh_policy::hash::Key;
use mesh_policy::mode::Mode;
use mesh_policy::preflight::CorsPreflight;

/// The filter with its config.
pub struct RateLimit {
    policy: Policy,
    counters: Vec<[Counter; Tally::ALL.len()]>,
    client_ip_fallback: Counter,
    unreadable: Counter,
}

impl Configure for RateLimit {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let config = config::parse(config)?;
        let counter = |name: &str| Counter::define(&format!("mesh_filters.rate_limit.{name}"));
        let counters = config.limits.iter().map(|limit| {
            // As Istio cuts labels out of names, see the README.
            Tally::ALL.map(|tally| counter(&format!("limit=.={};.;{}", limit.name, tally.name())))
        });
        Ok(vec![Self {
            counters: counters.collect(),
            client_ip_fallback: counter("client_ip_fallback"),
            unreadable: counter("unreadable"),
            policy: Policy::new(
                config,
                plugin.name(),
                seed(plugin.name())?,
                clock::monotonic().unwrap_or_default(),
            ),
        }])
    }
}

/// The seed that all workers share. A host that cannot keep it cannot keep levels either, and each
/// request will find that out by itself.
fn seed(plugin: &str) -> Result<Key, Problems> {
    let fresh = random::key().map_err(|status| {
        // With a seed that everybody knows, a client could choose whom to crowd.
        Problems::one(format!("the proxy gives no random numbers, and the table needs a seed: {status}"))
    })?;
    Ok(rate_limit::seed(&mut SharedData, plugin, fresh).unwrap_or_else(|error| {
        log::warn!("the table's seed cannot be shared: {error:?}");
        Key::new(fresh)
    }))
}

impl Filter for RateLimit {
    const NAME: &'static str = "rate-limit";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS.and(Callbacks::RESPONSE_HEADERS);

    /// What to put on the response.
    type Stream = Vec<Edit>;

    fn summary(&self) -> String {
        summary(self.policy.config())
    }

    fn on_request_headers(&self, edits: &mut Vec<Edit>, request: &mut Request<'_>) -> Flow {
        if self.policy.config().mode == Mode::Off {
            return Flow::Continue;
        }
        let decision = self.is_exempt(request).and_then(|exempt| match exempt {
            true => Ok(Decision::default()),
            false => {
                let facts = request.facts(self.policy.needs())?;
                let roll = || random::number().unwrap_or(0);
                Ok(self.policy.decide(&facts, roll, &mut SharedData))
            }
        });
        let decision = decision.unwrap_or_else(|status| {
            log::warn!("a request cannot be read: {status}");
            self.unreadable.increment();
            self.policy.cannot_judge()
        });
        self.report(&decision, request);
        match decision.outcome {
            Outcome::Admitted(standing) => {
                if let Some(standing) = standing {
                    *edits = self.policy.config().response_edits(&standing);
                }
                Flow::Continue
            }
            Outcome::Refused(refusal) => {
                let grpc = request.headers().is_ok_and(is_grpc);
                Flow::Reply(self.policy.config().reply(&refusal, grpc))
            }
        }
    }

    fn on_response_headers(&self, edits: &mut Vec<Edit>, response: &mut Response<'_>) -> Flow {
        for edit in edits.drain(..) {
            if let Err(status) = response.edit(&edit) {
                log::warn!("a response header cannot be set: {status}");
            }
        }
        Flow::Continue
    }
}

impl RateLimit {
    /// A CORS preflight, which no policy may refuse if the config says so.
    fn is_exempt(&self, request: &mut Request<'_>) -> Result<bool, Status> {
        if self.policy.config().cors_preflight == CorsPreflight::Check {
            return Ok(false);
        }
        // Hardly any request has this header. If the policy needs no others, ask for this one alone: that
        // costs little if it is absent.
        if self.policy.needs().headers {
            request.headers()?;
        }
        if request.first_header("access-control-request-method")?.is_none() {
            return Ok(false);
        }
        let ends = request.end_of_stream();
        Ok(self.policy.config().cors_preflight.lets_through(request.headers()?, ends, []))
    }

    fn report(&self, decision: &Decision, request: &Request<'_>) {
        for (limit, tally) in &decision.tallies {
            if let Some(counters) = self.counters.get(*limit)
                && let Some(counter) = counters.get(*tally as usize)
            {
                counter.increment();
            }
        }
        for limit in &decision.without_claims {
            let name = self.policy.config().limits.get(*limit).map_or("", |limit| &limit.name);
            log::warn!(
                "limit `{name}`: none of its first {LOOKED_AT} requests had claims; rate-limit must stand behind \
                 jwt-authz, and jwt-authz must `export` the claim"
            );
        }
        if decision.client_ip_fallback {
            self.client_ip_fallback.increment();
        }
        if let Some(word) = self.policy.explain(decision) {
            // For the access log; without it the request is treated no differently.
            let _unlogged = request.set_filter_state("rate_limit_decision", word.as_bytes());
        }
    }
}
