//! The filter: holds requests, responses and bodies. The policy decides.

mod gauges;
mod response;
mod stream;
mod worker;

pub use stream::Stream;

use crate::config::{self, Config};
use crate::policy::{Metric, Policy, Untouched};
use crate::throttle::Throttle;
use mesh_config::Problems;
use mesh_host::{
    Adapter, Background, Body, BodyFlow, Build, BuildRoute, Callbacks, Filter, Flow, Judgement, Plugin,
    ProxySources, Request, Response, Status, Trailers, TrailersFlow, Wake, clock,
};
use mesh_policy::policy::Policy as _;
use mesh_policy::store::StoreError;
use std::rc::Rc;
use std::time::Duration;
use stream::Faulted;
use worker::Worker;

/// The filter with its config.
pub struct FaultFilter {
    adapter: Adapter<Policy>,
    /// That of the block, if this is a route's.
    worker: Rc<Worker>,
}

impl Build for FaultFilter {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, plugin: &Plugin) -> Result<Self, Problems> {
        let adapter = Adapter::new(Policy::new(config, plugin.name()), plugin.scope());
        let worker = Worker::new(plugin.scope(), adapter.metrics(), |time| plugin.tick_after(time))?;
        worker.count_in_flight_if(adapter.policy().counts_in_flight());
        Ok(Self { adapter, worker: Rc::new(worker) })
    }
}

impl BuildRoute for FaultFilter {
    fn build_route(&self, config: Config, plugin: &Plugin) -> Result<Self, Problems> {
        let adapter = Adapter::new(self.policy().of_route(config), plugin.scope());
        self.worker.count_in_flight_if(adapter.policy().counts_in_flight());
        Ok(Self { adapter, worker: Rc::clone(&self.worker) })
    }
}

impl Filter for FaultFilter {
    const NAME: &'static str = Policy::NAME;

    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::RESPONSE_HEADERS)
        .and(Callbacks::RESPONSE_BODY)
        .and(Callbacks::TICK);

    type Stream = Stream;

    fn summary(&self) -> String {
        self.adapter.policy().summary()
    }

    #[inline(never)]
    fn on_request_headers(&self, stream: &mut Stream, request: &mut Request<'_>) -> Flow {
        let in_flight = if self.worker.counts_in_flight() { self.begin(stream, request) } else { None };
        if self.passes_by(request) {
            return Flow::Continue;
        }
        let Stream { pending, faulted, .. } = stream;
        self.adapter.on_request(pending, request, |request| self.judge(faulted, request, in_flight))
    }

    fn on_request_wake(&self, stream: &mut Stream, request: &mut Request<'_>, _wake: Wake) -> Flow {
        let Stream { pending, faulted, .. } = stream;
        let Some(waited) = faulted else { return Flow::Continue };
        self.give_back(waited);
        waited.is_waiting = false;
        let fault = waited.fault;
        // If the attribute cannot be read, the request is marked: otherwise a filter behind this one could fault it again.
        let is_upstream = request.is_upstream().unwrap_or_default();
        let verdict = self.policy().proceed(&fault, is_upstream);
        let flow = self.adapter.finish(pending, request, verdict);
        if fault.is_aborted {
            self.adapter.record(&self.policy().label(fault.cause, fault.kinds()));
        }
        faulted.take_if(|faulted| !faulted.awaits_response());
        flow
    }

    fn on_request_trailers(&self, _stream: &mut Stream, trailers: &mut Trailers) -> TrailersFlow {
        self.adapter.on_request_trailers(trailers)
    }

    fn on_response_headers(&self, stream: &mut Stream, response: &mut Response<'_>) -> Flow {
        let until = match &mut stream.faulted {
            Some(faulted) if faulted.awaits_response() => {
                let until = self.change(&mut stream.pending, faulted, response);
                stream.faulted.take_if(|faulted| !faulted.is_in_response());
                until
            }
            Some(faulted) if faulted.is_waiting => {
                // The proxy has replied in place of the upstream, as for a timeout, and the request does not continue.
                self.give_back(faulted);
                let marker = self.policy().response_marker(faulted.fault.cause);
                stream.pending.edit_response_first(marker.into_iter().collect());
                stream.faulted = None;
                None
            }
            _ => None,
        };
        let flow = self.adapter.on_response(&mut stream.pending, response);
        until.map_or(flow, |until| Flow::Pause { until })
    }

    fn on_response_wake(&self, stream: &mut Stream, _response: &mut Response<'_>, _wake: Wake) -> Flow {
        if let Some(faulted) = &mut stream.faulted {
            self.start_body(faulted);
        }
        Flow::Continue
    }

    fn on_response_body(&self, stream: &mut Stream, body: &mut Body) -> BodyFlow {
        let Some(faulted) = &mut stream.faulted else { return BodyFlow::Continue };
        if faulted.cut(body).is_err() {
            self.count_failure();
        }
        faulted.has_ended |= body.is_end();
        let due = faulted.throttle.as_mut().map(|throttle| throttle.pass(body.size()));
        self.held_until(faulted, due).map_or(BodyFlow::Continue, |until| BodyFlow::Hold { until })
    }

    fn on_response_trailers(&self, stream: &mut Stream, _trailers: &mut Trailers) -> TrailersFlow {
        let Some(faulted) = &mut stream.faulted else { return TrailersFlow::Continue };
        faulted.has_ended = true;
        let due = faulted.throttle.as_ref().map(Throttle::due);
        self.held_until(faulted, due).map_or(TrailersFlow::Continue, |until| TrailersFlow::Hold { until })
    }

    fn on_response_released(&self, stream: &mut Stream, _background: &mut Background<'_>) {
        if let Some(faulted) = &mut stream.faulted
            && faulted.has_ended
        {
            self.give_back(faulted);
        }
    }

    fn on_stream_gone(&self, stream: &mut Stream, _background: &mut Background<'_>) {
        if let Some(faulted) = &mut stream.faulted {
            self.give_back(faulted);
        }
        if std::mem::take(&mut stream.is_counted) {
            self.worker.end();
        }
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.worker.on_tick(background);
    }
}

