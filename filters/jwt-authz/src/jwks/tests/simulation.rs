//! A proxy's workers, its shared data and a key server, for tests.
//!
//! Before every call to the shared data the simulation may let time pass, in which the other workers tick
//! and get their answers, so that records change under the first one's hands; or let a request come to
//! another worker; or let the call fail. What happens when is a list of [`Step`]s, which a property test
//! makes up. What must hold at every instant is asserted where it could break.

mod worker;

use super::super::record::State;
use super::super::{Missing, Source, Tracker};
use super::records::{is_set, law, version_in};
use crate::config::{Location, Remote};
use crate::crypto::{Algorithm, KeySet};
use mesh_policy::hash::Key;
use mesh_policy::headers::HeaderValue;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{self, Shared, World};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use worker::Worker;

pub(super) const IDLE: Duration = Duration::from_millis(500);
pub(super) const BUSY: Duration = Duration::from_millis(10);
const NEVER: Nanos = Nanos(u64::MAX);
const NO_VERSION: u32 = u32::MAX;

/// A key set whose one key is named by `version`.
pub(in crate::jwks) fn text(version: u32) -> Vec<u8> {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "kid": "{version}", "x": "{x}"}}]}}"#)
        .into_bytes()
}

pub(super) fn version(set: &KeySet) -> u32 {
    set.candidates(None, Algorithm::EdDsa).next().unwrap().id().unwrap().parse().unwrap()
}

/// A key set that is asked for once an hour.
pub(in crate::jwks) fn remote() -> Remote {
    Remote {
        cluster: "jwks".into(),
        host: HeaderValue::text("auth.example.com"),
        location: Location::KeySet(HeaderValue::text("/keys")),
        refresh: Duration::from_secs(3600),
        timeout: Duration::from_secs(2),
        wait: Duration::from_secs(5),
    }
}

/// What may happen before a call to the shared data; a request that needs a key comes to a worker.
pub(super) type Step = script::Step<(usize, Wanted)>;

/// The key that a request needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    /// The one that the server has at that moment.
    Current,
    /// One that it will never have.
    Unknown(u32),
    /// The one that the server has at that moment, for a token that does not name it.
    CurrentUnnamed,
    /// One that it will never have, for a token that does not name it: a forged one.
    Forged(u32),
}

/// What the key server does with a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) version: u32,
    pub(super) is_up: bool,
    pub(super) latency: Duration,
}

/// What has become of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) found: bool,
    pub(super) asked: Nanos,
    pub(super) ended: Nanos,
    /// From when on a fetch was allowed that could find the key, as of the first look; `None` if one was under
    /// way.
    pub(super) allowed: Option<Nanos>,
}

/// What is seen of the workers from outside, and the server that they ask.
struct Seen {
    server: Server,
    fetches: Vec<Nanos>,
    /// Those of the fetches that a missing key has caused.
    extra: Vec<Nanos>,
    outcomes: HashMap<u32, Outcome>,
}

#[derive(Clone)]
pub(super) struct Simulation {
    shared: Shared<(usize, Wanted)>,
    seen: Rc<RefCell<Seen>>,
    workers: Rc<RefCell<Vec<Rc<RefCell<Worker>>>>>,
    streams: Rc<Cell<u32>>,
}

impl Simulation {
    pub(super) fn new(workers: usize, remote: &Remote) -> Self {
        let server = Server { version: 1, is_up: true, latency: Duration::from_millis(20) };
        let simulation = Self {
            shared: Shared::new(Nanos(1_000_000_000_000)),
            seen: Rc::new(RefCell::new(Seen {
                server,
                fetches: Vec::new(),
                extra: Vec::new(),
                outcomes: HashMap::new(),
            })),
            workers: Rc::default(),
            streams: Rc::default(),
        };
        for _ in 0..workers {
            simulation.push(remote);
        }
        simulation
    }

    /// A config is pushed: one worker more, while those before go on.
    pub(super) fn push(&self, remote: &Remote) {
        let owner = self.workers.borrow().len() as u64 + 1;
        let tracker = Tracker::new(Source::new(remote.clone(), owner), Key::new([7; 16]));
        let worker = Worker::new(tracker, self.now().after(Duration::from_millis(1)));
        self.workers.borrow_mut().push(Rc::new(RefCell::new(worker)));
    }

