//! Laws in every script of a few ticks, responses and requests.

use super::super::record::State;
use super::super::{Missing, Source, Tracker};
use super::records::{is_set, law};
use super::simulation::{remote, text, version};
use mesh_policy::hash::Key;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::records::{Alone, Records};
use mesh_testkit::search::{self, Bounds, Replay, Scene, search};
use std::time::Duration;

/// The workers of a proxy. For each fetch the server has a newer key set.
struct Workers {
    /// The possible ends of a fetch.
    ends: &'static [End],
    /// Whether there are requests with unknown keys.
    asks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum End {
    /// The fetch succeeds.
    Answer,
    /// The fetch fails.
    Failure,
}

#[derive(Clone)]
struct Worker {
    tracker: Tracker,
    /// Whether a call is in progress.
    is_calling: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Task {
    /// The worker polls, and fetches if a fetch is due.
    Tick,
    /// The worker's call returns the set of this version.
    Answer(u32),
    /// The worker's call fails.
    Failure,
    /// A request needs a key that no set has.
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Outcome {
    /// The version of the worker's set, whether it has begun a fetch, and the time of the poll.
    Ticked { version: Option<u32>, begins: bool, now: Nanos },
    /// Whether the set was stored, and whether the worker still held the lease at the end. If another worker has taken
    /// over the lease in between, the set becomes visible with the end of that worker's fetch.
    Answered { kept: bool, ended: bool },
    /// The task succeeded.
    Noted,
    /// A call to the shared data failed.
    Failed,
}

type Play = search::State<Workers>;
type Event = search::Event<Task, Outcome>;

fn begins(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Ticked { begins: true, .. })
}

/// The version of the newest set that was stored, or with `in_force`, that is current.
fn newest(events: &[Event], in_force: bool) -> Option<u32> {
    let kept = events.iter().filter_map(|event| match (event.task, event.outcome) {
        (Task::Answer(version), Outcome::Answered { kept: true, ended }) if ended || !in_force => {
            Some(version)
        }
        _ => None,
    });
    kept.max()
}

/// A store that records whether the state was written.
struct Noting<'a, 'b> {
    store: &'a mut Replay<'b>,
    is_written: bool,
}

impl Store for Noting<'_, '_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.store.read(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let written = self.store.write(key, value, version)?;
        self.is_written |= written == Written::Done && !is_set(key);
        Ok(written)
    }
}

impl Worker {
    fn new(owner: u64) -> Self {
        let tracker = Tracker::new(Source::new(remote(), owner), Key::new([7; 16]));
        Self { tracker, is_calling: false }
    }

    fn version(&self) -> Option<u32> {
        self.tracker.set().map(|set| version(set))
    }

    fn act(&mut self, task: Task, store: &mut Replay<'_>) -> Result<Outcome, StoreError> {
        self.is_calling &= matches!(task, Task::Tick | Task::Ask);
        match task {
            Task::Tick => {
                let now = self.tracker.poll(store)?.now;
                let begins = self.tracker.acquire_lease(store, now)?;
                // A call that is still in progress when its lease expires is abandoned.
                self.is_calling |= begins;
                Ok(Outcome::Ticked { version: self.version(), begins, now })
            }
            Task::Answer(version) => {
                let mut store = Noting { store, is_written: false };
                let kept = self.tracker.source().succeed(&mut store, &text(version), None, 0)?;
                Ok(Outcome::Answered { kept, ended: store.is_written })
            }
            Task::Failure => self.tracker.source().fail(store).map(|()| Outcome::Noted),
            Task::Ask => {
                let missing = Missing::Key("unknown".to_owned());
                self.tracker.ask(store, &missing, None).map(|_| Outcome::Noted)
            }
        }
    }
}

impl Scene for Workers {
    type Worker = Worker;
    type Task = Task;
    type Outcome = Outcome;

    const REMEMBERS: bool = true;

    fn worker(&self, index: usize) -> Worker {
        Worker::new(index as u64 + 1)
    }

    fn tasks(&self, state: &Play, worker: usize) -> Vec<Task> {
        // Workers are identical, so only the first one begins.
        if worker > 0 && state.events.is_empty() && state.running().next().is_none() {
            return Vec::new();
        }
        let mut tasks = vec![Task::Tick];
        if self.asks && state.memory(worker).version().is_some() {
            tasks.push(Task::Ask);
        }
        if state.memory(worker).is_calling {
            let own = state.events.iter().rposition(|event| event.worker == worker && begins(event)).unwrap();
            let version = state.events[..=own].iter().filter(|event| begins(event)).count();
            let of = |end: &End| match end {
                End::Answer => Task::Answer(u32::try_from(version).unwrap()),
                End::Failure => Task::Failure,
            };
            tasks.extend(self.ends.iter().map(of));
        }
        tasks
    }

