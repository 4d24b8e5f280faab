//! A worker, which uses its tracker like [`filter`](crate::filter) does.

use super::{BUSY, IDLE, NEVER, Outcome, Server, Simulation, text, version};
use crate::jwks::tracker::MAX_WAITING;
use crate::jwks::{Ask, Missing, Tracker};
use mesh_policy::store::StoreError;
use mesh_policy::time::Nanos;

pub(super) struct Worker {
    tracker: Tracker,
    tick_at: Nanos,
    call: Option<Call>,
    requests: Vec<Request>,
    silent_until: Nanos,
    /// The latest version that the worker had.
    newest: Option<u32>,
}

/// A fetch in progress: when the response arrives, and the version of its set; `None` if it fails.
#[derive(Clone, Copy)]
struct Call {
    answer_at: Nanos,
    answer: Option<u32>,
}

/// A request that needs a key.
struct Request {
    stream: u32,
    version: u32,
    missing: Missing,
    asked: Option<Nanos>,
    allowed: Option<Nanos>,
    until: Nanos,
}

#[derive(Clone, Copy)]
pub(super) enum Event {
    Tick,
    Answer,
    Deadline(u32),
}

impl Worker {
    pub(super) fn new(tracker: Tracker, tick_at: Nanos) -> Self {
        Self { tracker, tick_at, call: None, requests: Vec::new(), silent_until: Nanos(0), newest: None }
    }

    pub(super) fn silence(&mut self, until: Nanos) {
        self.silent_until = until;
    }

    pub(super) fn version(&self) -> Option<u32> {
        self.tracker.set().map(|set| version(set))
    }

    /// The next event, and when it happens.
    pub(super) fn next(&self) -> (Nanos, Event) {
        let call = self.call.map(|call| (call.answer_at, Event::Answer));
        let deadlines = self.requests.iter().map(|request| (request.until, Event::Deadline(request.stream)));
        let events = deadlines.chain(call).chain([(self.tick_at, Event::Tick)]);
        let (at, event) = events.min_by_key(|(at, _)| *at).unwrap();
        // Events during a silence happen after it.
        (at.max(self.silent_until), event)
    }

    pub(super) fn act(&mut self, event: Event, simulation: &mut Simulation) {
        match event {
            Event::Tick => self.tick(simulation),
            Event::Answer => self.answer(simulation),
            Event::Deadline(stream) => {
                if let Some(request) = self.leave(stream) {
                    self.end(&request, simulation);
                }
            }
        }
        self.check();
    }

    /// Handles a request that needs the key of this version.
    pub(super) fn ask(&mut self, stream: u32, version: u32, missing: Missing, simulation: &mut Simulation) {
        self.judge(
            Request { stream, version, missing, asked: None, allowed: None, until: NEVER },
            simulation,
        );
        self.check();
    }

    fn tick(&mut self, simulation: &mut Simulation) {
        let (begun, recorded) = (simulation.now(), simulation.recorded());
        // Like in the filter, another tick follows a failed one.
        let ticked = self.try_tick(simulation);
        let next = if self.tracker.has_waiting() { BUSY } else { IDLE };
        self.tick_at = simulation.now().after(next);
        if ticked.is_err() {
            return;
        }
        // The worker has the newest set, and a fetch that is due has begun.
        assert!(self.version() >= recorded, "{:?}, {recorded:?}", self.version());
        let state = simulation.state().unwrap();
        assert!(begun < state.next(false, self.tracker.source().remote().refresh), "{state:?}");
    }

    fn try_tick(&mut self, simulation: &mut Simulation) -> Result<(), StoreError> {
        let now = self.look(simulation)?;
        if self.tracker.acquire_lease(simulation, now)? {
            let Server { version, is_up, latency } = simulation.seen.borrow().server;
            let timeout = self.tracker.source().remote().timeout;
            let answer = (is_up && latency <= timeout).then_some(version);
            self.call = Some(Call { answer_at: simulation.now().after(latency.min(timeout)), answer });
        }
        Ok(())
    }

    fn answer(&mut self, simulation: &mut Simulation) {
        let Some(call) = self.call.take() else { return };
        let had = simulation.recorded();
        let ended = match call.answer {
            Some(version) => {
                self.tracker.source().succeed(simulation, &text(version), None, simulation.now().0).map(drop)
            }
            None => self.tracker.source().fail(simulation),
        };
        assert!(simulation.recorded().is_none() || simulation.recorded() >= had);
        // Like in the filter.
        if ended.is_ok() {
            let _ticks_later = self.look(simulation);
        }
    }

    fn look(&mut self, simulation: &mut Simulation) -> Result<Nanos, StoreError> {
        let polled = self.tracker.poll(simulation)?;
        for stream in polled.woken {
            let request = self.leave(stream).unwrap();
            self.judge(request, simulation);
        }
        Ok(polled.now)
    }

    /// Decides like the filter does.
    fn judge(&mut self, mut request: Request, simulation: &mut Simulation) {
        for _ in 0..2 {
            if self.version() == Some(request.version) {
                break;
            }
            let missing = if self.tracker.set().is_some() { &request.missing } else { &Missing::Set };
            match self.tracker.ask(simulation, missing, request.asked) {
                Ok(Ask::Again) => {}
                Ok(Ask::Wait(until)) => {
                    if request.asked.is_none() {
                        let source = self.tracker.source();
                        let is_fetching = source.is_fetching(simulation.now());
                        request.allowed = (!is_fetching).then(|| source.next(true));
                    }
                    let asked = *request.asked.get_or_insert(simulation.now());
                    let wait = self.tracker.source().remote().wait;
                    assert!(until <= asked.after(wait));
                    request.until = until;
                    self.tracker.wait(request.stream);
                    self.requests.push(request);
                    self.tick_at = self.tick_at.min(simulation.now().after(BUSY));
                    return;
                }
                Ok(Ask::Never) | Err(_) => break,
            }
        }
        self.end(&request, simulation);
    }

    fn end(&self, request: &Request, simulation: &Simulation) {
        let ended = simulation.now();
        let outcome = Outcome {
            found: self.version() == Some(request.version),
            asked: request.asked.unwrap_or(ended),
            ended,
            allowed: request.allowed,
        };
        simulation.seen.borrow_mut().outcomes.insert(request.stream, outcome);
    }

    /// Removes a waiting request. The tracker may have removed it already.
    fn leave(&mut self, stream: u32) -> Option<Request> {
        self.tracker.leave(stream);
        let index = self.requests.iter().position(|request| request.stream == stream)?;
        Some(self.requests.remove(index))
    }

    /// Asserts that the version never decreases, and that the tracker has exactly the waiting requests.
    fn check(&mut self) {
        assert!(self.newest <= self.version(), "{:?}, {:?}", self.newest, self.version());
        self.newest = self.version();
        let mut waiting = self.tracker.waiting().to_vec();
        let mut requests: Vec<_> = self.requests.iter().map(|request| request.stream).collect();
        waiting.sort_unstable();
        requests.sort_unstable();
        assert_eq!(waiting, requests);
        assert!(waiting.len() <= MAX_WAITING);
    }
}
