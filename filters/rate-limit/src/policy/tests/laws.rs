//! Properties for any interleaving of workers.

use super::super::{Metric, Outcome};
use super::quota::Quota;
use super::simulation::{Arrival, Event, Simulation, Step, of};
use mesh_testkit::cases;
use mesh_testkit::script::World as _;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

/// A quota of `tokens` per second.
const fn per_second(tokens: u128, burst: u128) -> Quota {
    Quota { tokens, burst, per: SECOND }
}

fn cost(event: &Event) -> u128 {
    event.arrival.headers.iter().find(|(name, _)| name == "cost").map_or(1, |(_, cost)| cost.parse().unwrap())
}

fn key(event: &Event) -> &str {
    event.arrival.headers.iter().find(|(name, _)| name == "k").map_or("", |(_, key)| key)
}

fn by_client(events: &[Event]) -> BTreeMap<&str, Vec<&Event>> {
    let mut clients: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        clients.entry(key(event)).or_default().push(event);
    }
    clients
}

fn admitted(event: &Event) -> bool {
    matches!(event.decision.outcome, Outcome::Admitted(_))
}

/// The times at which charges took effect and their costs, in order: charges to the limit without a key if `keyless`,
/// otherwise to the client's bucket.
fn charges(events: &[&Event], keyless: bool) -> Vec<(u64, u128)> {
    let charged = events.iter().filter(|event| admitted(event));
    let mut charges: Vec<_> = charged.map(|event| (at(event, keyless), cost(event))).collect();
    charges.sort_unstable();
    charges
}

fn at(event: &Event, keyless: bool) -> u64 {
    // The table of 64 slots has 8 sets; sets from 8 on are for limits without a key.
    let set = |record: &[u8]| u32::from_str_radix(str::from_utf8(&record[12..]).unwrap(), 16).unwrap();
    event.looks.iter().find(|(record, _)| (set(record) >= 8) == keyless).unwrap().1
}

/// In every window, at most the burst and what the window refills is admitted.
pub(super) fn never_over(quota: Quota, charges: &[(u64, u128)]) -> Result<(), TestCaseError> {
    for (first, (from, _)) in charges.iter().enumerate() {
        let mut tokens = 0;
        for (to, cost) in &charges[first..] {
            tokens += cost;
            prop_assert!(!quota.is_exceeded(tokens, to - from), "{tokens} tokens in {} ns", to - from);
        }
    }
    Ok(())
}

/// A request is only refused if it would have exceeded the quota in some window.
fn never_under(quota: Quota, events: &[&Event]) -> Result<(), TestCaseError> {
    for (index, refused) in events.iter().enumerate().filter(|(_, event)| !admitted(event)) {
        let now = at(refused, false);
        let mut tokens = cost(refused);
        let mut justified = quota.is_exceeded(tokens, 0);
        for earlier in events[..index].iter().rev().filter(|event| admitted(event)) {
            tokens += cost(earlier);
            // Times never decrease in the order in which charges took effect.
            prop_assert!(now >= at(earlier, false));
            justified |= quota.is_exceeded(tokens, now - at(earlier, false));
        }
        prop_assert!(justified, "refused at {now} without need");
    }
    Ok(())
}

fn arrival(policies: usize, keys: u32) -> impl Strategy<Value = Arrival> {
    (0..policies, 0..keys, 1u32..4).prop_map(|(policy, key, cost)| Arrival {
        policy,
        beside: Vec::new(),
        headers: vec![("k".into(), key.to_string()), ("cost".into(), cost.to_string())],
    })
}

/// Steps that disturb a request.
fn script(policies: usize, keys: u32) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Nothing),
        2 => (0u64..300_000_000).prop_map(|nanos| Step::Pass(Duration::from_nanos(nanos))),
        3 => arrival(policies, keys).prop_map(Step::Act),
    ];
    prop::collection::vec(step, 0..60)
}

fn run(simulation: &Simulation, arrivals: &[(u64, Arrival)], steps: Vec<Step>) {
    simulation.script(steps);
    for (pause, arrival) in arrivals {
        simulation.pass(Duration::from_nanos(*pause));
        simulation.arrive(arrival);
    }
}

fn arrivals(policies: usize, keys: u32) -> impl Strategy<Value = Vec<(u64, Arrival)>> {
    prop::collection::vec((0u64..400_000_000, arrival(policies, keys)), 1..40)
}

const ONE_LIMIT: &str = r#"{"capacity": 64, "limits": [{"name": "l", "key": [{"header": "k"}],
    "rate": {"requests": 7, "per": "1s"}, "burst": 5, "cost": {"header": "cost", "max": 3}}]}"#;
const ONE_QUOTA: Quota = per_second(7, 5);

