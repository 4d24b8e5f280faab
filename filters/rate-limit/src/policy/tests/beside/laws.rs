//! What holds for any configs of a block and any requests.

use super::super::super::{Metric, Outcome, Policy, Reason};
use super::super::laws::never_over;
use super::super::quota::Quota;
use super::super::simulation::{Arrival, Simulation, Step, block, decide, decide_beside};
use mesh_policy::headers::Headers;
use mesh_testkit::records::Alone;
use mesh_testkit::script::World as _;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;
/// The quotas of the limits `a`, `b` and `c`, whichever config has them.
const QUOTAS: [Quota; 3] = [
    Quota { tokens: 5, burst: 4, per: SECOND },
    Quota { tokens: 9, burst: 6, per: SECOND },
    Quota { tokens: 3, burst: 3, per: SECOND },
];
const NAMES: [&str; 3] = ["a", "b", "c"];

/// A limit's own fields.
#[derive(Clone, Copy, Debug)]
struct Own {
    name: usize,
    is_enforced: bool,
    cost: u64,
    /// Whether it only matches requests with the header `m`.
    is_selective: bool,
}

/// The limits of a config.
type Limits = Vec<Own>;

fn config(limits: &Limits) -> String {
    let limits = limits.iter().map(|own| {
        let Quota { tokens, burst, .. } = QUOTAS[own.name];
        let (name, cost) = (NAMES[own.name], own.cost);
        let mode = if own.is_enforced { "enforce" } else { "shadow" };
        let matches =
            if own.is_selective { r#", "match": {"headers": [{"name": "m", "present": true}]}"# } else { "" };
        format!(
            r#"{{"name": "{name}", "rate": {{"requests": {tokens}, "per": "1s"}}, "burst": {burst}, "cost": {cost},
                "mode": "{mode}"{matches}}}"#
        )
    });
    format!(r#"{{"limits": [{}]}}"#, limits.collect::<Vec<_>>().join(", "))
}

fn limits() -> impl Strategy<Value = Limits> {
    let own = |name| {
        (prop::bool::weighted(0.8), 1u64..4, prop::bool::weighted(0.3))
            .prop_map(move |(is_enforced, cost, is_selective)| Own { name, is_enforced, cost, is_selective })
    };
    let each = [0, 1, 2].map(|name| prop::option::weighted(0.7, own(name)));
    let some = each.prop_map(|limits| limits.into_iter().flatten().collect::<Limits>());
    some.prop_shuffle()
}

fn configs() -> impl Strategy<Value = Vec<Limits>> {
    prop::collection::vec(limits(), 2..4)
}

/// A request for which some of three configs may be. There may be fewer configs.
fn arrival() -> impl Strategy<Value = Arrival> {
    let all = Just(vec![0, 1, 2]).prop_shuffle();
    (all, 1usize..4, any::<bool>()).prop_map(|(mut configs, count, is_marked)| {
        configs.truncate(count);
        let headers = if is_marked { vec![("m".to_owned(), "1".to_owned())] } else { Vec::new() };
        Arrival { policy: configs.remove(0), beside: configs, headers }
    })
}

/// Without configs that there are not.
fn fitted(arrival: &Arrival, count: usize) -> Arrival {
    let configs = std::iter::once(arrival.policy).chain(arrival.beside.iter().copied());
    let mut configs: Vec<_> = configs.filter(|config| *config < count).collect();
    let policy = if configs.is_empty() { 0 } else { configs.remove(0) };
    Arrival { policy, beside: configs, headers: arrival.headers.clone() }
}

fn deciding(arrival: &Arrival) -> impl Iterator<Item = usize> {
    std::iter::once(arrival.policy).chain(arrival.beside.iter().copied())
}

/// The matching limits of this name in the configs that decide on a request.
fn matching<'a>(configs: &'a [Limits], arrival: &'a Arrival, name: usize) -> impl Iterator<Item = &'a Own> {
    let limits = deciding(arrival).flat_map(|config| &configs[config]);
    limits.filter(move |own| own.name == name && !(own.is_selective && arrival.headers.is_empty()))
}

/// What a request is charged by limits of this name, and whether that is enforced: by the enforced ones if there are any,
/// and the most that one asks.
fn asked(configs: &[Limits], arrival: &Arrival, name: usize) -> Option<(bool, u64)> {
    let is_enforced = matching(configs, arrival, name).any(|own| own.is_enforced);
    let costs = matching(configs, arrival, name).filter(|own| own.is_enforced == is_enforced);
    Some((is_enforced, costs.map(|own| own.cost).max()?))
}

fn headers(arrival: &Arrival) -> Headers {
    Headers::from_pairs(arrival.headers.iter().map(|(name, value)| (name, value)))
}

/// The whole tokens in the bucket of each name.
fn tokens(own: &Policy, store: &Alone) -> [u64; 3] {
    [0, 1, 2].map(|name| {
        let probe = vec![Own { name, is_enforced: true, cost: 1, is_selective: false }];
        let probe = own.of_route(crate::config::parse(config(&probe).as_bytes()).unwrap());
        match decide(&probe, &Headers::EMPTY, &mut store.clone()).0.outcome {
            Outcome::Admitted(Some(standing)) => standing.remaining() + 1,
            Outcome::Refused(denial) => match denial.reason {
                Reason::NoTokens { standing, .. } => standing.remaining(),
                reason => panic!("{reason:?}"),
            },
            Outcome::Admitted(None) => panic!("uncharged"),
        }
    })
}

