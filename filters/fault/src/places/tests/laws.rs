//! Laws for scripts in which VMs interleave, calls fail, time passes, and VMs are slow and lost. The simulation checks each
//! write, each refusal and each gauge.

use super::super::RENEWAL;
use super::simulation::{Action, Simulation, WORKERS, What};
use mesh_testkit::script::{Step, World};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long a call may take for the gauges of requests to be exact.
const STALL: Duration = Duration::from_millis(999);
const PLACES: [What; 4] = [What::Take, What::GiveBack, What::Renew, What::Lose];

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => Just(What::Take), 3 => Just(What::GiveBack), 4 => Just(What::Begin), 3 => Just(What::End),
        3 => Just(What::Renew), 1 => Just(What::Lose),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    (0..WORKERS, what()).prop_map(|(worker, what)| Action { worker, what })
}

/// Mostly up to 1 s, and rarely up to 12 s.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![6 => 0u64..1000, 3 => 0u64..4000, 1 => 0u64..12_000].prop_map(Duration::from_millis)
}

/// Steps that disturb a worker.
fn script() -> impl Strategy<Value = Vec<Step<Action>>> {
    let step = prop_oneof![
        6 => Just(Step::Nothing),
        1 => pause().prop_map(Step::Pass),
        5 => action().prop_map(Step::Act),
        1 => Just(Step::Fail),
    ];
    prop::collection::vec(step, 0..80)
}

fn actions() -> impl Strategy<Value = Vec<(Duration, Action)>> {
    prop::collection::vec((pause(), action()), 1..80)
}

fn run(simulation: &Simulation, actions: Vec<(Duration, Action)>, steps: Vec<Step<Action>>) {
    simulation.shared().script(steps);
    for (pause, action) in actions {
        simulation.pass(pause);
        simulation.run(action);
    }
    simulation.shared().script([]);
}

/// Everything ends, and lost VMs are noticed.
fn come_to_rest(simulation: &Simulation) {
    simulation.end();
    simulation.pass(Duration::from_secs(8));
    simulation.all(What::Renew);
    simulation.all(What::Renew);
}

/// A VM cannot renew its entry, and another one removes it while the first counts a request.
#[test]
fn a_call_may_take_a_second_though_the_store_fails() {
    for millis in (6000..8000).step_by(50) {
        for what in [What::Begin, What::End] {
            let simulation = Simulation::new(1, STALL);
            simulation.run(Action { worker: 0, what: What::Begin });
            simulation.pass(Duration::from_millis(millis));
            let other = Action { worker: 1, what: What::Renew };
            simulation.shared().script([Step::Fail, Step::Act(other), Step::Pass(STALL)]);
            simulation.run(Action { worker: 0, what });
            come_to_rest(&simulation);
            assert_eq!(simulation.rest(), BTreeMap::new(), "{what:?} after {millis} ms");
        }
    }
}

proptest! {
    #[test]
    fn nothing_leaks(max in 0u32..4, actions in actions(), steps in script()) {
        let simulation = Simulation::new(max, STALL);
        run(&simulation, actions, steps);
        come_to_rest(&simulation);
        prop_assert_eq!((simulation.rest(), simulation.entries()), (BTreeMap::new(), Vec::new()));
    }

    /// Places do not depend on how long a call takes.
    #[test]
    fn no_place_leaks_in_slow_calls(max in 0u32..4, actions in actions(), steps in script()) {
        let simulation = Simulation::new(max, Duration::MAX);
        let is_of_places = |action: &Action| PLACES.contains(&action.what);
        let actions = actions.into_iter().filter(|(_, action)| is_of_places(action)).collect();
        let is_kept = |step: &Step<Action>| !matches!(step, Step::Act(action) if !is_of_places(action));
        run(&simulation, actions, steps.into_iter().filter(is_kept).collect());
        come_to_rest(&simulation);
        prop_assert_eq!((simulation.rest(), simulation.entries()), (BTreeMap::new(), Vec::new()));
    }

    /// Whatever has happened: after 8 s and one call, what lost VMs held is gone.
    #[test]
    fn what_lost_vms_held_returns(
        max in 1u32..6, actions in actions(), steps in script(), lost in prop::collection::vec(any::<bool>(), WORKERS),
        survivor in 0..WORKERS, call in prop_oneof![Just(What::Take), Just(What::Begin), Just(What::Renew)],
    ) {
        let simulation = Simulation::new(max, STALL);
        run(&simulation, actions, steps);
        let (lost, living): (Vec<_>, Vec<_>) =
            (0..WORKERS).partition(|worker| lost[*worker] && *worker != survivor);
        for worker in lost {
            simulation.run(Action { worker, what: What::Lose });
        }
        for _ in 0..2 {
            for worker in &living {
                simulation.run(Action { worker: *worker, what: What::Renew });
            }
            simulation.pass(Duration::from_secs(4));
        }
        simulation.run(Action { worker: survivor, what: call });
        prop_assert_eq!(simulation.shown(), simulation.held());
    }

    /// While each VM that holds something renews every two seconds, and a new VM once after ten, calls that do not run at
    /// the same time know the requests of all others. Those of a lost VM count for at most ten seconds.
    #[test]
    fn others_in_flight_are_exact(max in 0u32..4, actions in actions()) {
        let simulation = Simulation::new(max, STALL);
        let second = Duration::from_secs(1);
        let mut lost = VecDeque::new();
        for (pause, action) in actions {
            let end = simulation.shared().now().after(pause);
            while simulation.shared().now() < end {
                simulation.pass(second.min(end.since(simulation.shared().now())));
                (0..WORKERS).for_each(|worker| simulation.tick(worker));
            }
            let now = simulation.shared().now();
            while lost.front().is_some_and(|(at, _)| now.since(*at) >= 5 * RENEWAL + second) {
                lost.pop_front();
            }
            let before = simulation.held().1;
            let others = simulation.run(action);
            match action.what {
                What::Begin => {
                    let most = before + lost.iter().map(|(_, number)| number).sum::<i64>();
                    let others = others.expect("nothing fails") as i64;
                    prop_assert!((before..=most).contains(&others), "{others} are not {before} to {most}");
                }
                What::Lose => lost.push_back((now, before - simulation.held().1)),
                _ => {}
            }
        }
    }
}
