//! The filter: holds requests, responses and bodies. The policy decides.

mod gauges;
mod stream;

pub use stream::Stream;

use crate::config;
use crate::places::{Places, RENEWAL};
use crate::policy::{Answer, Course, FaultKind, Kinds, Metric, Policy, Untouched};
use crate::throttle::Throttle;
use gauges::ProxyGauges;
use mesh_config::Problems;
use mesh_host::{
    Adapter, Background, Body, BodyFlow, Callbacks, Configure, Filter, Flow, Judgement, Pending, Plugin,
    ProxySources, Request, Response, SharedData, Status, Trailers, TrailersFlow, Wake, clock, random,
};
use mesh_policy::mode::Mode;
use mesh_policy::policy::Policy as _;
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Count, Verdict};
use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Duration;
use stream::Faulted;

/// The filter with its config.
pub struct FaultFilter {
    adapter: Adapter<Policy>,
    /// Those of the plugin in this VM, for all its configs.
    places: Rc<Places>,
    gauges: ProxyGauges,
    /// Whether a tick is under way in which this worker keeps its places.
    is_ticking: Cell<bool>,
    /// When the config was loaded.
    since: Nanos,
}

thread_local! {
    /// The places of each plugin in this VM, by the plugin's name. Holds nothing of a config.
    static PLACES: Cell<Vec<(String, Weak<Places>)>> = const { Cell::new(Vec::new()) };
}

/// After so long a new VM frees what a lost one before it has held.
const FIRST_RENEWAL: Duration = Duration::from_secs(10);

impl Configure for FaultFilter {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let config = config::parse(config)?;
        let places = places(plugin.name())?;
        let adapter = Adapter::new(Policy::new(config, plugin.name()));
        if adapter.policy().settings().mode != Mode::Off {
            plugin.tick_after(FIRST_RENEWAL);
        }
        let gauges = ProxyGauges::new(plugin.name(), adapter.metrics());
        let since = clock::now().unwrap_or_default();
        Ok(vec![Self { adapter, places, gauges, is_ticking: Cell::new(false), since }])
    }
}

/// The places of a plugin in this VM.
fn places(plugin: &str) -> Result<Rc<Places>, Problems> {
    let mut all = PLACES.take();
    all.retain(|(_, places)| places.strong_count() > 0);
    let known = all.iter().find(|(name, _)| name == plugin).and_then(|(_, places)| places.upgrade());
    let places = known.map_or_else(|| new_places(plugin), Ok);
    if let Ok(places) = &places
        && Rc::weak_count(places) == 0
    {
        all.push((plugin.to_owned(), Rc::downgrade(places)));
    }
    PLACES.set(all);
    places
}

