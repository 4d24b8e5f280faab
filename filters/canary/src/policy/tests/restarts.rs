//! Rollouts of variants that a guard takes out.

use super::Gateway;
use super::gateway::{SECOND, START, label};
use super::trips::{USERS, check_moved, config};
use proptest::prelude::*;
use std::time::Duration;

const ROLLOUT: &str = r#", "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z",
    "steps": [{"percentage": 10, "for": "30s"}, {"percentage": 50, "for": "30s"}, {"percentage": 100}]}"#;

/// The number of users who get a label.
fn count(gateway: &Gateway, label: &str) -> usize {
    gateway.labels().values().filter(|found| *found == label).count()
}

/// Nobody joins those who fall back while the schedule goes on.
#[test]
fn the_schedule_stands_still_during_a_trip() {
    let gateway = Gateway::new(&config(ROLLOUT, ""));
    gateway.pass(SECOND * 10);
    let before = gateway.labels();
    assert!((10..60).contains(&count(&gateway, "split{s}:v2")));
    gateway.fail(1);
    gateway.tick();
    for _ in 0..5 {
        check_moved(&before, &gateway.labels(), "v1");
        gateway.pass(SECOND * 10);
    }
}

/// Whatever the wall clock says: the variant begins with its first step.
#[test]
fn a_rollout_restarts_when_its_variant_returns() {
    let gateway = Gateway::new(&config(ROLLOUT, ""));
    let first = gateway.labels();
    gateway.pass(SECOND * 100);
    assert_eq!(count(&gateway, "split{s}:v2"), USERS as usize);
    gateway.fail(1);
    gateway.tick();
    assert_eq!(count(&gateway, "fallback{s}:v1"), USERS as usize);
    gateway.pass(SECOND * 60);
    assert_eq!(gateway.labels(), first);
    gateway.pass(SECOND * 29);
    assert_eq!(gateway.labels(), first);
    gateway.pass(SECOND);
    assert!((120..180).contains(&count(&gateway, "split{s}:v2")));
    // A merge in between changes nothing.
    gateway.tick();
    gateway.pass(SECOND * 30);
    assert_eq!(count(&gateway, "split{s}:v2"), USERS as usize);
}

/// It needs the wall clock no longer, as its own time counts.
#[test]
fn a_restarted_rollout_does_not_follow_the_wall_clock() {
    let gateway = Gateway::new(&config(ROLLOUT, ""));
    let first = gateway.labels();
    gateway.pass(SECOND * 100);
    gateway.fail(1);
    gateway.tick();
    gateway.pass(SECOND * 60);
    gateway.set_wall_clock(START - SECOND);
    assert_eq!(gateway.labels(), first);
}

#[test]
fn the_rollout_of_another_variant_goes_on() {
    let other = ROLLOUT.replace(r#""variant": "v2""#, r#""variant": "v3""#);
    let gateway = Gateway::new(&config(&other, ""));
    gateway.pass(SECOND * 35);
    gateway.fail(1);
    gateway.tick();
    gateway.pass(SECOND * 60);
    // By the wall clock it is in its last step.
    assert_eq!(count(&gateway, "split{s}:v3"), USERS as usize);
}

/// A rollout that stands still in a step other than the one at the trip would move others.
#[test]
fn a_trip_before_the_start_falls_back_to_nobody() {
    let gateway = Gateway::new(&config(ROLLOUT, ""));
    gateway.set_wall_clock(START - SECOND);
    gateway.fail(1);
    gateway.tick();
    gateway.set_wall_clock(START + SECOND * 1000);
    assert_eq!(count(&gateway, "fallback{s}:v1"), 0);
    assert_eq!(count(&gateway, "split{s}:v2"), 0);
}

/// With the rollout of another variant, everybody gets what there would be without the trip, but for the variant.
#[test]
fn the_rollout_of_another_variant_goes_on_during_a_trip() {
    let other = ROLLOUT.replace(r#""variant": "v2""#, r#""variant": "v3""#);
    let tripped = Gateway::new(&config(&other, ""));
    let unguarded = Gateway::new(&config(&other, r#", "mode": "off""#));
    tripped.fail(1);
    tripped.tick();
    for _ in 0..5 {
        check_moved(&unguarded.labels(), &tripped.labels(), "v1");
        [&tripped, &unguarded].into_iter().for_each(|gateway| gateway.pass(SECOND * 11));
    }
}

proptest! {
    #![proptest_config(mesh_testkit::cases(64))]

    /// Weights, a rollout of the variant or none, and a time in it.
    #[test]
    fn nobody_else_moves_while_a_variant_is_off(
        weights in prop::array::uniform3(0u32..5),
        fall_back_to in prop_oneof![Just(0), Just(2)],
        is_rolled_out: bool,
        seconds in 0u64..120,
        later in 0u64..59,
        users in prop::collection::vec(any::<u64>(), 40),
    ) {
        let has_other = |index| weights.iter().enumerate().any(|(other, weight)| other != index && *weight > 0);
        prop_assume!(if is_rolled_out { has_other(1) } else { weights != [0; 3] });
        let [a, b, c] = weights;
        let rollout = if is_rolled_out { ROLLOUT } else { "" };
        let config = config(rollout, &format!(r#", "fall_back_to": "v{}""#, fall_back_to + 1))
            .replace(r#""v1", "weight": 2"#, &format!(r#""v1", "weight": {a}"#))
            .replace(r#""v2", "weight": 2"#, &format!(r#""v2", "weight": {b}"#))
            .replace(r#""v3", "weight": 1"#, &format!(r#""v3", "weight": {c}"#));
        let gateway = Gateway::new(&config);
        gateway.pass(Duration::from_secs(seconds));
        let labels = |gateway: &Gateway| -> Vec<String> {
            users.iter().map(|user| label(&gateway.decide(&format!("user: {user}")))).collect()
        };
        let before = labels(&gateway);
        gateway.fail(1);
        gateway.tick();
        gateway.pass(Duration::from_secs(later));
        for (before, now) in before.into_iter().zip(labels(&gateway)) {
            let expected = match before.as_str() {
                "split{s}:v2" => format!("fallback{{s}}:v{}", fall_back_to + 1),
                _ => before,
            };
            prop_assert_eq!(now, expected);
        }
    }
}
