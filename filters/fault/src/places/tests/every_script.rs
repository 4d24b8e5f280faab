//! Plays every script of a few calls.

use super::super::record::Record;
use super::super::{Gauge, Gauges, LEASE, Places};
use super::simulation::{RECORD, What};
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::records::{Alone, Records};
use mesh_testkit::search::{Bounds, Replay, Scene, State, search};
use std::cell::RefCell;

const SECOND: u64 = 1_000_000_000;
const START: Nanos = Nanos(1000 * SECOND);

/// The gauges, as records of the store. To add is to read and to compare and swap until that succeeds.
struct InStore<'a, 's, S>(&'a RefCell<&'s mut S>);

impl<S: Store> InStore<'_, '_, S> {
    fn read(&mut self, gauge: Gauge) -> Result<(i64, Version), StoreError> {
        let snapshot = self.0.borrow_mut().read(format!("{gauge:?}").as_bytes())?;
        Ok((snapshot.value.map_or(0, |value| number(&value)), snapshot.version))
    }

    fn try_add(&mut self, gauge: Gauge, difference: i64) -> Result<Written, StoreError> {
        let (value, version) = self.read(gauge)?;
        let value = (value + difference).to_le_bytes();
        self.0.borrow_mut().write(format!("{gauge:?}").as_bytes(), &value, version)
    }
}

impl<S: Store> Gauges for InStore<'_, '_, S> {
    fn add(&mut self, gauge: Gauge, difference: i64) {
        // At most one call fails in a script. The replay fails twice, where it stops.
        let mut failures = 0;
        while failures < 2 {
            match self.try_add(gauge, difference) {
                Ok(Written::Done) => break,
                Ok(Written::Conflict) => {}
                Err(_) => failures += 1,
            }
        }
    }

    fn get(&mut self, gauge: Gauge) -> Option<u64> {
        self.read(gauge).ok().map(|(value, _)| value as u64)
    }
}

fn number(value: &[u8]) -> i64 {
    i64::from_le_bytes(value.try_into().expect("a gauge"))
}

/// The store of a call, which notes what the last record shows.
struct Watched<'a, 's, S> {
    store: &'a RefCell<&'s mut S>,
    owner: u64,
    held: u32,
    max: u32,
    /// Whether all places were taken.
    was_full: bool,
    /// Whether the VM had no entry.
    is_absent: bool,
}

impl<S: Store> Store for Watched<'_, '_, S> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let snapshot = self.store.borrow_mut().read(key)?;
        let record = Record::read(snapshot.value.as_deref(), snapshot.now);
        let others = record.entries().iter().filter(|entry| entry.owner != self.owner);
        let others = others.filter(|entry| snapshot.now.since(entry.renewed) < LEASE).map(|entry| entry.held);
        self.was_full = others.sum::<u32>() + self.held >= self.max;
        self.is_absent |= record.of(self.owner).is_none();
        Ok(snapshot)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.store.borrow_mut().write(key, value, version)
    }
}

/// The VM of a worker, and what it holds in truth.
#[derive(Clone)]
struct Vm {
    places: Places,
    held: u32,
    in_flight: u32,
    /// Whether it has lost its entry while it held places, and still holds them.
    was_slow: bool,
}

impl Vm {
    fn new(owner: u64) -> Self {
        Self { places: Places::new(RECORD.to_owned(), owner), held: 0, in_flight: 0, was_slow: false }
    }

