//! Routes of a block whose splits have the same names.

use super::Gateway;
use super::gateway::{SECOND, label};
use super::trips::{check_moved, config};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const ROLLOUT: &str = r#", "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z",
    "steps": [{"percentage": 10, "for": "30s"}, {"percentage": 50, "for": "30s"}, {"percentage": 100}]}"#;

/// The split of [`config`] without its guard, with these fields at the top.
fn on_route(top: &str) -> String {
    let own = config("", "");
    let (split, _) = own.split_once(",\n            \"guard\"").unwrap();
    format!("{split}{top}}}")
}

/// The block's own policy, and two routes.
fn block(own: &str) -> [Gateway; 3] {
    let own = Gateway::new(own);
    let [one, other] =
        ["", r#", "default": "v3", "decision_log": "all""#].map(|top| own.route(&on_route(top)));
    [own, one, other]
}

fn all(block: &[Gateway; 3]) -> [BTreeMap<u32, String>; 3] {
    block.each_ref().map(Gateway::labels)
}

#[test]
fn everybody_gets_the_same_variant_on_all_routes() {
    let block = block(&config("", ""));
    let [own, one, other] = all(&block);
    assert!(own == one && own == other);
}

#[test]
fn a_trip_by_one_of_them_is_one_of_all() {
    for failing in 0..3 {
        let block = block(&config("", ""));
        block[0].start();
        let before = block[0].labels();
        block[failing].fail(1);
        let report = block[0].tick();
        assert_eq!(report.warnings.len(), 1);
        all(&block).iter().for_each(|tripped| check_moved(&before, tripped, "v1"));
        block[0].pass(SECOND * 60);
        all(&block).iter().for_each(|returned| assert_eq!(*returned, before));
    }
}

/// None of them has enough requests alone.
#[test]
fn they_count_together() {
    let block = block(&config("", "").replace(r#""min_requests": 10"#, r#""min_requests": 60"#));
    block[1].fail(1);
    block[2].fail(1);
    assert!(block[0].tick().warnings.is_empty());
    block[0].fail(1);
    assert_eq!(block[0].tick().warnings.len(), 1);
}

#[test]
fn the_block_s_own_policy_does_what_the_guard_does_in_the_background() {
    let [own, one, _] = block(&config("", ""));
    one.fail(1);
    let of_route = one.tick();
    assert_eq!((of_route.gauges.len(), of_route.warnings.len(), of_route.tick_after), (0, 0, None));
    let counted: Vec<_> = of_route.counts.iter().map(|count| (one.name(*count), count.number)).collect();
    assert_eq!(counted, [("requests s v2".to_owned(), 20), ("errors s v2".to_owned(), 20)]);
    let of_block = own.tick();
    let counted: Vec<_> = of_block.counts.iter().map(|count| own.name(*count)).collect();
    assert_eq!((counted, of_block.gauges[0].value), (vec!["trips s".to_owned()], 1));
}

/// What one of them knows of the record, all know.
#[test]
fn they_look_at_the_record_together() {
    let block = block(&config("", ""));
    for gateway in block.iter().cycle().take(9) {
        gateway.decide("user: 1");
    }
    assert_eq!(block[0].host.borrow().asked, [0, 9, 0, 1]);
}

#[test]
fn a_push_keeps_the_state() {
    let before = block(&config("", ""));
    let labels = before[0].labels();
    before[1].fail(1);
    before[0].tick();
    before[0].pass(SECOND);
    let own = before[0].beside(&config("", ""));
    assert_eq!(own.start().gauges[0].value, 1);
    for route in [on_route(""), on_route(r#", "default": "v9""#)] {
        check_moved(&labels, &own.route(&route).labels(), "v1");
    }
}

/// A guard only counts what a config decides; the block's own need not be one that does.
#[test]
fn each_config_has_its_own_mode() {
    for mode in ["shadow", "off"] {
        let own = Gateway::new(&config(&format!(r#", "mode": "{mode}""#), ""));
        assert_eq!(own.start().gauges[0].value, 0);
        let [route, lenient] = ["", r#", "mode": "shadow""#].map(|top| own.route(&on_route(top)));
        let before = route.labels();
        assert!(lenient.decide("user: 1").observation.is_none());
        route.fail(1);
        assert_eq!(own.tick().gauges[0].value, 1);
        check_moved(&before, &route.labels(), "v1");
        assert!(lenient.labels().values().all(|label| label.starts_with("shadow{s}:")));
    }
}

#[test]
fn a_rollout_restarts_everywhere() {
    let block = block(&config(ROLLOUT, ""));
    let first = block[0].labels();
    block[0].pass(SECOND * 100);
    block[2].fail(1);
    block[0].tick();
    block[0].pass(SECOND * 60);
    all(&block).iter().for_each(|returned| assert_eq!(*returned, first));
    block[0].pass(SECOND * 60);
    let [own, one, other] = all(&block);
    assert!(own.values().all(|label| label == "split{s}:v2") && own == one && own == other);
}

/// It has no guard, and leaves nothing of an earlier one.
#[test]
fn a_split_that_only_a_route_has_ends_the_state_of_an_earlier_guard() {
    let before = Gateway::new(&config("", ""));
    before.fail(1);
    before.tick();
    before.pass(SECOND);
    let own = before.beside("{}");
    let route = own.route(&on_route(""));
    route.observe(&route.decide("user: 1"), false);
    let report = route.tick();
    assert_eq!((report.counts.len(), report.gauges.len(), report.gauges[0].value), (2, 1, 0));
    assert_eq!(before.beside(&config("", "")).start().gauges[0].value, 0);
    route.observe(&route.decide("user: 1"), false);
    assert!(route.tick().gauges.is_empty());
}

/// A block's own config, and those of its routes: with the same split, and what else may differ.
fn configs() -> impl Strategy<Value = (String, Vec<String>)> {
    let weights = prop::collection::vec(0u32..4, 1..4);
    let rollout = prop::option::of((1..3u32, 0u32..50, 0u32..20));
    let guard = prop::option::of(prop::sample::select(vec!["enforce", "shadow", "off"]));
    let tops = prop::sample::select(vec![
        "",
        r#", "default": "v9""#,
        r#", "rules": [{"name": "r", "match": {"headers": [{"name": "h", "present": true}]}, "variant": "v8"}]"#,
    ]);
    (weights, rollout, guard, prop::collection::vec(tops, 4)).prop_map(
        |(weights, rollout, guard, tops)| {
            let weights = [1, 1].into_iter().chain(weights).enumerate();
            let variants: Vec<_> = weights
                .map(|(index, weight)| format!(r#"{{"name": "v{}", "weight": {weight}}}"#, index + 1))
                .collect();
            let split = format!(
                r#""split": {{"name": "s", "sticky": [{{"header": "user"}}], "variants": [{}]}}"#,
                variants.join(", ")
            );
            let mut configs = tops.into_iter().map(|top| format!("{{{split}{top}}}"));
            let mut own = configs.next().unwrap();
            own.pop();
            if let Some((variant, percentage, second)) = rollout {
                own += &format!(
                    r#", "rollout": {{"variant": "v{variant}", "start": "2026-11-20T10:00:{second:02}Z",
                        "steps": [{{"percentage": {percentage}, "for": "5s"}}, {{"percentage": {}}}]}}"#,
                    percentage + 50
                );
            }
            if let Some(mode) = guard {
                own += &format!(
                    r#", "guard": {{"variant": "v2", "baseline": "v1", "mode": "{mode}", "max_error_percentage": 5,
                        "min_requests": 10, "window": "10s", "hold": "5s"}}"#
                );
            }
            (own + "}", configs.collect())
        },
    )
}

proptest! {
    #![proptest_config(mesh_testkit::cases(64))]

    /// Wherever requests fail: a block's configs decide as its own one would, if all requests were its own.
    #[test]
    fn an_identity_has_one_variant_in_a_block(
        (own, routes) in configs(),
        failures in prop::collection::vec((0usize..4, 0usize..3, 0u64..8), 0..6),
        users in prop::collection::vec("[a-z]{1,8}", 1..10),
    ) {
        let alone = Gateway::new(&own);
        let own = Gateway::new(&own);
        let mut block: Vec<_> = routes.iter().map(|route| own.route(route)).collect();
        block.insert(0, own);
        for (position, variant, seconds) in failures {
            block[position].fail(variant);
            alone.fail(variant);
            [&block[0], &alone].into_iter().for_each(|gateway| { gateway.tick(); });
            [&block[0], &alone].into_iter().for_each(|gateway| gateway.pass(Duration::from_secs(seconds)));
            for user in &users {
                let request = format!("user: {user}");
                let expected = label(&alone.decide(&request));
                for gateway in &block {
                    prop_assert_eq!(label(&gateway.decide(&request)), expected.clone());
                }
            }
        }
    }
}
