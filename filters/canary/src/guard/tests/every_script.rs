//! Plays every script of a few looks and merges.

use super::super::record::Record;
use super::super::{Guard, Known, Settings, Thresholds};
use super::numbered::{change, numbers, outcome, read};
use mesh_policy::percent::Percentage;
use mesh_policy::time::Nanos;
use mesh_testkit::records::Records;
use mesh_testkit::search::{Bounds, Replay, Scene, State, search};
use std::collections::BTreeSet;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// More than 60 % errors of at least 2 requests trip it, for 4 s, at most twice.
const SETTINGS: Settings = Settings {
    thresholds: Thresholds {
        min_requests: 2,
        max_error_percentage: Percentage::from_parts_per_million(600_000),
        max_error_ratio: None,
        max_p95_ratio: None,
    },
    window: Duration::from_secs(20),
    hold: Duration::from_secs(4),
    max_trips: 2,
};
const NEVER: Settings =
    Settings { thresholds: Thresholds { min_requests: u32::MAX, ..SETTINGS.thresholds }, ..SETTINGS };

/// A worker, with a guard for each config.
#[derive(Clone)]
struct Worker {
    guards: Vec<Guard>,
    /// The outcomes that it has counted: the number, the config, and when the request began.
    counted: Vec<(usize, usize, Nanos)>,
    /// Number of the next outcome.
    next: usize,
}

/// A worker counts two outcomes for a config at an instant, and then looks or merges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Task {
    config: usize,
    now: u64,
    merges: bool,
}

/// A trip or a return: the record's life, and the number of the trip.
type Report = (Option<u64>, u32);

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Outcome {
    tripped: Option<Report>,
    returned: Option<Report>,
}

/// The configs with these fingerprints, in the order of loading.
struct Guards {
    settings: Settings,
    fingerprints: Vec<u64>,
    workers: usize,
}

impl Scene for Guards {
    type Worker = Worker;
    type Task = Task;
    type Outcome = Outcome;

    const REMEMBERS: bool = true;

    fn worker(&self, index: usize) -> Worker {
        let guard = |(config, fingerprint): (usize, &u64)| {
            Guard::new(self.settings, "g".to_owned(), *fingerprint, Nanos((10 * config + index) as u64))
        };
        let guards = self.fingerprints.iter().enumerate().map(guard).collect();
        Worker { guards, counted: Vec::new(), next: index * 20 }
    }

    fn tasks(&self, state: &State<Self>, _: usize) -> Vec<Task> {
        let tasks = |config| [false, true].map(|merges| Task { config, now: state.now, merges });
        (0..self.fingerprints.len()).flat_map(tasks).collect()
    }

    fn run(&self, worker: &mut Worker, task: &Task, store: &mut Replay<'_>) -> Outcome {
        let guard = &worker.guards[task.config];
        // Two of the variant: in turn both are errors, or one is.
        for number in [worker.next, worker.next + 2] {
            let outcome = outcome(number, Nanos(task.now));
            guard.count(&outcome);
            worker.counted.push((number, task.config, outcome.began));
        }
        worker.next += 4;
        if !task.merges {
            guard.known.set(Known { looked_at: None, ..guard.known.get() });
            let _state = guard.state(Nanos(task.now), store);
            return Outcome::default();
        }
        let Ok(merged) = guard.merge(&|_, _| 0, store) else { return Outcome::default() };
        let round = guard.known.get().round;
        let report = (round.life, round.trips);
        // A merge may write that the variant is back and that it is off again.
        let before = (round.life, round.trips - u32::from(merged.tripped.is_some()));
        Outcome {
            tripped: merged.tripped.is_some().then_some(report),
            returned: merged.returned.then_some(before),
        }
    }

    fn written(&self, _: &[u8], before: Option<&[u8]>, after: &[u8]) -> Result<(), String> {
        let (before, after) = (before.map(read), read(after));
        change(before.as_ref(), &after, self.settings.max_trips)?;
        numbers(&after.counts).map(drop)
    }

    fn done(&self, state: &State<Self>, _: &dyn Fn() -> Records) -> Result<(), String> {
        self.reports(state).map(drop)
    }

    fn ended(&self, state: &State<Self>, records: Records) -> Result<(), String> {
        let Some((_, record)) = records.iter().next() else { return Ok(()) };
        let record = read(record);
        let (trips, returns) = self.reports(state)?;
        let of_record = |reports: BTreeSet<Report>| {
            reports.into_iter().filter(|(life, _)| *life == Some(record.life)).map(|(_, trip)| trip)
        };
        let expected = record.state.trips;
        let seen = (of_record(trips).count() as u32, of_record(returns).count() as u32);
        if seen != (expected, expected - u32::from(record.state.trip.is_some())) {
            return Err(format!("{seen:?} trips and returns are reported: {record:?}"));
        }
        self.only_what_counts(state, &record)?;
        if self.settings == NEVER { self.lost(state, &record) } else { Ok(()) }
    }
}

