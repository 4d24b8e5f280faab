//! Properties for any behaviour of the workers and the key server.

use super::super::record::{State, decode_set, encode_set};
use super::super::{Source, Tracker};
use super::simulation::{BUSY, IDLE, Simulation, Step, Wanted, remote, text};
use crate::config::Remote;
use mesh_policy::hash::Key;
use mesh_policy::time::Nanos;
use mesh_testkit::cases;
use mesh_testkit::script::World as _;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// An event in the proxy or the key server.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Rotate,
    Serve { is_up: bool, latency: u64 },
    Silence(usize, u64),
    Push,
    Ask(usize, Wanted),
    Flood(usize, bool),
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        Just(Wanted::Current),
        Just(Wanted::CurrentUnnamed),
        (0u32..20).prop_map(Wanted::Unknown),
        (0u32..20).prop_map(Wanted::Forged),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Rotate),
        2 => (any::<bool>(), 1u64..3000).prop_map(|(is_up, latency)| Happening::Serve { is_up, latency }),
        2 => (0usize..4, 1u64..20_000).prop_map(|(worker, time)| Happening::Silence(worker, time)),
        1 => Just(Happening::Push),
        6 => (0usize..4, wanted()).prop_map(|(worker, wanted)| Happening::Ask(worker, wanted)),
        1 => (0usize..4, any::<bool>()).prop_map(|(worker, named)| Happening::Flood(worker, named)),
    ]
}

/// Pauses in milliseconds, and the event after each.
fn history() -> impl Strategy<Value = Vec<(u64, Happening)>> {
    let pause = prop_oneof![4 => 0u64..50, 2 => 0u64..3000, 1 => 0u64..40_000];
    prop::collection::vec((pause, happening()), 0..40)
}

/// Steps that disturb calls to the shared data.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Nothing),
        2 => (0u64..700).prop_map(|time| Step::Pass(Duration::from_millis(time))),
        1 => (0u64..9000).prop_map(|time| Step::Pass(Duration::from_millis(time))),
        2 => (0usize..4, wanted()).prop_map(|(worker, wanted)| Step::Act((worker, wanted))),
        1 => Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..300)
}

fn sources() -> impl Strategy<Value = Remote> {
    (1u64..60, 0u64..5000).prop_map(|(refresh, wait)| Remote {
        refresh: Duration::from_secs(refresh),
        wait: Duration::from_millis(wait),
        ..remote()
    })
}

/// A key that the server never has.
fn never(named: bool, number: u32) -> Wanted {
    if named { Wanted::Unknown(number) } else { Wanted::Forged(number) }
}

fn run(simulation: &Simulation, source: &Remote, history: &[(u64, Happening)]) {
    for (pause, happening) in history {
        simulation.pass(Duration::from_millis(*pause));
        match *happening {
            Happening::Rotate => simulation.server(|server| server.version += 1),
            Happening::Serve { is_up, latency } => simulation.server(|server| {
                (server.is_up, server.latency) = (is_up, Duration::from_millis(latency));
            }),
            Happening::Silence(worker, time) => simulation.silence(worker, Duration::from_millis(time)),
            Happening::Push => simulation.push(source),
            Happening::Ask(worker, wanted) => _ = simulation.ask(worker, wanted),
            Happening::Flood(worker, named) => {
                for number in 100..400 {
                    simulation.ask(worker, never(named, number));
                }
            }
        }
    }
}

/// Ends all disturbances.
fn calm(simulation: &Simulation) {
    simulation.script([]);
    simulation.rouse();
    simulation.server(|server| (server.is_up, server.latency) = (true, Duration::from_millis(20)));
}

/// The maximum number of fetches within a minute.
fn busiest_minute(fetches: &[Nanos]) -> usize {
    let within =
        |from: &Nanos| fetches.iter().filter(|at| **at >= *from && at.since(*from) < 60 * SECOND).count();
    fetches.iter().map(within).max().unwrap_or_default()
}

