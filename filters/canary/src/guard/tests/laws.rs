//! Properties for any interleaving of workers and configs.

use super::super::record::NO_GUARD;
use super::super::{Merged, Settings, Thresholds};
use super::simulation::{Action, Simulation, WORKERS, What};
use mesh_policy::percent::Percentage;
use mesh_testkit::script::{Step, World as _};
use proptest::prelude::*;
use std::time::Duration;

/// More than 60 % errors of at least 3 requests within 20 s trip it, for 4 s, at most twice.
const SETTINGS: Settings = Settings {
    thresholds: Thresholds {
        min_requests: 3,
        max_error_percentage: Percentage::from_parts_per_million(600_000),
        max_error_ratio: None,
        max_p95_ratio: None,
    },
    window: Duration::from_secs(20),
    hold: Duration::from_secs(4),
    max_trips: 2,
};
/// Its first trip is for good.
const FOR_GOOD: Settings = Settings { max_trips: 1, ..SETTINGS };
const NEVER: Settings =
    Settings { thresholds: Thresholds { min_requests: u32::MAX, ..SETTINGS.thresholds }, ..SETTINGS };

fn action(configs: usize) -> impl Strategy<Value = Action> {
    let what = prop_oneof![
        8 => Just(What::Count), 2 => Just(What::Look), 6 => Just(What::Merge), 1 => Just(What::MergeBlindly),
    ];
    (0..WORKERS, 0..configs, what).prop_map(|(worker, config, what)| Action { worker, config, what })
}

/// Up to 3 s, and rarely up to 12 s.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![6 => 0u64..1000, 3 => 0u64..3000, 1 => 0u64..12_000].prop_map(Duration::from_millis)
}

/// Steps that disturb a worker.
fn script(configs: usize) -> impl Strategy<Value = Vec<Step<Action>>> {
    let step = prop_oneof![
        4 => Just(Step::Nothing),
        1 => pause().prop_map(Step::Pass),
        5 => action(configs).prop_map(Step::Act),
        1 => Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..60)
}

fn actions(configs: usize) -> impl Strategy<Value = Vec<(Duration, Action)>> {
    prop::collection::vec((pause(), action(configs)), 1..80)
}

fn run(
    settings: Settings,
    fingerprints: &[u64],
    actions: Vec<(Duration, Action)>,
    steps: Vec<Step<Action>>,
) -> Simulation {
    let simulation = Simulation::new(settings, fingerprints);
    simulation.shared().script(steps);
    for (pause, action) in actions {
        simulation.pass(pause);
        simulation.run(action);
    }
    simulation
}

proptest! {
    /// Without trips, what was counted in the last window is in the record or in one tally.
    #[test]
    fn nothing_is_lost(actions in actions(2), steps in script(2)) {
        // Two pushes of the same values.
        let simulation = run(NEVER, &[1, 1], actions, steps);
        prop_assert_eq!(simulation.lost(), Vec::<usize>::new());
    }

    /// Trips and returns. The simulation checks each write and each report.
    #[test]
    fn each_trip_and_return_has_one_winner(actions in actions(1), steps in script(1)) {
        let (trips, returns) = run(SETTINGS, &[1], actions, steps).seen();
        prop_assert!(trips <= SETTINGS.max_trips && returns <= trips);
    }

    /// The same while configs drain: A, B, and A again.
    #[test]
    fn the_later_config_holds(actions in actions(3), steps in script(3)) {
        run(SETTINGS, &[1, 2, 1], actions, steps);
    }

    /// The same where B has no guard.
    #[test]
    fn a_config_without_a_guard_holds_as_another(actions in actions(3), steps in script(3)) {
        run(SETTINGS, &[1, NO_GUARD, 1], actions, steps);
    }

    /// Whether A trips and B comes and goes, or B trips and A is still in use: a config that is in use again is tripped as
    /// before.
    #[test]
    fn a_trip_survives_other_configs(
        tripped in 0usize..2, first in actions(2), actions in actions(2), steps in script(2),
    ) {
        let simulation = Simulation::new(FOR_GOOD, &[1, 2]);
        // Other configs have done something or nothing before.
        first.into_iter().filter(|(_, action)| action.config != tripped).take(5).for_each(|(pause, action)| {
            simulation.pass(pause);
            simulation.run(action);
        });
        simulation.pass(Duration::from_secs(10));
        simulation.trip(tripped);
        simulation.shared().script(steps);
        for (pause, action) in actions {
            simulation.pass(pause);
            simulation.run(action);
        }
        simulation.shared().script([]);
        simulation.pass(Duration::from_secs(10));
        let Merged { state, tripped, .. } = simulation.merge_in_use(tripped);
        prop_assert_eq!((state.trip.is_some(), state.trips, tripped), (true, 1, None));
    }
}