    /// Returns whether it gets a place; whether this is wrong.
    fn run(&mut self, task: Task, max: u32, store: &mut impl Store) -> (Option<bool>, bool) {
        let store = &RefCell::new(store);
        let owner = self.places.owner;
        let (now, gauges) = (Nanos(task.now), &mut InStore(store));
        if task.what == What::GiveBack {
            self.held -= 1;
        }
        let had_entry = self.places.local.get().entry.is_some();
        let held = self.held;
        let store = &mut Watched { store, owner, held, max, was_full: false, is_absent: false };
        let mut taken = None;
        match task.what {
            What::Take => taken = self.places.take(Some(max), store, gauges).ok(),
            What::GiveBack => self.places.give_back(store, gauges),
            What::Begin => {
                self.in_flight += 1;
                self.places.begin(now, store, gauges);
            }
            What::End => {
                self.in_flight -= 1;
                if !had_entry {
                    // The search needs a call.
                    let _read = store.store.borrow_mut().read(b"");
                }
                self.places.end(now, store, gauges);
            }
            What::Renew => drop(self.places.renew(store, gauges)),
            What::Lose => {
                let _read = store.store.borrow_mut().read(b"");
                *self = Self::new(owner + 10);
            }
        }
        self.was_slow = held > 0 && (self.was_slow || (had_entry && store.is_absent));
        self.held += u32::from(taken == Some(true));
        (taken, taken == Some(false) && !store.was_full)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Task {
    what: What,
    now: u64,
}

/// Workers first do some calls one after the other, and then any of `whats`; where there are first ones, after a pause.
struct Proxy {
    first: &'static [(usize, What)],
    whats: &'static [What],
    workers: usize,
    max: u32,
}

impl Scene for Proxy {
    type Worker = Vm;
    type Task = Task;
    type Outcome = (Option<bool>, bool);

    const REMEMBERS: bool = true;

    fn worker(&self, index: usize) -> Vm {
        Vm::new(index as u64)
    }

    fn tasks(&self, state: &State<Self>, worker: usize) -> Vec<Task> {
        let Vm { held, in_flight, .. } = state.memory(worker);
        let task = |what| Task { what, now: state.now };
        if let Some((first, what)) = self.first.get(state.events.len()) {
            let is_next = *first == worker && state.running().next().is_none();
            return if is_next { vec![task(*what)] } else { Vec::new() };
        }
        if !self.first.is_empty() && state.now == START.0 {
            return Vec::new();
        }
        let whats = self.whats.iter().filter(|what| match what {
            What::GiveBack => *held > 0,
            What::End => *in_flight > 0,
            _ => true,
        });
        whats.copied().map(task).collect()
    }

    fn run(&self, vm: &mut Vm, task: &Task, store: &mut Replay<'_>) -> Self::Outcome {
        vm.run(*task, self.max, store)
    }

    fn written(&self, key: &[u8], _: Option<&[u8]>, after: &[u8]) -> Result<(), String> {
        let is_negative = key != RECORD.as_bytes() && number(after) < 0;
        if is_negative { Err(format!("{} is negative", String::from_utf8_lossy(key))) } else { Ok(()) }
    }

    fn done(&self, state: &State<Self>, records: &dyn Fn() -> Records) -> Result<(), String> {
        let (taken, is_wrong) = state.events.last().expect("a task has ended").outcome;
        if is_wrong {
            return Err("a place is free".to_owned());
        }
        if taken == Some(true) {
            let record = read(&records(), state.now);
            let is_known = |vm: &&Vm| {
                let entry = record.of(vm.places.owner);
                !vm.was_slow && entry.is_some_and(|entry| Nanos(state.now).since(entry.renewed) < LEASE)
            };
            let vms = (0..self.workers).map(|worker| state.memory(worker));
            let held = vms.filter(is_known).map(|vm| vm.held).sum::<u32>();
            // The memory is from before these calls.
            let returning = state.running().filter(|task| task.what == What::GiveBack).count();
            if held > self.max + returning as u32 {
                return Err(format!("{held} places are taken"));
            }
        }
        Ok(())
    }

    fn ended(&self, state: &State<Self>, records: Records) -> Result<(), String> {
        let mut vms = (0..self.workers).map(|worker| state.memory(worker).clone()).collect::<Vec<_>>();
        let mut store = Alone { records, now: Nanos(state.now) };
        let run = |vm: &mut Vm, what, store: &mut Alone| {
            let now = store.now.0;
            vm.run(Task { what, now }, self.max, store);
        };
        // Lost VMs are noticed.
        for _ in 0..3 {
            vms.iter_mut().for_each(|vm| run(vm, What::Renew, &mut store));
            store.now = store.now.after(LEASE / 2);
        }
        let held = vms.iter().map(|vm| i64::from(vm.held)).sum();
        let in_flight = vms.iter().map(|vm| i64::from(vm.in_flight)).sum();
        check(&store.records, held, in_flight)?;
        // Everything ends.
        for vm in &mut vms {
            (0..vm.held).for_each(|_| run(vm, What::GiveBack, &mut store));
            (0..vm.in_flight).for_each(|_| run(vm, What::End, &mut store));
            run(vm, What::Renew, &mut store);
            run(vm, What::Renew, &mut store);
        }
        check(&store.records, 0, 0)?;
        let entries = read(&store.records, store.now.0);
        if entries == Record::default() { Ok(()) } else { Err(format!("{entries:?} remain")) }
    }
}

fn read(records: &Records, now: u64) -> Record {
    Record::read(records.get(RECORD.as_bytes()).map(|(value, _)| value.as_slice()), Nanos(now))
}

/// Checks the gauges.
fn check(records: &Records, held: i64, in_flight: i64) -> Result<(), String> {
    let gauges = records.iter().filter(|(key, _)| *key != RECORD.as_bytes());
    let gauges = gauges.map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), number(value)));
    let (all, slots): (Vec<_>, Vec<_>) = gauges.partition(|(name, _)| !name.starts_with("InFlightOf"));
    let is_right = |(name, value): &(String, i64)| *value == if name == "Active" { held } else { in_flight };
    let sum = slots.iter().map(|(_, value)| value).sum::<i64>();
    if all.iter().all(is_right) && sum == in_flight {
        Ok(())
    } else {
        Err(format!("{held} places and {in_flight} requests are {all:?} {slots:?}"))
    }
}