impl FaultFilter {
    const fn policy(&self) -> &Policy {
        self.adapter.policy()
    }

    /// Whether no rule can be for the request, as it lacks the headers that the rules ask for. Asking for one that is not there
    /// costs a quarter of the whole map.
    fn passes_by(&self, request: &mut Request<'_>) -> bool {
        let is_absent =
            |name: &str, request: &mut Request<'_>| matches!(request.first_header(name), Ok(None));
        let probes = self.policy().probes();
        probes.is_some_and(|probes| probes.iter().all(|probe| is_absent(probe.as_str(), request)))
    }

    /// Counts a request as in flight. Returns the number of others.
    fn begin(&self, stream: &mut Stream, request: &Request<'_>) -> Option<u64> {
        stream.is_counted = true;
        let others = self.worker.begin(|time| request.tick_after(time));
        if others.is_none() {
            self.count_failure();
        }
        others
    }

    fn count_failure(&self) {
        self.adapter.metrics().counter(Metric::Failed, 0).increment();
    }

    /// Decides on a request, and lets it wait if it is delayed.
    fn judge(
        &self,
        faulted: &mut Option<Box<Faulted>>,
        request: &mut Request<'_>,
        in_flight: Option<u64>,
    ) -> Result<Judgement<'_, Metric>, Status> {
        let policy = self.policy();
        let mut decision = policy.decide(&request.facts(policy.needs())?, in_flight, &mut ProxySources);
        let Some(fault) = policy.enforced(&decision) else {
            return Ok(Judgement::Verdict(policy.noted(&decision)));
        };
        let began = clock::now()?;
        if let Some(delay) = fault.delay {
            match self.take_place(|time| request.tick_after(time)) {
                Ok(true) => {
                    self.adapter.report(&policy.delayed(&decision, &fault));
                    *faulted = Some(Box::new(Faulted::waiting(fault, began)));
                    return Ok(Judgement::Pause(began.after(delay)));
                }
                Ok(false) => decision.outcome = Err(Untouched::NoPlace(fault.cause)),
                Err(_) => decision.outcome = Err(Untouched::Failed),
            }
            return Ok(Judgement::Verdict(policy.noted(&decision)));
        }
        // Without a delay, where the filter runs does not matter here.
        let mut verdict = policy.proceed(&fault, false);
        let noted = policy.noted(&decision);
        verdict.counts.extend(noted.counts);
        verdict.decision = verdict.decision.or(noted.decision);
        *faulted = Some(Box::new(Faulted::new(fault, began))).filter(|faulted| faulted.awaits_response());
        Ok(Judgement::Verdict(verdict))
    }

    /// Takes a place. Returns whether there was one.
    ///
    /// # Errors
    /// The proxy has failed.
    fn take_place(&self, tick_after: impl FnOnce(Duration)) -> Result<bool, StoreError> {
        self.worker.take(self.policy().config().max_active, tick_after)
    }

    fn give_back(&self, faulted: &mut Faulted) {
        if std::mem::take(&mut faulted.has_place) {
            self.worker.give_back();
        }
    }
}