proptest! {
    /// A request passes exactly if each config that may be for it would have let it pass by itself.
    #[test]
    fn together_they_admit_what_each_admits(
        configs in configs(), arrivals in prop::collection::vec((0u64..400_000_000, arrival()), 1..40),
    ) {
        let policies = block(&configs.iter().map(config).collect::<Vec<_>>());
        let mut store = Alone::default();
        for (pause, arrival) in &arrivals {
            store.now = store.now.after(Duration::from_nanos(*pause));
            let arrival = fitted(arrival, policies.len());
            let others: Vec<_> = arrival.beside.iter().map(|policy| &policies[*policy]).collect();
            let admits = |outcome| matches!(outcome, Outcome::Admitted(_));
            let each = deciding(&arrival)
                .all(|policy| admits(decide(&policies[policy], &headers(&arrival), &mut store.clone()).0.outcome));
            let (decision, _) =
                decide_beside(&policies[arrival.policy], &others, &headers(&arrival), &mut store);
            prop_assert_eq!(admits(decision.outcome), each);
        }
    }

    /// An admitted request is charged once by each name, and a refused one by no enforced limit. The counters say the same.
    #[test]
    fn each_name_charges_once(
        configs in configs(), arrivals in prop::collection::vec((0u64..400_000_000, arrival()), 1..40),
    ) {
        let policies = block(&configs.iter().map(config).collect::<Vec<_>>());
        let mut store = Alone::default();
        for (pause, arrival) in &arrivals {
            store.now = store.now.after(Duration::from_nanos(*pause));
            let arrival = fitted(arrival, policies.len());
            let others: Vec<_> = arrival.beside.iter().map(|policy| &policies[*policy]).collect();
            let before = tokens(&policies[0], &store);
            let (decision, _) =
                decide_beside(&policies[arrival.policy], &others, &headers(&arrival), &mut store);
            let after = tokens(&policies[0], &store);
            let is_admitted = matches!(decision.outcome, Outcome::Admitted(_));
            let names: Vec<_> = deciding(&arrival).flat_map(|config| &configs[config]).collect();
            for name in 0..3 {
                let mut counted = decision.tallies.iter().filter(|(limit, _)| names[*limit].name == name);
                let counted = (counted.next().map(|(_, metric)| *metric), counted.next());
                let (taken, expected) = match asked(&configs, &arrival, name) {
                    None => (0, None),
                    Some((true, cost)) if is_admitted => (cost, Some(Metric::Allowed)),
                    Some((true, cost)) => (0, (cost > before[name]).then_some(Metric::Denied)),
                    Some((false, cost)) if cost <= before[name] => (cost, Some(Metric::Allowed)),
                    Some((false, _)) => (0, Some(Metric::ShadowDenied)),
                };
                prop_assert_eq!(before[name] - after[name], taken);
                prop_assert_eq!(counted, (expected, None));
            }
        }
    }

    /// However workers interleave, no bucket gives more than its rate and burst allow.
    #[test]
    fn no_bucket_is_ever_over(
        configs in configs(),
        arrivals in prop::collection::vec((0u64..400_000_000, arrival()), 1..40),
        steps in prop::collection::vec(
            prop_oneof![
                2 => Just(Step::Nothing),
                2 => (0u64..300_000_000).prop_map(|nanos| Step::Pass(Duration::from_nanos(nanos))),
                3 => arrival().prop_map(Step::Act),
            ],
            0..60,
        ),
    ) {
        let texts: Vec<_> = configs.iter().map(config).collect();
        let simulation = Simulation::of_block(&texts);
        simulation.script(steps.into_iter().map(|step| match step {
            Step::Act(arrival) => Step::Act(fitted(&arrival, configs.len())),
            other => other,
        }));
        for (pause, arrival) in &arrivals {
            simulation.pass(Duration::from_nanos(*pause));
            simulation.arrive(&fitted(arrival, configs.len()));
        }
        let own = &block(&texts)[0];
        for (name, quota) in QUOTAS.iter().enumerate() {
            let mut charges: Vec<(u64, u128)> = Vec::new();
            for event in simulation.events() {
                let names: Vec<_> = deciding(&event.arrival).flat_map(|config| &configs[config]).collect();
                let is_charged = |(limit, metric): &(usize, Metric)| {
                    *metric == Metric::Allowed && names[*limit].name == name
                };
                if event.decision.tallies.iter().any(is_charged) {
                    let (_, cost) = asked(&configs, &event.arrival, name).unwrap();
                    let location = own.table.locate(own.table.hasher(NAMES[name]).finish(), true);
                    let look = event.looks.iter().find(|(record, _)| record == location.record.as_bytes());
                    charges.push((look.unwrap().1, cost.into()));
                }
            }
            charges.sort_unstable();
            never_over(*quota, &charges)?;
        }
    }
}