    fn run(&self, worker: &mut Worker, task: &Task, store: &mut Replay<'_>) -> Outcome {
        worker.act(*task, store).unwrap_or(Outcome::Failed)
    }

    fn written(&self, key: &[u8], before: Option<&[u8]>, after: &[u8]) -> Result<(), String> {
        law(key, before, after)
    }

    fn done(&self, state: &Play, records: &dyn Fn() -> Records) -> Result<(), String> {
        let Some((event, earlier)) = state.events.split_last() else { return Ok(()) };
        let Outcome::Ticked { version, now, .. } = event.outcome else { return Ok(()) };
        let expected = newest(&earlier[..event.begun_after], true);
        if version < expected {
            return Err(format!("{version:?} after a tick, {expected:?} was in force before it"));
        }
        let before = earlier.iter().filter(|earlier| earlier.worker == event.worker);
        let had = before.filter_map(|earlier| match earlier.outcome {
            Outcome::Ticked { version, .. } => version,
            _ => None,
        });
        let had = had.max();
        if version < had {
            return Err(format!("{version:?} after a tick, it had {had:?}"));
        }
        // If a fetch is due, it has begun.
        let state = the_state(&records()).unwrap();
        let is_seen_to = now < state.next(false, remote().refresh);
        if is_seen_to {
            Ok(())
        } else {
            Err(format!("a fetch is due at {now:?}, and none begins: {state:?}"))
        }
    }

    /// After any script, every worker that polls has the current set. When all leases have expired, a failed fetch makes
    /// the stored set visible to all workers, and a successful one a new set.
    fn ended(&self, state: &Play, records: Records) -> Result<(), String> {
        let mut store = Alone { records, now: Nanos(state.now) };
        let (kept, in_force) = (newest(&state.events, false), newest(&state.events, true));
        let mut workers: Vec<_> = (0..2).map(|worker| state.memory(worker).clone()).collect();
        workers.push(Worker::new(99));
        let mut all_have = |store: &mut Alone, expected: Option<u32>| {
            let look = |worker: &mut Worker| {
                worker.tracker.poll(store).unwrap();
                worker.version()
            };
            let all: Vec<_> = workers.iter_mut().map(look).collect();
            let is_there = all.iter().all(|version| *version >= expected);
            if is_there {
                Ok(())
            } else {
                Err(format!("{all:?} are loaded, at least {expected:?} is expected"))
            }
        };
        all_have(&mut store, in_force)?;
        for (owner, answer) in [(100, None), (101, Some(1000))] {
            store.now = store.now.after(remote().refresh + Duration::from_secs(10));
            let mut new = Worker::new(owner);
            let now = new.tracker.poll(&mut store).unwrap().now;
            if !new.tracker.acquire_lease(&mut store, now).unwrap() {
                return Err("no worker can fetch".to_owned());
            }
            match answer {
                Some(version) => {
                    _ = new.tracker.source().succeed(&mut store, &text(version), None, 0).unwrap()
                }
                None => new.tracker.source().fail(&mut store).unwrap(),
            }
            all_have(&mut store, answer.or(kept))?;
        }
        Ok(())
    }
}

fn the_state(records: &Records) -> Option<State> {
    records.iter().find(|(key, _)| !is_set(key)).and_then(|(_, state)| State::decode(state))
}

/// Longer than a lease, and shorter than the refresh interval.
const PAUSE: Duration = Duration::from_secs(5);

/// Plays all scripts of two workers. With `LONG_SCRIPTS` in the environment there is one more task, which takes
/// about a minute in a release build.
#[track_caller]
fn check(ends: &'static [End], asks: bool, tasks: u32, pauses: u32, failures: u32) {
    let tasks = tasks + u32::from(std::env::var_os("LONG_SCRIPTS").is_some());
    let pause = u64::try_from(PAUSE.as_nanos()).unwrap();
    let bounds = Bounds { workers: 2, tasks, pause, pauses, pauses_in_flight: true, failures };
    let begun = std::time::Instant::now();
    let found = search(&Workers { ends, asks }, bounds, Nanos(1_000_000_000_000));
    eprintln!(
        "{tasks} tasks, time passes {pauses} times, {failures} calls fail: {} scripts, {} states, {:.1} s",
        found.scripts,
        found.states,
        begun.elapsed().as_secs_f64()
    );
}

/// A worker takes over the lease of another one, whose response arrives later.
#[test]
fn a_fetch_that_is_taken_over_in_every_script() {
    check(&[End::Answer], false, 4, 1, 0);
}

#[test]
fn a_fetch_that_fails_in_every_script() {
    check(&[End::Answer, End::Failure], false, 3, 1, 0);
}

#[test]
fn a_host_that_fails_once_in_every_script() {
    check(&[End::Answer, End::Failure], false, 3, 1, 1);
}

#[test]
fn a_missing_key_in_every_script() {
    check(&[End::Answer], true, 4, 1, 0);
}
