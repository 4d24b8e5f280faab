//! Plays every script of a few calls to one set. Each result is compared with the [`model`](super::model).

use super::super::Table;
use super::model::{Write, evicts, left};
use super::simulation::{What, request};
use super::{Content, SETTINGS, find, ids_of_a_set, store, table};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::search::{Bounds, Replay, Scene, State, search};

const START: Nanos = Nanos(1_000_000_000_000);
/// So that an entry is at the very end of its time after two pauses.
const PAUSE: u64 = 15_000_000_000;

/// First some ids are stored, one after the other; then follow any of `calls`.
struct Proxy {
    table: Table,
    ids: Vec<Vec<u8>>,
    first: usize,
    calls: &'static [(What, usize)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Task {
    what: What,
    id: usize,
    /// Distinguishes what is stored.
    number: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Outcome {
    /// The number of writes before the record was last read, and the time then.
    seen: (u32, u64),
    has_written: bool,
    answer: Option<Answer>,
}

/// What a call returns if it does not fail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Answer {
    Found(Option<Content>),
    Stored { evicted: bool, too_large: usize },
}

/// Notes what a call sees and whether it writes.
struct Watched<'a, 's> {
    store: &'a mut Replay<'s>,
    seen: (u32, u64),
    has_written: bool,
}

impl Store for Watched<'_, '_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let snapshot = self.store.read(key)?;
        let writes = match snapshot.version {
            Version::Absent => 0,
            Version::Number(number) => number,
        };
        self.seen = (writes, snapshot.now.0);
        Ok(snapshot)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let written = self.store.write(key, value, version)?;
        self.has_written |= written == Written::Done;
        Ok(written)
    }
}

impl Scene for Proxy {
    type Worker = ();
    type Task = Task;
    type Outcome = Outcome;

    const REMEMBERS: bool = false;

    fn worker(&self, _: usize) {}

    fn tasks(&self, state: &State<Self>, _: usize) -> Vec<Task> {
        let number = state.events.len() + state.running().count();
        let Some(first) = (state.events.len() < self.first).then_some(state.events.len()) else {
            return self.calls.iter().map(|(what, id)| Task { what: *what, id: *id, number }).collect();
        };
        let is_next = state.running().next().is_none();
        is_next.then_some(Task { what: What::Store, id: first, number }).into_iter().collect()
    }

    fn run(&self, (): &mut (), task: &Task, replay: &mut Replay<'_>) -> Outcome {
        let Task { what, id, number } = *task;
        let mut watched = Watched { store: replay, seen: (0, 0), has_written: false };
        let answer = match what {
            What::Find => find(&self.table, &self.ids[id], &mut watched).map(Answer::Found),
            _ => store(&self.table, &self.ids[id], &request(what, number).0, &mut watched)
                .map(|stored| Answer::Stored { evicted: stored.evicted, too_large: stored.too_large }),
        };
        Outcome { seen: watched.seen, has_written: watched.has_written, answer: answer.ok() }
    }

    /// A call that writes ends with that, so the order of the events is that of the writes.
    fn done(
        &self,
        state: &State<Self>,
        _: &dyn Fn() -> mesh_testkit::records::Records,
    ) -> Result<(), String> {
        let events = state.events.iter().filter(|event| event.outcome.has_written);
        let writes: Vec<_> = events
            .map(|event| {
                let (_, content, _) = request(event.task.what, event.task.number);
                let at = Nanos(event.outcome.seen.1);
                Write { id: event.task.id, content, at, expires: at.after(SETTINGS.ttl) }
            })
            .collect();
        let writes: Vec<_> = writes.iter().collect();
        let event = state.events.last().expect("one has ended");
        let Outcome { seen: (seen, now), has_written, answer } = &event.outcome;
        let before = left(&writes[..*seen as usize], event.task.id, Nanos(*now));
        let (_, content, too_large) = request(event.task.what, event.task.number);
        let expected = match (event.task.what, answer) {
            (What::Find, Some(_)) => Some(Answer::Found(before.cloned())),
            (_, Some(_)) => {
                let evicted = *has_written && evicts(&writes);
                Some(Answer::Stored { evicted, too_large })
            }
            (_, None) => None,
        };
        let is_written = match (event.task.what, answer) {
            (What::Find, _) | (_, None) => false,
            (_, Some(_)) => content.is_some() || before.is_some(),
        };
        if (answer, *has_written) == (&expected, is_written) {
            Ok(())
        } else {
            Err(format!("{event:?}, but expected {expected:?}, written: {is_written}"))
        }
    }
}

/// Plays every script. With `LONG_SCRIPTS` in the environment there is one more call, which takes a minute in a release build.
fn play(first: usize, calls: &'static [(What, usize)], bounds: Bounds) {
    let table = table(SETTINGS);
    let ids = ids_of_a_set(&table, 10);
    let tasks = bounds.tasks + u32::from(std::env::var_os("LONG_SCRIPTS").is_some());
    let bounds = Bounds { tasks: tasks + first as u32, ..bounds };
    let found = search(&Proxy { table, ids, first, calls }, bounds, START);
    println!("{first} entries, {bounds:?}: {found:?}");
    assert!(found.scripts > 1000, "{found:?}");
}

const BOUNDS: Bounds =
    Bounds { workers: 2, tasks: 2, pause: PAUSE, pauses: 2, pauses_in_flight: true, failures: 1 };

#[test]
fn two_ids_in_every_script() {
    let calls = &[
        (What::Find, 0),
        (What::Store, 0),
        (What::Store, 1),
        (What::StoreNothing, 0),
        (What::StoreInPart, 0),
        (What::StoreTooMuch, 0),
    ];
    play(0, calls, BOUNDS);
    play(1, calls, BOUNDS);
}

#[test]
fn three_workers_in_every_script() {
    let calls = &[(What::Find, 0), (What::Store, 0), (What::Store, 1)];
    play(0, calls, Bounds { workers: 3, tasks: 3, pauses: 0, failures: 0, ..BOUNDS });
}

#[test]
fn a_full_set_in_every_script() {
    let calls = &[(What::Find, 0), (What::Find, 1), (What::Store, 0), (What::Store, 8), (What::Store, 9)];
    play(7, calls, Bounds { tasks: 3, pauses: 0, failures: 0, ..BOUNDS });
    play(8, calls, Bounds { failures: 0, ..BOUNDS });
}