proptest! {
    /// One limit admits exactly its quota, for any interleaving.
    #[test]
    fn one_limit_is_exact(arrivals in arrivals(1, 4), steps in script(1, 4)) {
        let simulation = Simulation::new(&[ONE_LIMIT]);
        run(&simulation, &arrivals, steps);
        let events = simulation.events();
        prop_assert!(events.iter().all(|event| event.decision.tallies.iter().all(|(_, tally)| *tally != Metric::Error)));
        for of_client in by_client(&events).values() {
            never_over(ONE_QUOTA, &charges(of_client, false))?;
            never_under(ONE_QUOTA, of_client)?;
        }
    }

}

proptest! {
    // Fewer cases, as each begins with many requests.
    #![proptest_config(cases(48))]

    /// With more clients than slots, no client exceeds the limit.
    #[test]
    fn a_crowded_table_is_never_over(arrivals in arrivals(1, 600), steps in script(1, 600)) {
        let simulation = Simulation::new(&[ONE_LIMIT]);
        for crowd in 0..600 {
            simulation.arrive(&of(&crowd.to_string()));
        }
        run(&simulation, &arrivals, steps);
        let events = simulation.events();
        for of_client in by_client(&events).values() {
            never_over(ONE_QUOTA, &charges(of_client, false))?;
        }
        prop_assert!(simulation.records() <= 8);
    }
}

proptest! {
    /// With several limits, none is exceeded, and the charges of a refused request are given back.
    #[test]
    fn several_limits_are_never_over(arrivals in arrivals(1, 3), steps in script(1, 3)) {
        let simulation = Simulation::new(&[r#"{"capacity": 64, "limits": [
            {"name": "all", "rate": {"requests": 9, "per": "1s"}, "burst": 7, "cost": {"header": "cost", "max": 3}},
            {"name": "each", "key": [{"header": "k"}], "rate": {"requests": 4, "per": "1s"}, "burst": 3,
             "cost": {"header": "cost", "max": 3}}]}"#]);
        run(&simulation, &arrivals, steps);
        let events = simulation.events();
        never_over(per_second(9, 7), &charges(&events.iter().collect::<Vec<_>>(), true))?;
        for of_client in by_client(&events).values() {
            never_over(per_second(4, 3), &charges(of_client, false))?;
        }
    }

    /// Over config pushes and rollbacks, in whatever order configs charge and however long they are silent, a client
    /// gets at most the largest burst and what the largest rate refills. The third config has the quota of the first,
    /// as after a rollback.
    #[test]
    fn a_config_push_forgives_nothing(
        arrivals in arrivals(3, 2), steps in script(3, 2), old in quota(), new in quota(),
        silences in prop::collection::vec((0usize..40, 1u64..25), 0..4),
    ) {
        let simulation = Simulation::new(&[old, new, old].map(|quota| one_limit(quota, "share")));
        run(&simulation, &with_silences(arrivals, silences), steps);
        let events = simulation.events();
        for of_client in by_client(&events).values() {
            never_over(old.pick(new, u128::max), &charges(of_client, false))?;
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    /// The same in a crowded table, as long as charges go to slots.
    #[test]
    fn a_config_push_in_a_crowd_forgives_nothing(
        arrivals in arrivals(3, 150), steps in script(3, 150), old in quota(), new in quota(),
        silences in prop::collection::vec((0usize..40, 1u64..25), 0..4),
    ) {
        let simulation = Simulation::new(&[old, new, old].map(|quota| one_limit(quota, "deny")));
        for crowd in 0..300u32 {
            simulation.arrive(&Arrival { policy: crowd as usize % 3, ..of(&(crowd % 150).to_string()) });
        }
        run(&simulation, &with_silences(arrivals, silences), steps);
        let events = simulation.events();
        for of_client in by_client(&events).values() {
            never_over(old.pick(new, u128::max), &charges(of_client, false))?;
        }
    }
}

fn quota() -> impl Strategy<Value = Quota> {
    (1u32..9, 3u32..9).prop_map(|(tokens, burst)| per_second(tokens.into(), burst.into()))
}

fn one_limit(Quota { tokens, burst, .. }: Quota, overflow: &str) -> String {
    format!(
        r#"{{"capacity": 64, "limits": [{{"name": "l", "key": [{{"header": "k"}}], "overflow": "{overflow}",
            "rate": {{"requests": {tokens}, "per": "1s"}}, "burst": {burst}, "cost": {{"header": "cost", "max": 3}}}}]}}"#
    )
}

/// Extends some of the pauses by seconds.
fn with_silences(mut arrivals: Vec<(u64, Arrival)>, silences: Vec<(usize, u64)>) -> Vec<(u64, Arrival)> {
    for (index, seconds) in silences {
        if let Some((pause, _)) = arrivals.get_mut(index) {
            *pause += seconds * 1_000_000_000;
        }
    }
    arrivals
}
