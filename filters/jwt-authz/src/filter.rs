//! Facts in, effects out: the filter in its proxy. No decision is taken here.

mod counters;
mod keyring;
mod signatures;

use crate::config;
use crate::jwks::Ask;
use crate::policy::{Decision, Memory, Outcome, Patience, Policy, Refusal, Unchangeable, Unverified};
use crate::summary::summary;
use counters::Counters;
use keyring::Keyring;
use mesh_config::Problems;
use mesh_host::{
    Background, CallResponse, Callbacks, Configure, Filter, Flow, Plugin, Request, Status, Trailers,
    TrailersFlow, Wake, clock, random,
};
use mesh_policy::grpc::is_grpc;
use mesh_policy::hash::Key;
use mesh_policy::mode::Mode;
use mesh_policy::time::Nanos;
use signatures::Checker;
use std::rc::Rc;
use std::time::Duration;

/// The filter with its config.
pub struct JwtAuthz {
    policy: Policy,
    keyring: Keyring,
    checker: Checker,
    counters: Counters,
}

/// What the filter remembers of a request that waits for keys.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Option<Wait>);

#[derive(Clone, Debug)]
struct Wait {
    stream: u32,
    since: Nanos,
    unverified: Rc<Unverified>,
}

/// Most bytes that remembered tokens take in a VM, those of all of its configs together.
const MAX_REMEMBERED: usize = 64 << 20;

thread_local! {
    /// It holds no config: each gives back what it has when it goes.
    static MEMORY: Rc<Memory> = Memory::new(MAX_REMEMBERED);
}

/// The first look for keys: not in `configure`, from where no call may be made.
const SOON: Duration = Duration::from_millis(1);
/// How often a request looks for its key, where another worker has just fetched other ones.
const LOOKS: u32 = 3;

impl Configure for JwtAuthz {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let config = config::parse(config)?;
        let key = random::key().map_err(|status| {
            // With a key that everybody knows, a client could make tokens that crowd others out.
            Problems::one(format!("the proxy gives no random numbers, and the cache needs a key: {status}"))
        })?;
        let counters = Counters::new(&config);
        let keyring = Keyring::new(&config, &counters)?;
        if keyring.has_remote() && config.mode != Mode::Off {
            plugin.tick_after(SOON);
        }
        Ok(vec![Self {
            checker: Checker::new(&config),
            keyring,
            counters,
            policy: MEMORY.with(|memory| Policy::new(config, Key::new(key), memory)),
        }])
    }
}

impl Filter for JwtAuthz {
    const NAME: &'static str = "jwt-authz";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::TICK)
        .and(Callbacks::HTTP_CALL);

    type Stream = Waiting;

    fn summary(&self) -> String {
        summary(self.policy.config())
    }

    fn on_request_headers(&self, waiting: &mut Waiting, request: &mut Request<'_>) -> Flow {
        self.handle(waiting, request, false)
    }

    fn on_request_wake(&self, waiting: &mut Waiting, request: &mut Request<'_>, wake: Wake) -> Flow {
        self.handle(waiting, request, matches!(wake, Wake::Deadline))
    }

    fn on_request_trailers(&self, _waiting: &mut Waiting, trailers: &mut Trailers) -> TrailersFlow {
        match self.strip_trailers(trailers) {
            Ok(()) => TrailersFlow::Continue,
            Err(status) => {
                log::debug!("trailers cannot be read or changed: {status}");
                self.counters.unreadable.increment();
                TrailersFlow::Reply(self.policy.config().reply(&Refusal::ERROR, false))
            }
        }
    }

    fn on_stream_gone(&self, waiting: &mut Waiting) {
        self.leave(waiting);
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.keyring.on_tick(background, &self.counters);
    }

    fn on_answer(&self, background: &mut Background<'_>, call_id: u32, response: CallResponse) {
        self.keyring.on_answer(background, &self.counters, call_id, &response);
    }
}

impl JwtAuthz {
    fn handle(&self, waiting: &mut Waiting, request: &mut Request<'_>, is_last: bool) -> Flow {
        let before = self.leave(waiting);
        let flow = self.try_handle(waiting, request, before.as_ref(), is_last);
        flow.unwrap_or_else(|status| {
            // As often as a client likes, so not louder; the counter tells.
            log::debug!("a request cannot be read or changed: {status}");
            self.counters.unreadable.increment();
            // Also in shadow mode: headers that only this filter may set could be the client's.
            self.report(request, &Decision::refused(Refusal::ERROR), Mode::Enforce);
            Flow::Reply(self.policy.config().reply(&Refusal::ERROR, false))
        })
    }