/// Number of tasks after the first ones, workers, pauses and failing calls.
type Size = (u32, usize, u32, u32);

/// Plays every script of the `small` sizes, with pauses of this many seconds, which are within calls if `in_flight`. With
/// `LONG_SCRIPTS` in the environment the sizes are the `large` ones, which takes minutes in a release build.
fn play(
    first: &'static [(usize, What)],
    whats: &'static [What],
    (seconds, in_flight): (u64, bool),
    small: &[Size],
    large: &[Size],
) {
    let sizes = if std::env::var_os("LONG_SCRIPTS").is_some() { large } else { small };
    for (tasks, workers, pauses, failures) in sizes {
        let bounds = Bounds {
            workers: *workers,
            tasks: first.len() as u32 + tasks,
            pause: seconds * SECOND,
            pauses: *pauses,
            pauses_in_flight: in_flight,
            failures: *failures,
        };
        let scene = Proxy { first, whats, workers: *workers, max: 1 };
        let begun = std::time::Instant::now();
        let found = search(&scene, bounds, START);
        eprintln!("{bounds:?}: {} scripts, {} states, {:?}", found.scripts, found.states, begun.elapsed());
    }
}

const OF_PLACES: &[What] = &[What::Take, What::GiveBack, What::Renew];
const OF_REQUESTS: &[What] = &[What::Begin, What::End, What::Renew];

/// Calls that fail, and pauses within calls as long as a lease.
#[test]
fn places_are_exact_in_any_script() {
    play(&[], OF_PLACES, (8, true), &[(3, 2, 0, 1), (2, 2, 1, 1)], &[(3, 2, 1, 0), (2, 3, 1, 1)]);
}

#[test]
fn places_of_slow_vms_return_in_any_script() {
    let small = [(2, 2, 1, 1), (3, 2, 1, 0)];
    play(&[(0, What::Take)], OF_PLACES, (8, false), &small, &[(3, 2, 2, 1), (3, 3, 1, 0)]);
}

#[test]
fn places_of_lost_vms_return_in_any_script() {
    let first = &[(0, What::Take), (0, What::Lose)];
    let small = [(2, 2, 1, 1), (2, 3, 1, 0)];
    play(first, OF_PLACES, (8, false), &small, &[(3, 2, 1, 1), (2, 3, 1, 1)]);
}

#[test]
fn requests_are_exact_in_any_script() {
    play(&[], OF_REQUESTS, (8, false), &[(3, 2, 0, 0)], &[(3, 2, 0, 1)]);
}

/// Pauses within calls after which an entry must be renewed.
#[test]
fn requests_are_exact_where_calls_take_long_in_any_script() {
    let first = &[(0, What::Begin)];
    play(first, OF_REQUESTS, (4, true), &[(2, 2, 1, 0)], &[(2, 2, 1, 1), (2, 2, 2, 0)]);
}

#[test]
fn requests_of_slow_vms_are_exact_in_any_script() {
    let first = &[(0, What::Begin)];
    play(first, OF_REQUESTS, (8, false), &[(2, 2, 1, 0)], &[(2, 2, 1, 1), (2, 3, 1, 0)]);
}

#[test]
fn requests_of_lost_vms_end_in_any_script() {
    let first = &[(0, What::Begin), (0, What::Lose)];
    play(first, OF_REQUESTS, (8, false), &[(2, 2, 1, 0)], &[(2, 2, 1, 1), (2, 3, 1, 0)]);
}
