//! The filter: pauses requests that wait for keys, and fetches keys. The policy decides.

mod keyring;
mod signatures;

use crate::config::{self, Config};
use crate::jwks::Ask;
use crate::policy::{Context, Decision, Memory, Metric, Outcome, Policy, Seen, Unverified};
use keyring::Keyring;
use mesh_config::Problems;
use mesh_host::{
    Adapter, Background, Build, BuildRoute, CallResponse, Callbacks, Filter, Flow, Judgement, Pending,
    Plugin, Request, Status, Trailers, TrailersFlow, Wake, clock, random,
};
use mesh_policy::hash::Key;
use mesh_policy::mode::Mode;
use mesh_policy::policy::Policy as _;
use mesh_policy::time::Nanos;
use signatures::Checker;
use std::rc::Rc;
use std::time::Duration;

/// The filter with its config.
pub struct JwtAuthz {
    adapter: Adapter<Policy>,
    /// Those of the block, if this is a route's.
    keyring: Rc<Keyring>,
    checker: Rc<Checker>,
}

/// The state of a request that waits for a key, if it does.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Option<Wait>);

#[derive(Clone, Debug)]
struct Wait {
    stream: u32,
    since: Nanos,
    unverified: Rc<Unverified>,
}

/// Maximum memory of all cached tokens in a VM, for all its configs together.
const MAX_CACHED_BYTES: usize = 64 << 20;

thread_local! {
    /// Holds no reference to a config; a config removes its tokens when it is dropped.
    static MEMORY: Rc<Memory> = Memory::new(MAX_CACHED_BYTES);
}

/// Delay of the first fetch. It is not made in `configure`, where a call can crash Envoy.
const FIRST_TICK: Duration = Duration::from_millis(1);
/// Maximum number of decisions on a request while other workers keep fetching new key sets.
const LOOKS: u32 = 3;

impl Build for JwtAuthz {
    type Config = Config;

    fn read(config: &[u8]) -> Result<Config, Problems> {
        config::parse(config)
    }

    fn build(config: Config, plugin: &Plugin) -> Result<Self, Problems> {
        let key = random::key().map_err(|status| {
            // If the key was known, clients could create tokens that evict others from the cache.
            Problems::one(format!("the proxy gives no random numbers, and the cache needs a key: {status}"))
        })?;
        let policy = MEMORY.with(|memory| Policy::new(config, Key::new(key), memory));
        let adapter = Adapter::new(policy, plugin.scope());
        let config = adapter.policy().config();
        let keyring = Rc::new(Keyring::new(config, adapter.metrics())?);
        let checker = Rc::new(Checker::new(config, adapter.metrics()));
        Ok(Self { adapter, keyring, checker }.ticking(plugin))
    }
}

impl BuildRoute for JwtAuthz {
    const DECIDES_TOGETHER: bool = true;

    fn build_route(&self, config: Config, plugin: &Plugin) -> Result<Self, Problems> {
        let policy = self.adapter.policy().of_route(config);
        let adapter = Adapter::new(policy, plugin.scope());
        let (keyring, checker) = (Rc::clone(&self.keyring), Rc::clone(&self.checker));
        Ok(Self { adapter, keyring, checker }.ticking(plugin))
    }

    fn on_request_headers_beside(
        &self,
        others: &[&Self],
        waiting: &mut Waiting,
        request: &mut Request<'_>,
    ) -> Flow {
        self.handle(others, waiting, request, true)
    }

    fn on_request_wake_beside(
        &self,
        others: &[&Self],
        waiting: &mut Waiting,
        request: &mut Request<'_>,
        wake: Wake,
    ) -> Flow {
        self.handle(others, waiting, request, !matches!(wake, Wake::Deadline))
    }
}

impl Filter for JwtAuthz {
    const NAME: &'static str = Policy::NAME;

    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS
        .and(Callbacks::REQUEST_TRAILERS)
        .and(Callbacks::TICK)
        .and(Callbacks::HTTP_CALL);

    type Stream = Waiting;

    fn summary(&self) -> String {
        self.adapter.policy().summary()
    }

    fn on_request_headers(&self, waiting: &mut Waiting, request: &mut Request<'_>) -> Flow {
        self.handle(&[], waiting, request, true)
    }

    fn on_request_wake(&self, waiting: &mut Waiting, request: &mut Request<'_>, wake: Wake) -> Flow {
        self.handle(&[], waiting, request, !matches!(wake, Wake::Deadline))
    }

