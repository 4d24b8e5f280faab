//! The filter of a policy that neither waits nor fetches.

use super::sources::ProxySources;
use super::{Adapter, Judgement, Pending};
use crate::callbacks::Callbacks;
use crate::clock;
use crate::filter::{Build, Filter, Flow, TrailersFlow};
use crate::message::{Request, Response, Trailers};
use crate::plugin::{Background, Plugin};
use crate::random;
use crate::routed::BuildRoute;
use crate::shared_data::SharedData;
use mesh_config::Problems;
use mesh_policy::facts::Needs;
use mesh_policy::outcome::Outcome;
use mesh_policy::policy::{Decide, Environment, Setup, Together};
use mesh_policy::scope::Scope;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The filter of a policy that neither waits nor fetches.
pub struct PolicyFilter<P: Decide>(Adapter<P>);

impl<P: Decide> Build for PolicyFilter<P> {
    type Config = P::Config;

    fn read(config: &[u8]) -> Result<P::Config, Problems> {
        P::read(config)
    }

    fn build(config: P::Config, plugin: &Plugin) -> Result<Self, Problems> {
        let policy = P::build(config, &mut ProxySetup { plugin, store: SharedData })?;
        Ok(Self(Adapter::new(policy, plugin.scope())).started(plugin))
    }
}

impl<P: Decide> Filter for PolicyFilter<P> {
    const NAME: &'static str = P::NAME;

    const CALLBACKS: Callbacks = {
        let response = Callbacks::RESPONSE_HEADERS.only_if(P::EDITS_RESPONSES || P::OBSERVES);
        let observed = Callbacks::RESPONSE_TRAILERS.and(Callbacks::TICK).only_if(P::OBSERVES);
        let trailers = Callbacks::REQUEST_TRAILERS.only_if(P::EDITS_TRAILERS);
        Callbacks::REQUEST_HEADERS.and(response).and(observed).and(trailers)
    };

    type Stream = Pending;

    fn summary(&self) -> String {
        self.0.policy().summary()
    }

    #[inline(never)]
    fn on_request_headers(&self, pending: &mut Pending, request: &mut Request<'_>) -> Flow {
        self.0.on_request(pending, request, |request| {
            let policy = self.0.policy();
            let facts = request.facts(policy.needs())?;
            Ok(Judgement::Verdict(with_environment(|environment| policy.decide(&facts, environment))))
        })
    }

    fn on_request_trailers(&self, _pending: &mut Pending, trailers: &mut Trailers) -> TrailersFlow {
        if P::EDITS_TRAILERS { self.0.on_request_trailers(trailers) } else { TrailersFlow::Continue }
    }

    fn on_response_headers(&self, pending: &mut Pending, response: &mut Response<'_>) -> Flow {
        if P::OBSERVES
            && let Some(outcome) =
                pending.observed.as_mut().and_then(|observed| observed.on_response(response))
        {
            pending.observed = None;
            self.observe(&outcome, |time| response.tick_after(time));
        }
        self.0.on_response(pending, response)
    }

    fn on_response_trailers(&self, pending: &mut Pending, trailers: &mut Trailers) -> TrailersFlow {
        if P::OBSERVES
            && let Some(observed) = pending.observed.take()
        {
            self.observe(&observed.on_response_trailers(trailers), |time| trailers.tick_after(time));
        }
        TrailersFlow::Continue
    }

    fn on_stream_gone(&self, pending: &mut Pending, background: &mut Background<'_>) {
        if P::OBSERVES
            && let Some(observed) = pending.observed.take()
        {
            self.observe(&observed.on_stream_gone(), |time| background.tick_after(time));
        }
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        if !P::OBSERVES {
            return;
        }
        let report = with_environment(|environment| self.0.policy().tick(environment));
        self.0.carry_out_report(&report);
        if let Some(time) = report.tick_after {
            background.tick_after(time);
        }
    }

    fn on_config_gone(&self) {
        if P::OBSERVES {
            let mut report = with_environment(|environment| self.0.policy().tick(environment));
            // Gauges show the config that serves.
            report.gauges.clear();
            self.0.carry_out_report(&report);
        }
    }
}

impl<P: Decide> BuildRoute for PolicyFilter<P> {
    const DECIDES_TOGETHER: bool = P::DECIDES_TOGETHER;

    /// Each reports its own outcomes.
    const ROUTES_TICK: bool = P::OBSERVES;

    fn build_route(&self, config: P::Config, plugin: &Plugin) -> Result<Self, Problems> {
        let policy = self.0.policy().build_route(config, &mut ProxySetup { plugin, store: SharedData })?;
        Ok(Self(Adapter::new(policy, plugin.scope())).started(plugin))
    }

    #[inline(never)]
    fn on_request_headers_beside(
        &self,
        others: &[&Self],
        pending: &mut Pending,
        request: &mut Request<'_>,
    ) -> Flow {
        // A config under which the request passes without a decision has no say.
        let all = std::iter::once(&self).chain(others);
        let mut deciding: Vec<_> =
            all.filter(|filter| !filter.0.passes(request)).map(|filter| &filter.0).collect();
        let mut needs = Needs { headers: true, ..Needs::default() };
        deciding.iter().for_each(|adapter| needs.add_config(adapter.policy().needs()));
        if request.facts(&needs).is_err()
            && let Some(refusing) = deciding.iter().position(|adapter| adapter.refuses_unreadable())
        {
            // The first one answers.
            deciding.swap(0, refusing);
        }
        let Some((first, beside)) = deciding.split_first() else {
            return self.on_request_headers(pending, request);
        };
        let others: Vec<_> = beside.iter().map(|adapter| adapter.policy()).collect();
        first.on_request(pending, request, |request| {
            let facts = request.facts(&needs)?;
            let decide = |environment: Environment<'_, SharedData>| {
                first.policy().decide_beside(&others, &facts, environment)
            };
            let Together { verdict, counts } = with_environment(decide);
            for (other, count) in counts {
                beside.get(other).inspect(|adapter| adapter.count(&[count]));
            }
            Ok(Judgement::Verdict(verdict))
        })
    }
}

impl<P: Decide> PolicyFilter<P> {
    fn started(self, plugin: &Plugin) -> Self {
        if P::OBSERVES {
            let report = with_environment(|environment| self.0.policy().start(environment));
            self.0.carry_out_report(&report);
            if let Some(time) = report.tick_after {
                plugin.tick_after(time);
            }
        }
        self
    }

    fn observe(&self, outcome: &Outcome, tick_after: impl FnOnce(Duration)) {
        if let Some(time) = self.0.policy().observe(outcome) {
            tick_after(time);
        }
    }
}

/// Calls a policy with what the proxy provides.
fn with_environment<T>(call: impl FnOnce(Environment<'_, SharedData>) -> T) -> T {
    call(Environment { sources: &mut ProxySources, store: &mut SharedData })
}

/// The proxy while a config is read.
struct ProxySetup<'a> {
    plugin: &'a Plugin,
    store: SharedData,
}

impl Setup for ProxySetup<'_> {
    type Store = SharedData;

    fn scope(&self) -> &Scope {
        self.plugin.scope()
    }

    fn now(&self) -> Nanos {
        clock::monotonic().unwrap_or_default()
    }

    fn random_key(&mut self) -> Result<[u8; 16], Problems> {
        // With a key that everybody knows, a client could compute hashes.
        random::key().map_err(|status| {
            Problems::one(format!("the proxy gives no random numbers, and the filter needs a key: {status}"))
        })
    }

    fn store(&mut self) -> &mut SharedData {
        &mut self.store
    }
}