impl Guards {
    /// The trips and the returns that workers have reported, each once.
    fn reports(&self, state: &State<Self>) -> Result<(BTreeSet<Report>, BTreeSet<Report>), String> {
        let (mut trips, mut returns) = (BTreeSet::new(), BTreeSet::new());
        for event in state.events.iter() {
            let Outcome { tripped, returned } = event.outcome;
            if tripped.is_some_and(|trip| !trips.insert(trip)) {
                return Err(format!("{tripped:?} is reported twice"));
            }
            if returned.is_some_and(|trip| !returns.insert(trip)) {
                return Err(format!("the return from {returned:?} is reported twice"));
            }
        }
        Ok((trips, returns))
    }

    /// What is in the record was counted for its config, of requests that began after the last return.
    fn only_what_counts(&self, state: &State<Self>, record: &Record) -> Result<(), String> {
        let merged = numbers(&record.counts)?;
        let all = (0..self.workers).flat_map(|worker| &state.memory(worker).counted);
        for (number, config, began) in all.filter(|(number, ..)| merged.contains_key(number)) {
            let is_late = record.state.restarted_at.is_some_and(|restarted_at| *began < restarted_at);
            if is_late || self.fingerprints[*config] != record.owner.fingerprint {
                return Err(format!("outcome {number} does not count: {record:?}"));
            }
        }
        Ok(())
    }

    /// What was counted is in the record or in the worker's tally.
    fn lost(&self, state: &State<Self>, record: &Record) -> Result<(), String> {
        let merged = numbers(&record.counts)?;
        for worker in (0..self.workers).map(|worker| state.memory(worker)) {
            let tally = numbers(worker.guards[0].tally.borrow().counts())?;
            let is_once = |number: &usize| merged.contains_key(number) != tally.contains_key(number);
            if let Some((number, ..)) = worker.counted.iter().find(|(number, ..)| !is_once(number)) {
                return Err(format!("outcome {number} is lost or counted twice"));
            }
        }
        Ok(())
    }
}

/// Number of tasks, workers, pauses and failing calls.
type Size = (u32, usize, u32, u32);

/// Plays every script of the `small` sizes, with pauses of this many seconds. With `LONG_SCRIPTS` in the environment the
/// sizes are the `large` ones, which takes minutes in a release build.
fn play(settings: Settings, fingerprints: &[u64], seconds: u64, small: &[Size], large: &[Size]) {
    let sizes = if std::env::var_os("LONG_SCRIPTS").is_some() { large } else { small };
    for (tasks, workers, pauses, failures) in sizes {
        let bounds = Bounds {
            workers: *workers,
            tasks: *tasks,
            pause: seconds * SECOND,
            pauses: *pauses,
            pauses_in_flight: true,
            failures: *failures,
        };
        let scene = Guards { settings, fingerprints: fingerprints.to_vec(), workers: *workers };
        let begun = std::time::Instant::now();
        let found = search(&scene, bounds, Nanos(1000 * SECOND));
        eprintln!("{bounds:?}: {} scripts, {} states, {:?}", found.scripts, found.states, begun.elapsed());
    }
}

#[test]
fn nothing_is_lost_in_any_script() {
    let large = [(4, 2, 0, 1), (5, 2, 0, 0), (4, 3, 0, 0)];
    play(NEVER, &[1], 2, &[(3, 2, 0, 1), (4, 2, 0, 0), (3, 3, 0, 0)], &large);
}

#[test]
fn each_trip_and_return_has_one_winner_in_any_script() {
    let large = [(4, 2, 1, 1), (4, 2, 2, 0), (3, 3, 1, 1)];
    play(SETTINGS, &[1], 4, &[(3, 2, 1, 1), (3, 3, 1, 0)], &large);
}

/// A, B, and A again. Pauses of ten seconds make a config silent.
#[test]
fn the_later_config_holds_in_any_script() {
    play(SETTINGS, &[1, 2], 10, &[(3, 2, 1, 0)], &[(3, 2, 1, 1), (4, 2, 1, 0)]);
    play(SETTINGS, &[1, 2, 1], 10, &[(3, 2, 0, 0)], &[(3, 2, 1, 1), (3, 2, 2, 0)]);
}
