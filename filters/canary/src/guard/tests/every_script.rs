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

/// A worker does something for a config at an instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Task {
    config: usize,
    now: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum What {
    /// Counts two outcomes and looks.
    Look,
    /// Counts two outcomes and merges.
    Merge,
    /// Merges without an outcome.
    Tick,
}

/// A trip or a return: the config's fingerprint, the record's life, and the number of the trip.
type Report = (u64, Option<u64>, u32);

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Outcome {
    tripped: Option<Report>,
    returned: Option<Report>,
}

const IN_USE: [What; 2] = [What::Look, What::Merge];

/// The configs with these fingerprints, in the order of loading.
struct Guards {
    settings: Settings,
    fingerprints: Vec<u64>,
    workers: usize,
    whats: &'static [What],
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
        let tasks = |config| self.whats.iter().map(move |what| Task { config, now: state.now, what: *what });
        (0..self.fingerprints.len()).flat_map(tasks).collect()
    }

    fn run(&self, worker: &mut Worker, task: &Task, store: &mut Replay<'_>) -> Outcome {
        let guard = &worker.guards[task.config];
        if task.what != What::Tick {
            // Two of the variant: in turn both are errors, or one is.
            for number in [worker.next, worker.next + 2] {
                let outcome = outcome(number, Nanos(task.now));
                guard.count(&outcome);
                worker.counted.push((number, task.config, outcome.began));
            }
            worker.next += 4;
        }
        if task.what == What::Look {
            guard.known.set(Known { looked_at: None, ..guard.known.get() });
            let _state = guard.state(Nanos(task.now), store);
            return Outcome::default();
        }
        let Ok(merged) = guard.merge(&|_, _| Some(0), store) else { return Outcome::default() };
        let round = guard.known.get().round;
        let report = |trips| (self.fingerprints[task.config], round.life, trips);
        // A merge may write that the variant is back and that it is off again.
        let before = report(round.trips.saturating_sub(merged.tripped.is_some().into()));
        let report = report(round.trips);
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
        // A push of earlier values starts anew; other configs keep their state while another owns the record.
        let is_unique =
            |fingerprint: &u64| self.fingerprints.iter().filter(|one| *one == fingerprint).count() == 1;
        let own = Some((record.owner, record.state));
        let others = record.other.map(|other| (other.config, other.state));
        for (config, state) in
            own.into_iter().chain(others.filter(|(other, _)| is_unique(&other.fingerprint)))
        {
            // A config that gets the record back begins another life with the trips of an earlier one.
            let numbers = |reports: &BTreeSet<Report>| -> [Vec<u32>; 2] {
                let is_this =
                    |life: &Option<u64>| is_unique(&config.fingerprint) || *life == Some(record.life);
                let of = reports.iter().filter(|(fingerprint, ..)| *fingerprint == config.fingerprint);
                let (this, earlier): (Vec<_>, Vec<_>) = of.partition(|(_, life, _)| is_this(life));
                [this, earlier].map(|reports: Vec<&Report>| reports.iter().map(|(.., trip)| *trip).collect())
            };
            let tripped = u32::from(state.trip.is_some());
            for (reports, last) in [(&trips, state.trips), (&returns, state.trips - tripped)] {
                let [this, earlier] = numbers(reports);
                let first = last + 1 - this.len() as u32;
                let is_whole = this == (first..=last).collect::<Vec<_>>()
                    && (1..first).all(|number| earlier.contains(&number));
                if !is_whole {
                    return Err(format!("{this:?} of 1 to {last} are reported: {record:?}"));
                }
            }
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
fn play(
    settings: Settings,
    fingerprints: &[u64],
    whats: &'static [What],
    seconds: u64,
    small: &[Size],
    large: &[Size],
) {
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
        let scene = Guards { settings, fingerprints: fingerprints.to_vec(), workers: *workers, whats };
        let begun = std::time::Instant::now();
        let found = search(&scene, bounds, Nanos(1000 * SECOND));
        eprintln!("{bounds:?}: {} scripts, {} states, {:?}", found.scripts, found.states, begun.elapsed());
    }
}

#[test]
fn nothing_is_lost_in_any_script() {
    let large = [(4, 2, 0, 1), (5, 2, 0, 0), (4, 3, 0, 0)];
    play(NEVER, &[1], &IN_USE, 2, &[(3, 2, 0, 1), (4, 2, 0, 0), (3, 3, 0, 0)], &large);
}

#[test]
fn each_trip_and_return_has_one_winner_in_any_script() {
    let large = [(4, 2, 1, 1), (4, 2, 2, 0), (3, 3, 1, 1)];
    play(SETTINGS, &[1], &IN_USE, 4, &[(3, 2, 1, 1), (3, 3, 1, 0)], &large);
}

/// A, B, and A again. Pauses of ten seconds make a config silent.
#[test]
fn the_later_config_holds_in_any_script() {
    play(SETTINGS, &[1, 2], &IN_USE, 10, &[(3, 2, 1, 0)], &[(3, 2, 1, 1), (4, 2, 1, 0)]);
    play(SETTINGS, &[1, 2, 1], &IN_USE, 10, &[(3, 2, 0, 0)], &[(3, 2, 1, 1), (3, 2, 2, 0)]);
}

/// Ticks and requests of A and B, while either is tripped or has been.
#[test]
fn each_config_keeps_its_state_in_any_script() {
    let whats = &[What::Merge, What::Tick];
    play(SETTINGS, &[1, 2], whats, 10, &[(4, 1, 2, 0), (2, 2, 1, 0)], &[(5, 1, 3, 0), (3, 2, 2, 0)]);
}