    fn on_request_trailers(&self, _waiting: &mut Waiting, trailers: &mut Trailers) -> TrailersFlow {
        self.adapter.on_request_trailers(trailers)
    }

    fn on_stream_gone(&self, waiting: &mut Waiting, _background: &mut Background<'_>) {
        self.leave(waiting);
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.keyring.on_tick(background, self.adapter.metrics());
    }

    fn on_call_response(&self, background: &mut Background<'_>, call_id: u32, response: CallResponse) {
        self.keyring.on_call_response(background, self.adapter.metrics(), call_id, &response);
    }
}

impl JwtAuthz {
    /// Asks for a first tick, if keys are to be fetched.
    fn ticking(self, plugin: &Plugin) -> Self {
        if self.keyring.has_remote() && self.adapter.policy().config().settings.mode != Mode::Off {
            plugin.tick_after(FIRST_TICK);
        }
        self
    }

    /// Decides on a request. `others`: the filters of other routes that it has to pass as well.
    #[inline(never)]
    fn handle(
        &self,
        others: &[&Self],
        waiting: &mut Waiting,
        request: &mut Request<'_>,
        may_wait: bool,
    ) -> Flow {
        let before = self.leave(waiting);
        let seen = Seen::default();
        let mut claims = None;
        for other in others {
            let judge =
                |request: &mut Request<'_>| other.judge(waiting, request, before.as_ref(), may_wait, &seen);
            match other.adapter.on_request_beside(request, judge) {
                Ok(found) => claims = claims.or(found),
                Err(flow) => return flow,
            }
        }
        // The filter does not change responses.
        let flow = self.adapter.on_request(&mut Pending::default(), request, |request| {
            self.judge(waiting, request, before.as_ref(), may_wait, &seen)
        });
        match (flow, claims) {
            // Nobody escapes what the blocks behind do by claims with a request that only may be a route's.
            (Flow::Continue, Some(claims)) => self.adapter.provide_claims(request, &claims),
            (flow, _) => flow,
        }
    }

    /// Decides on a request, or pauses it if its key is missing. `before` is what the request has waited for.
    fn judge(
        &self,
        waiting: &mut Waiting,
        request: &mut Request<'_>,
        before: Option<&Wait>,
        may_wait: bool,
        seen: &Seen,
    ) -> Result<Judgement<'_, Metric>, Status> {
        let policy = self.adapter.policy();
        let mut decision = self.decide(request, may_wait, before.map(|before| &before.unverified), seen)?;
        let asked = before.map(|before| before.since);
        let mut looks = LOOKS;
        while let Outcome::NoKey(unverified) = &decision.outcome {
            let unverified = Rc::clone(unverified);
            looks -= 1;
            decision = match self.ask(request, &unverified, asked) {
                Ask::Wait(until) if policy.config().settings.mode == Mode::Enforce => {
                    let since = asked.or_else(|| clock::monotonic().ok()).unwrap_or_default();
                    waiting.0 = Some(Wait { stream: request.id(), since, unverified });
                    request.tick_after(keyring::BUSY);
                    return Ok(Judgement::Pause(until));
                }
                Ask::Again if looks > 0 => self.decide(request, true, Some(&unverified), seen)?,
                Ask::Again | Ask::Wait(_) | Ask::Never => {
                    self.decide(request, false, Some(&unverified), seen)?
                }
            };
        }
        Ok(Judgement::Verdict(policy.verdict(request.headers()?, &decision)?))
    }

    fn decide(
        &self,
        request: &mut Request<'_>,
        may_wait: bool,
        before: Option<&Rc<Unverified>>,
        seen: &Seen,
    ) -> Result<Decision, Status> {
        let policy = self.adapter.policy();
        let now = clock::since_epoch()?;
        let context =
            Context { now, may_wait, before, keys: &*self.keyring, signatures: &*self.checker, seen };
        Ok(policy.decide(&context, &request.facts(policy.needs())?))
    }

    fn ask(&self, request: &Request<'_>, unverified: &Unverified, asked: Option<Nanos>) -> Ask {
        let waits = (self.adapter.policy().config().settings.mode == Mode::Enforce).then(|| request.id());
        let (provider, missing) = (unverified.provider(), unverified.missing());
        self.keyring.ask(provider, missing, asked, waits, self.adapter.metrics())
    }

    /// Removes the request from the waiting ones. Returns what it waited for.
    fn leave(&self, waiting: &mut Waiting) -> Option<Wait> {
        let wait = waiting.0.take()?;
        self.keyring.leave(wait.unverified.provider(), wait.stream);
        Some(wait)
    }
}