fn new_places(plugin: &str) -> Result<Rc<Places>, Problems> {
    let owner = random::number().map_err(|status| {
        Problems::one(format!("the proxy gives no random numbers, and the filter needs them: {status}"))
    })?;
    Ok(Rc::new(Places::new(["mesh_filters.fault/places/1/", plugin].concat(), owner)))
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

    fn on_request_headers(&self, stream: &mut Stream, request: &mut Request<'_>) -> Flow {
        let in_flight = if self.policy().counts_in_flight() { self.begin(stream, request) } else { None };
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
        // If that cannot be known, the marker keeps others from adding a fault.
        waited.is_upstream = request.is_upstream().unwrap_or_default();
        let verdict = self.policy().proceed(&fault, waited.is_upstream);
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
                // The proxy has replied in place of the upstream, and the request does not continue.
                self.give_back(faulted);
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
            // Without a clock, this worker cannot be sure that it has not been taken for lost.
            let now = clock::now().unwrap_or(Nanos(u64::MAX));
            self.places.end(now, &mut SharedData, &mut &self.gauges);
        }
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        let is_busy = self.places.renew(&mut SharedData, &mut &self.gauges);
        self.is_ticking.set(is_busy);
        if is_busy {
            background.tick_after(RENEWAL);
        } else if let Ok(now) = background.now() {
            // A tick that came earlier has replaced the first one.
            let age = now.since(self.since);
            if age < FIRST_RENEWAL {
                background.tick_after(FIRST_RENEWAL.saturating_sub(age));
            }
        }
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
        self.keep_places(|time| request.tick_after(time));
        let now = clock::now().unwrap_or(Nanos(u64::MAX));
        let others = self.places.begin(now, &mut SharedData, &mut &self.gauges);
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
                Err(()) => decision.outcome = Err(Untouched::Failed),
            }
            return Ok(Judgement::Verdict(policy.noted(&decision)));
        }
        // Without a delay, where the filter runs does not matter here.
        let mut verdict = policy.proceed(&fault, false);
        let noted = policy.noted(&decision);
        verdict.counts.extend(noted.counts);
        verdict.decision = verdict.decision.or(noted.decision);
        let mut planned = Faulted::new(fault, began);
        if planned.awaits_response() {
            planned.is_upstream = request.is_upstream()?;
            *faulted = Some(Box::new(planned));
        }
        Ok(Judgement::Verdict(verdict))
    }

    /// Changes a response. Returns how long it waits.
    fn change(&self, pending: &mut Pending, faulted: &mut Faulted, response: &Response<'_>) -> Option<Nanos> {
        let fault = faulted.fault;
        faulted.is_answered = true;
        let Ok(mut course) = self.course(faulted, response) else {
            self.count_failure();
            return None;
        };
        if course.holds() {
            match self.take_place(|time| response.tick_after(time)) {
                Ok(true) => faulted.has_place = true,
                Ok(false) => {
                    self.adapter.report(&self.policy().overflow(fault.cause));
                    return None;
                }
                Err(()) => {
                    self.count_failure();
                    return None;
                }
            }
        }
        if course.kinds.is_empty() {
            return None;
        }
        let counts: Vec<Count<Metric>> =
            self.policy().counted(Metric::Faults, fault.cause, course.kinds).collect();
        self.adapter.report(&Verdict { counts, ..Verdict::default() });
        let delayed = fault.delay.map(|_| FaultKind::Delay);
        let kinds: Kinds = delayed.into_iter().chain(course.kinds.iter()).collect();
        self.adapter.record(&self.policy().label(fault.cause, kinds));
        pending.edit_response_first(std::mem::take(&mut course.edits));
        faulted.max_bytes = course.max_bytes;
        faulted.throttle = course.throttle;
        if course.until.is_none() {
            self.start_body(faulted);
        }
        course.until
    }

    fn course(&self, faulted: &Faulted, response: &Response<'_>) -> Result<Course, Status> {
        let details = response.attribute(&["response", "code_details"])?;
        let status = response.status()?.unwrap_or_default();
        let content_length = response.first_header("content-length")?;
        let marker = self.policy().config().marker.response_header.as_ref();
        let marked = marker.map(|marker| response.first_header(marker.as_str())).transpose()?.flatten();
        let answer = Answer {
            details: details.as_deref().filter(|details| !details.is_empty()),
            is_upstream: faulted.is_upstream,
            status: &status,
            content_length: content_length.as_deref(),
            is_marked: marked.is_some(),
            ends: response.end_of_stream(),
            began: faulted.began,
            now: clock::now()?,
        };
        Ok(self.policy().course(&faulted.fault, &answer))
    }

    /// The headers of a response are sent on.
    fn start_body(&self, faulted: &mut Faulted) {
        match (&mut faulted.throttle, clock::now()) {
            (Some(throttle), Ok(now)) => throttle.start(now),
            _ => {
                faulted.throttle = None;
                self.give_back(faulted);
            }
        }
    }

    /// The instant until which a part of a body waits, if that is to come. Without one, what has ended needs no place.
    fn held_until(&self, faulted: &mut Faulted, due: Option<Nanos>) -> Option<Nanos> {
        let until = due.filter(|due| clock::now().is_ok_and(|now| now < *due));
        if until.is_none() && faulted.has_ended {
            self.give_back(faulted);
        }
        until
    }

    /// Takes a place for a request.
    ///
    /// # Errors
    /// The proxy has failed.
    fn take_place(&self, tick_after: impl FnOnce(Duration)) -> Result<bool, ()> {
        self.keep_places(tick_after);
        let max = Some(self.policy().config().max_active).filter(|max| *max > 0);
        self.places.take(max, &mut SharedData, &mut &self.gauges).map_err(drop)
    }

    fn give_back(&self, faulted: &mut Faulted) {
        if std::mem::take(&mut faulted.has_place) {
            self.places.give_back(&mut SharedData, &mut &self.gauges);
        }
    }

    /// Sees to it that this worker keeps its places while it has any.
    fn keep_places(&self, tick_after: impl FnOnce(Duration)) {
        if !self.is_ticking.replace(true) {
            tick_after(RENEWAL);
        }
    }
}