    pub(super) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.script(steps);
    }

    pub(super) fn server(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.seen.borrow_mut().server);
    }

    /// The version that the server has.
    pub(super) fn current(&self) -> u32 {
        self.seen.borrow().server.version
    }

    /// A worker does nothing for a time.
    pub(super) fn silence(&self, worker: usize, time: Duration) {
        self.worker(worker).borrow_mut().silence(self.now().after(time));
    }

    pub(super) fn silence_for_ever(&self, worker: usize) {
        self.worker(worker).borrow_mut().silence(NEVER);
    }

    /// Those that were silent for a time go on.
    pub(super) fn rouse(&self) {
        for worker in self.workers.borrow().iter() {
            worker.borrow_mut().silence(Nanos(0));
        }
    }

    pub(super) fn now(&self) -> Nanos {
        self.shared.now()
    }

    /// When fetches have begun.
    pub(super) fn fetches(&self) -> Vec<Nanos> {
        self.seen.borrow().fetches.clone()
    }

    pub(super) fn extra_fetches(&self) -> Vec<Nanos> {
        self.seen.borrow().extra.clone()
    }

    pub(super) fn outcome(&self, stream: u32) -> Option<Outcome> {
        self.seen.borrow().outcomes.get(&stream).copied()
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        self.seen.borrow().outcomes.values().copied().collect()
    }

    /// The versions that the workers have.
    pub(super) fn versions(&self) -> Vec<Option<u32>> {
        self.workers.borrow().iter().map(|worker| worker.borrow().version()).collect()
    }

    pub(super) fn records(&self) -> HashMap<Vec<u8>, Vec<u8>> {
        self.shared.records().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(super) fn overwrite(&self, record: &str, value: &[u8]) {
        for (key, kept) in self.shared.records_mut().iter_mut() {
            if String::from_utf8_lossy(key).contains(record) {
                *kept = value.to_vec();
            }
        }
    }

    /// A request comes to a worker. Answers its stream.
    pub(super) fn ask(&self, worker: usize, wanted: Wanted) -> u32 {
        let stream = self.streams.get();
        self.streams.set(stream + 1);
        let worker = self.worker(worker);
        // A worker does one thing at a time.
        if let Ok(mut worker) = worker.try_borrow_mut() {
            let current = self.seen.borrow().server.version;
            let (version, missing) = match wanted {
                Wanted::Current => (current, Missing::Key(current.to_string())),
                Wanted::Unknown(number) => (NO_VERSION, Missing::Key(format!("unknown {number}"))),
                // No other token is the same.
                Wanted::CurrentUnnamed => (current, Missing::Signer(u128::from(stream))),
                Wanted::Forged(number) => (NO_VERSION, Missing::Signer(u128::from(number) << 32)),
            };
            worker.ask(stream, version, missing, &mut self.clone());
        }
        stream
    }

    fn worker(&self, index: usize) -> Rc<RefCell<Worker>> {
        let workers = self.workers.borrow();
        Rc::clone(&workers[index % workers.len()])
    }

    /// Lets happen what is due until then, but in the workers that are in the middle of something.
    fn run_until(&self, until: Nanos) {
        loop {
            let workers = self.workers.borrow().clone();
            let events = workers.iter().filter_map(|worker| {
                let (at, event) = worker.try_borrow_mut().ok()?.next();
                Some((at, event, worker))
            });
            let next = events.min_by_key(|(at, ..)| *at).filter(|(at, ..)| *at <= until);
            let Some((at, event, worker)) = next else { break };
            self.shared.wait_until(at);
            worker.borrow_mut().act(event, &mut self.clone());
        }
        self.shared.wait_until(until);
    }

    /// The version that the records say is in force.
    pub(super) fn recorded(&self) -> Option<u32> {
        let state = self.state()?;
        let records = self.shared.records();
        let (_, set) = records.iter().find(|(key, _)| is_set(key))?;
        version_in(set).filter(|(number, _)| *number == state.set).map(|(_, version)| version)
    }

    pub(super) fn state(&self) -> Option<State> {
        let records = self.shared.records();
        records.iter().find(|(key, _)| !is_set(key)).and_then(|(_, state)| State::decode(state))
    }
}

impl World for Simulation {
    type Action = (usize, Wanted);

    const CALL: Duration = Duration::from_micros(1);

    fn shared(&self) -> &Shared<Self::Action> {
        &self.shared
    }

    fn act(&self, (worker, wanted): (usize, Wanted)) {
        self.ask(worker, wanted);
    }

    fn pass(&self, time: Duration) {
        self.run_until(self.now().after(time));
    }

    fn written(&self, key: &[u8], before: Option<&[u8]>, after: &[u8]) {
        law(key, before, after).unwrap_or_else(|problem| panic!("{problem}"));
        if is_set(key) {
            return;
        }
        let before = before.and_then(State::decode).unwrap_or_default();
        let after = State::decode(after).unwrap();
        let mut seen = self.seen.borrow_mut();
        if after.started != before.started {
            seen.fetches.push(after.started);
            if after.paid != before.paid {
                seen.extra.push(after.started);
            }
        }
    }
}

impl Store for Simulation {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.read_record(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.write_record(key, value, version)
    }
}