/// Three in a row, then one every ten seconds.
const MAX_EXTRA: usize = 9;

proptest! {
    #![proptest_config(cases(12))]

    /// The number of fetches is bounded in any flood, however often the set changes.
    #[test]
    fn a_flood_makes_a_handful_of_fetches(
        pauses in prop::collection::vec((0u64..2000, any::<bool>()), 1..200), rotates: bool,
    ) {
        let simulation = Simulation::new(3, &remote());
        for (number, (pause, named)) in (0..).zip(pauses) {
            simulation.pass(Duration::from_millis(pause));
            simulation.server(|server| server.version += u32::from(rotates));
            for worker in 0..3 {
                simulation.ask(worker, never(named, number * 3 + worker as u32));
            }
        }
        simulation.pass(60 * SECOND);
        prop_assert!(busiest_minute(&simulation.extra_fetches()) <= MAX_EXTRA);
        prop_assert!(busiest_minute(&simulation.fetches()) <= MAX_EXTRA + 1);
    }
}

proptest! {
    #![proptest_config(cases(96))]

    /// The simulation asserts at all times: one fetch at a time; the set's record never reverts; after a tick a worker has
    /// the newest set and a due fetch has begun; the tracker has exactly the waiting requests.
    #[test]
    fn whatever_happens(source in sources(), history in history(), steps in script(), workers in 1usize..4) {
        let simulation = Simulation::new(workers, &source);
        simulation.script(steps);
        run(&simulation, &source, &history);
        prop_assert!(busiest_minute(&simulation.extra_fetches()) <= MAX_EXTRA);
        calm(&simulation);
        // The retry delay is at most `refresh`; a lease, two ticks and the call follow.
        simulation.pass(source.refresh + source.timeout + 2 * SECOND + 3 * IDLE);
        let (versions, current) = (simulation.versions(), simulation.current());
        prop_assert!(versions.iter().all(|version| *version == Some(current)), "{versions:?}, {current}");
    }

    #[test]
    fn nobody_waits_longer_than_he_may(source in sources(), history in history(), workers in 1usize..4) {
        // Without silences, as a silent worker does not end a wait.
        let history: Vec<_> =
            history.into_iter().filter(|(_, happening)| !matches!(happening, Happening::Silence(..))).collect();
        let simulation = Simulation::new(workers, &source);
        run(&simulation, &source, &history);
        simulation.pass(source.wait);
        for outcome in simulation.outcomes() {
            prop_assert!(outcome.ended.since(outcome.asked) <= source.wait + Duration::from_millis(2), "{outcome:?}");
        }
    }

    /// After any history, a request finds a key that the server has, with or without a `kid`, if a fetch may begin early
    /// enough.
    #[test]
    fn a_key_that_is_gained_is_found(
        source in sources(), history in history(), steps in script(), workers in 1usize..4, at in 0usize..4,
        named: bool,
    ) {
        let simulation = Simulation::new(workers, &source);
        simulation.script(steps);
        run(&simulation, &source, &history);
        calm(&simulation);
        simulation.pass(5 * SECOND);
        simulation.server(|server| server.version += 1);
        let stream = simulation.ask(at, if named { Wanted::Current } else { Wanted::CurrentUnnamed });
        simulation.pass(source.wait + SECOND);
        let outcome = simulation.outcome(stream).unwrap();
        let enough = Duration::from_millis(20) + 3 * BUSY;
        if let Some(allowed) = outcome.allowed {
            let expected = allowed.max(outcome.asked).after(enough);
            let is_far = allowed > outcome.asked.after(SECOND);
            prop_assert!(outcome.found || is_far || expected > outcome.asked.after(source.wait), "{outcome:?}");
            // The request does not wait longer than necessary.
            prop_assert!(!outcome.found || outcome.ended <= expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_set_is_refreshed_in_time(refresh in 1u64..86_400, age in proptest::option::of(any::<u64>()), roll: u64) {
        let source = Remote { refresh: Duration::from_secs(refresh), ..remote() };
        let mut simulation = Simulation::new(0, &source);
        let mut tracker = Tracker::new(Source::new(source.clone(), 1), Key::new([7; 16]));
        let now = tracker.poll(&mut simulation).unwrap().now;
        prop_assert!(tracker.acquire_lease(&mut simulation, now).unwrap());
        let age = age.map(|age| Duration::from_secs(if age % 2 == 0 { age } else { age % 100_000 }));
        tracker.source().succeed(&mut simulation, &text(1), age, roll).unwrap();
        let state = simulation.state().unwrap();
        let wait = state.next(false, source.refresh).since(state.ended);
        let honoured = age.map_or(source.refresh, |age| age.max(10 * SECOND).min(source.refresh));
        prop_assert!(wait <= honoured && wait >= honoured * 9 / 10, "{wait:?}, {honoured:?}");
    }

    #[test]
    fn records_come_back_as_they_were(numbers: [u64; 9], text: Vec<u8>) {
        let state = State {
            set: numbers[0],
            due: Nanos(numbers[1]),
            leased_until: Nanos(numbers[2]),
            owner: numbers[3],
            started: Nanos(numbers[4]),
            ended: Nanos(numbers[5]),
            answered: Nanos(numbers[6]),
            paid: Nanos(numbers[7]),
            failures: numbers[8],
        };
        prop_assert_eq!(State::decode(&state.encode()), Some(state));
        let set = encode_set(numbers[0], &text);
        prop_assert_eq!(decode_set(&set), Some((numbers[0], text.as_slice())));
    }

    /// Arbitrary records do no harm and are replaced.
    #[test]
    fn hostile_records(state: Vec<u8>, set: Vec<u8>, numbers: [u64; 9]) {
        let _nothing_or_something = (State::decode(&state), decode_set(&set));
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut state = State::decode(&bytes).unwrap();
        let next = state.next(true, SECOND);
        prop_assert!(next <= state.next(false, SECOND));
        state.begin(1, SECOND, SECOND, next);
        state.fail(SECOND, next);
        state.succeed(numbers[0], SECOND, next);
    }

    /// Sources that differ in any part have separate records; equal ones share.
    #[test]
    fn sources_do_not_touch_each_other(one in 0usize..16, other in 0usize..16) {
        let source = |which: usize| Remote {
            cluster: ["jwks", "jwks2"][which & 1].into(),
            host: mesh_policy::headers::HeaderValue::text(["a.example", "b.example"][which >> 1 & 1]),
            location: {
                let path = mesh_policy::headers::HeaderValue::text(["/keys", "/other"][which >> 2 & 1]);
                if which & 8 == 0 { crate::config::Location::KeySet(path) } else { crate::config::Location::Discovery(path) }
            },
            ..remote()
        };
        let mut simulation = Simulation::new(0, &remote());
        let mut fetch = |which, version| {
            let mut tracker = Tracker::new(Source::new(source(which), version), Key::new([7; 16]));
            let now = tracker.poll(&mut simulation).unwrap().now;
            let acquired = tracker.acquire_lease(&mut simulation, now).unwrap();
            tracker.source().succeed(&mut simulation, &text(version as u32), None, 0).unwrap();
            acquired
        };
        prop_assert!(fetch(one, 1));
        prop_assert_eq!(fetch(other, 2), one != other);
        prop_assert_eq!(simulation.records().len(), if one == other { 2 } else { 4 });
        let mut tracker = Tracker::new(Source::new(source(one), 3), Key::new([7; 16]));
        let _polled = tracker.poll(&mut simulation).unwrap();
        prop_assert_eq!(tracker.set().map(|set| super::simulation::version(set)), Some(1));
    }
}
