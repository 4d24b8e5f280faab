//! Laws for scripts in which workers interleave, calls fail and time passes. The simulation compares each result with the
//! model.

use super::super::Settings;
use super::SETTINGS;
use super::simulation::{Call, Left, Simulation, What};
use mesh_testkit::script::{Step, World};
use proptest::prelude::*;
use std::time::Duration;

/// A set has more ids than entries.
const IDS: usize = 11;
/// Another worker has a config with another time to live, and a third one has another capacity, so other sets.
const CONFIGS: [Settings; 3] = [
    SETTINGS,
    Settings { ttl: Duration::from_secs(10), ..SETTINGS },
    Settings { capacity: 1024, ..SETTINGS },
];

fn call() -> impl Strategy<Value = Call> {
    let what = prop_oneof![
        8 => Just(What::Find), 8 => Just(What::Store), 1 => Just(What::StoreNothing),
        2 => Just(What::StoreInPart), 1 => Just(What::StoreTooMuch),
    ];
    let config = prop_oneof![6 => Just(0usize), 3 => Just(1), 1 => Just(2)];
    // Some ids are used often.
    let id = prop_oneof![0..2usize, 0..IDS];
    (config, id, what).prop_map(|(config, id, what)| Call { config, id, what })
}

/// Whole seconds, so that calls are at the very end of a time to live.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![6 => Just(0u64), 3 => 0u64..4, 1 => 0u64..31].prop_map(Duration::from_secs)
}

/// Steps that disturb a worker.
fn script() -> impl Strategy<Value = Vec<Step<Call>>> {
    let step = prop_oneof![
        6 => Just(Step::Nothing),
        1 => pause().prop_map(Step::Pass),
        5 => call().prop_map(Step::Act),
        1 => Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..80)
}

fn calls() -> impl Strategy<Value = Vec<(Duration, Call)>> {
    prop::collection::vec((pause(), call()), 1..60)
}

fn run(simulation: &Simulation, calls: Vec<(Duration, Call)>, steps: Vec<Step<Call>>) {
    simulation.shared().script(steps);
    for (pause, call) in calls {
        simulation.pass(pause);
        let _result = simulation.run(call);
    }
    simulation.shared().script([]);
}

proptest! {
    #[test]
    fn what_is_found_was_stored_under_that_id_and_is_left(calls in calls(), steps in script()) {
        let simulation = Simulation::new(&CONFIGS, IDS);
        run(&simulation, calls, steps);
        for id in 0..IDS {
            for config in 0..CONFIGS.len() {
                let found = simulation.run(Call { config, id, what: What::Find });
                prop_assert_ne!(found, Left::Unknown);
            }
        }
    }

    /// Whatever has happened, when nothing else runs.
    #[test]
    fn the_last_writer_wins(calls in calls(), steps in script(), call in call(), find in 0..2usize, pause in 0u64..10) {
        let simulation = Simulation::new(&CONFIGS, IDS);
        run(&simulation, calls, steps);
        let stored = simulation.run(Call { config: call.config.min(1), ..call });
        simulation.pass(Duration::from_secs(pause));
        let found = simulation.run(Call { config: find, what: What::Find, ..call });
        if call.what != What::Find {
            prop_assert_eq!(found, stored);
        }
    }
}
