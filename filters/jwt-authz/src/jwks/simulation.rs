//! A proxy's workers, its shared data and a key server, for tests.
//!
//! Before every call to the shared data the simulation may let time pass, in which the other workers tick
//! and get their answers, so that records change under the first one's hands; or let a request come to
//! another worker; or let the call fail. What happens when is a list of [`Step`]s, which a property test
//! makes up. What must hold at every instant is asserted where it could break.

mod worker;

use super::record::{State, decode_set};
use super::{Missing, Source, Tracker};
use crate::config::{Location, Remote};
use crate::crypto::{Algorithm, KeySet};
use mesh_policy::hash::Key;
use mesh_policy::headers::HeaderValue;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;
use worker::Worker;

pub(super) const IDLE: Duration = Duration::from_millis(500);
pub(super) const BUSY: Duration = Duration::from_millis(10);
const NEVER: Nanos = Nanos(u64::MAX);
const NO_VERSION: u32 = u32::MAX;

/// A key set whose one key is named by `version`.
pub(super) fn text(version: u32) -> Vec<u8> {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "kid": "{version}", "x": "{x}"}}]}}"#)
        .into_bytes()
}

pub(super) fn version(set: &KeySet) -> u32 {
    set.candidates(None, Algorithm::EdDsa).next().unwrap().id().unwrap().parse().unwrap()
}

/// A key set that is asked for once an hour.
pub(super) fn remote() -> Remote {
    Remote {
        cluster: "jwks".into(),
        host: HeaderValue::text("auth.example.com"),
        location: Location::KeySet(HeaderValue::text("/keys")),
        refresh: Duration::from_secs(3600),
        timeout: Duration::from_secs(2),
        wait: Duration::from_secs(5),
    }
}

/// What happens before a call to the shared data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Nothing,
    Pass(Duration),
    Ask(usize, Wanted),
    Fail,
}

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

struct World {
    now: Nanos,
    records: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    writes: u32,
    steps: VecDeque<Step>,
    server: Server,
    fetches: Vec<Nanos>,
    /// Those of the fetches that a missing key has caused.
    extra: Vec<Nanos>,
    outcomes: HashMap<u32, Outcome>,
}

#[derive(Clone)]
pub(super) struct Simulation {
    world: Rc<RefCell<World>>,
    workers: Rc<RefCell<Vec<Rc<RefCell<Worker>>>>>,
    streams: Rc<Cell<u32>>,
}