    fn try_handle(
        &self,
        waiting: &mut Waiting,
        request: &mut Request<'_>,
        before: Option<&Wait>,
        is_last: bool,
    ) -> Result<Flow, Status> {
        let config = self.policy.config();
        // On each way through the filter, and before a rule reads what a client says of itself.
        for edit in self.policy.strip(request.headers()?).map_err(|Unchangeable| Status::BadArgument)? {
            request.edit(&edit)?;
        }
        if config.mode == Mode::Off || self.is_exempt(request)? {
            return self.forward(request, None);
        }
        let patience = if is_last { Patience::Decide } else { Patience::Wait };
        let mut decision = self.decide(request, patience, before.map(|before| &before.unverified))?;
        let asked = before.map(|before| before.since);
        let mut looks = LOOKS;
        while let Outcome::NoKey(unverified) = &decision.outcome {
            let unverified = Rc::clone(unverified);
            looks -= 1;
            decision = match self.ask(request, &unverified, asked) {
                Ask::Wait(until) if config.mode == Mode::Enforce => {
                    let since = asked.or_else(|| clock::monotonic().ok()).unwrap_or_default();
                    waiting.0 = Some(Wait { stream: request.id(), since, unverified });
                    request.tick_after(keyring::BUSY);
                    return Ok(Flow::Pause { until });
                }
                Ask::Again if looks > 0 => self.decide(request, Patience::Wait, Some(&unverified))?,
                Ask::Again | Ask::Wait(_) | Ask::Never => {
                    self.decide(request, Patience::Decide, Some(&unverified))?
                }
            };
        }
        self.carry_out(request, &decision)
    }

    /// A CORS preflight, which goes on unjudged if the config says so.
    fn is_exempt(&self, request: &mut Request<'_>) -> Result<bool, Status> {
        let end_of_stream = request.end_of_stream();
        let cors_preflight = self.policy.config().cors_preflight;
        Ok(cors_preflight.lets_through(request.headers()?, end_of_stream, self.policy.token_headers()))
    }

    fn decide(
        &self,
        request: &mut Request<'_>,
        patience: Patience,
        before: Option<&Rc<Unverified>>,
    ) -> Result<Decision, Status> {
        let now = clock::since_epoch()?;
        let facts = request.facts(self.policy.needs())?;
        Ok(self.policy.decide(&facts, now, patience, before, &self.keyring, &self.checker))
    }

    fn ask(&self, request: &Request<'_>, unverified: &Unverified, asked: Option<Nanos>) -> Ask {
        let waits = (self.policy.config().mode == Mode::Enforce).then(|| request.id());
        self.keyring.ask(unverified.provider(), unverified.missing(), asked, waits, &self.counters)
    }

    fn carry_out(&self, request: &mut Request<'_>, decision: &Decision) -> Result<Flow, Status> {
        let config = self.policy.config();
        if let Outcome::Refused(refusal) = &decision.outcome
            && config.mode == Mode::Enforce
        {
            self.report(request, decision, config.mode);
            return Ok(Flow::Reply(config.reply(refusal, is_grpc(request.headers()?))));
        }
        let flow = self.forward(request, Some(decision))?;
        self.report(request, decision, config.mode);
        Ok(flow)
    }

    fn report(&self, request: &Request<'_>, decision: &Decision, mode: Mode) {
        self.counters.count(decision, mode);
        // For the access log; without it the request is treated no differently.
        let _unlogged =
            request.set_filter_state("jwt_authz_decision", self.policy.explain(decision, mode).as_bytes());
    }

    /// Changes a request and lets it go on. A change that cannot be made stops it.
    fn forward(&self, request: &mut Request<'_>, decision: Option<&Decision>) -> Result<Flow, Status> {
        let forwarded =
            self.policy.forward(request.headers()?, decision).map_err(|Unchangeable| Status::BadArgument)?;
        for edit in &forwarded.edits {
            request.edit(edit)?;
        }
        for _ in 0..forwarded.left_out {
            self.counters.claims_left_out.increment();
        }
        if let Some(verified) = decision.and_then(|decision| decision.verified.as_ref()) {
            if let Some(claims) = self.policy.export(verified) {
                request.set_filter_state("jwt_claims", &claims)?;
            }
            request.set_claims(verified.claims());
        }
        Ok(Flow::Continue)
    }

    fn strip_trailers(&self, trailers: &mut Trailers) -> Result<(), Status> {
        let edits = self.policy.strip_trailers(trailers.headers()?);
        for edit in edits.map_err(|Unchangeable| Status::BadArgument)? {
            trailers.edit(&edit)?;
        }
        Ok(())
    }

    /// Takes the request from among those that wait. Answers since when it has waited, and for what.
    fn leave(&self, waiting: &mut Waiting) -> Option<Wait> {
        let wait = waiting.0.take()?;
        self.keyring.leave(wait.unverified.provider(), wait.stream);
        Some(wait)
    }
}