impl Simulation {
    pub(super) fn new(workers: usize, remote: &Remote) -> Self {
        let server = Server { version: 1, is_up: true, latency: Duration::from_millis(20) };
        let simulation = Self {
            world: Rc::new(RefCell::new(World {
                now: Nanos(1_000_000_000_000),
                records: HashMap::new(),
                writes: 0,
                steps: VecDeque::new(),
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
        self.world.borrow_mut().steps = steps.into_iter().collect();
    }

    pub(super) fn server(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.world.borrow_mut().server);
    }

    /// The version that the server has.
    pub(super) fn current(&self) -> u32 {
        self.world.borrow().server.version
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
        self.world.borrow().now
    }

    /// When fetches have begun.
    pub(super) fn fetches(&self) -> Vec<Nanos> {
        self.world.borrow().fetches.clone()
    }

    pub(super) fn extra_fetches(&self) -> Vec<Nanos> {
        self.world.borrow().extra.clone()
    }

    pub(super) fn outcome(&self, stream: u32) -> Option<Outcome> {
        self.world.borrow().outcomes.get(&stream).copied()
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        self.world.borrow().outcomes.values().copied().collect()
    }

    /// The versions that the workers have.
    pub(super) fn versions(&self) -> Vec<Option<u32>> {
        self.workers.borrow().iter().map(|worker| worker.borrow().version()).collect()
    }

    pub(super) fn records(&self) -> HashMap<Vec<u8>, Vec<u8>> {
        let world = self.world.borrow();
        world.records.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect()
    }

    pub(super) fn overwrite(&self, record: &str, value: &[u8]) {
        let mut world = self.world.borrow_mut();
        for (key, (kept, _)) in &mut world.records {
            if String::from_utf8_lossy(key).contains(record) {
                *kept = value.to_vec();
            }
        }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.run_until(self.now().after(time));
    }

    /// A request comes to a worker. Answers its stream.
    pub(super) fn ask(&self, worker: usize, wanted: Wanted) -> u32 {
        let stream = self.streams.get();
        self.streams.set(stream + 1);
        let worker = self.worker(worker);
        // A worker does one thing at a time.
        if let Ok(mut worker) = worker.try_borrow_mut() {
            let current = self.world.borrow().server.version;
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
            {
                let mut world = self.world.borrow_mut();
                world.now = world.now.max(at);
            }
            worker.borrow_mut().act(event, &mut self.clone());
        }
        let mut world = self.world.borrow_mut();
        world.now = world.now.max(until);
    }

    fn disturb(&self) -> Result<(), StoreError> {
        let step = {
            let mut world = self.world.borrow_mut();
            world.now = world.now.after(Duration::from_micros(1));
            world.steps.pop_front()
        };
        match step {
            None | Some(Step::Nothing) => {}
            Some(Step::Pass(time)) => self.pass(time),
            Some(Step::Ask(worker, wanted)) => _ = self.ask(worker, wanted),
            Some(Step::Fail) => return Err(StoreError::Host),
        }
        Ok(())
    }

    /// The version that the records say is in force.
    fn recorded(&self) -> Option<u32> {
        let state = self.state()?;
        let world = self.world.borrow();
        let (_, (set, _)) = world.records.iter().find(|(key, _)| is_set(key))?;
        let (number, text) = decode_set(set)?;
        (number == state.set)
            .then(|| KeySet::read(text, crate::crypto::Origin::Remote).ok())?
            .as_ref()
            .map(version)
    }

    pub(super) fn state(&self) -> Option<State> {
        let world = self.world.borrow();
        world.records.iter().find(|(key, _)| !is_set(key)).and_then(|(_, (state, _))| State::decode(state))
    }
}

fn is_set(key: &[u8]) -> bool {
    key.starts_with(b"mesh_filters.jwt_authz/1/set/")
}

impl Store for Simulation {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.disturb()?;
        let record = self.world.borrow().records.get(key).cloned();
        // Between the record and the clock there is time, too.
        self.disturb()?;
        let (value, version) = match record {
            Some((value, cas)) => (Some(value), Version::Number(cas)),
            None => (None, Version::Absent),
        };
        Ok(Snapshot { value, version, now: self.now() })
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.disturb()?;
        let mut world = self.world.borrow_mut();
        // As the proxy: a number is compared only where there is a record.
        let number = match version {
            Version::Absent => u32::MAX,
            Version::Number(number) => number,
        };
        if world.records.get(key).is_some_and(|(_, cas)| *cas != number) {
            return Ok(Written::Conflict);
        }
        world.writes += 1;
        let cas = world.writes;
        let before = world.records.insert(key.to_vec(), (value.to_vec(), cas)).map(|(value, _)| value);
        if is_set(key) {
            check_set(before.as_deref(), value);
        } else {
            world.check_state(before.as_deref(), value);
        }
        Ok(Written::Done)
    }
}

/// The newest set is never replaced by one that was fetched before it.
fn check_set(before: Option<&[u8]>, after: &[u8]) {
    let read = |record| {
        let (number, text) = decode_set(record)?;
        Some((number, version(&KeySet::read(text, crate::crypto::Origin::Remote).ok()?), text.to_owned()))
    };
    let Some(before) = before.and_then(read) else { return };
    let after = read(after).unwrap();
    assert!(before.0 <= after.0 && before.1 <= after.1, "{before:?}, {after:?}");
    assert_eq!(before.0 == after.0, before.2 == after.2, "{before:?}, {after:?}");
}

impl World {
    fn check_state(&mut self, before: Option<&[u8]>, after: &[u8]) {
        let before = before.and_then(State::decode).unwrap_or_default();
        let after = State::decode(after).unwrap();
        assert!(before.set <= after.set && before.ended <= after.ended && before.answered <= after.answered);
        if after.started == before.started {
            // It ends, once.
            assert_ne!(before.leased_until, Nanos(0));
            assert_eq!(after.leased_until, Nanos(0));
            assert_eq!(after.owner, before.owner);
            assert!(after.failures == 0 || after.answered == before.answered);
            return;
        }
        // It begins, and nobody else's is under way.
        assert!(before.leased_until <= after.started, "{before:?}, {after:?}");
        self.fetches.push(after.started);
        if after.paid != before.paid {
            self.extra.push(after.started);
        }
    }
}
