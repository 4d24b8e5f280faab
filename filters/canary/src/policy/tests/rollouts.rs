//! Shares that change with time.

use super::Gateway;
use super::gateway::{SECOND, START, label};
use std::collections::BTreeSet;
use std::time::Duration;

const USERS: u32 = 2000;

/// The example of the README: 10, 25, 50 and 100 %, five minutes each.
const CONFIG: &str = r#"{"split": {"name": "s", "sticky": [{"header": "user"}],
    "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]},
    "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z",
        "steps": [{"percentage": 10, "for": "5m"}, {"percentage": 25, "for": "5m"}, {"percentage": 50, "for": "5m"}, {"percentage": 100}]}}"#;

/// Users who get `v2`.
fn canaries(gateway: &Gateway) -> BTreeSet<u32> {
    (0..USERS).filter(|user| label(&gateway.decide(&format!("user: {user}"))).ends_with(":v2")).collect()
}

/// The percentage of the users who get `v2`, within two points.
#[track_caller]
fn check(gateway: &Gateway, percentage: u32) {
    let found = canaries(gateway).len() as f64 * 100.0 / f64::from(USERS);
    assert!((found - f64::from(percentage)).abs() < 2.0, "{found} {percentage}");
    if matches!(percentage, 0 | 100) {
        assert!((found - f64::from(percentage)).abs() < f64::EPSILON, "{found}");
    }
}

const STEP: Duration = Duration::from_secs(300);
const BLINK: Duration = Duration::from_nanos(1);

#[test]
fn each_step_begins_at_its_time() {
    let gateway = Gateway::new(CONFIG);
    for (time, percentage) in [
        (START - SECOND * 86_400, 0),
        (START - BLINK, 0),
        (START, 10),
        (START + STEP - BLINK, 10),
        (START + STEP, 25),
        (START + STEP * 2 - BLINK, 25),
        (START + STEP * 2, 50),
        (START + STEP * 3 - BLINK, 50),
        (START + STEP * 3, 100),
        (START + STEP * 100_000, 100),
    ] {
        gateway.set_wall_clock(time);
        check(&gateway, percentage);
    }
}

#[test]
fn nobody_leaves_a_variant_that_grows() {
    let gateway = Gateway::new(CONFIG);
    let mut before = BTreeSet::new();
    for step in 0..4 {
        gateway.set_wall_clock(START + STEP * step);
        let now = canaries(&gateway);
        assert!(now.is_superset(&before) && now.len() > before.len(), "{step}");
        before = now;
    }
}

/// All proxies agree without talking: only the wall clock counts, not when a config was loaded.
#[test]
fn two_proxies_agree() {
    let (early, late) = (Gateway::new(CONFIG), Gateway::new(CONFIG));
    early.pass(STEP + SECOND);
    late.set_wall_clock(START + STEP + SECOND);
    assert_eq!(canaries(&early), canaries(&late));
}

/// A clock that is set back takes users back: the schedule is a function of the wall clock.
#[test]
fn a_clock_that_is_set_back_is_followed() {
    let gateway = Gateway::new(CONFIG);
    gateway.set_wall_clock(START + STEP);
    check(&gateway, 25);
    gateway.set_wall_clock(START);
    check(&gateway, 10);
}

#[test]
fn the_others_share_the_rest_by_weight() {
    let config = CONFIG.replace(
        r#"[{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]"#,
        r#"[{"name": "v1", "weight": 3}, {"name": "v2", "weight": 0}, {"name": "v3", "weight": 1}]"#,
    );
    let gateway = Gateway::new(&config);
    gateway.set_wall_clock(START + STEP * 2);
    let share = |variant: &str| {
        let count = (0..USERS)
            .filter(|user| label(&gateway.decide(&format!("user: {user}"))).ends_with(variant))
            .count();
        count as f64 / f64::from(USERS)
    };
    for (variant, expected) in [(":v1", 0.375), (":v2", 0.5), (":v3", 0.125)] {
        assert!((share(variant) - expected).abs() < 0.02, "{variant} {}", share(variant));
    }
}

/// Users without identity get the same shares.
#[test]
fn a_rollout_needs_no_identity() {
    let gateway = Gateway::new(&CONFIG.replace(r#""sticky": [{"header": "user"}],"#, ""));
    gateway.set_wall_clock(START - SECOND);
    check(&gateway, 0);
    gateway.set_wall_clock(START);
    check(&gateway, 10);
    gateway.set_wall_clock(START + STEP * 3);
    check(&gateway, 100);
}

/// The wall clock is read only where a rollout needs it.
#[test]
fn a_split_without_a_rollout_needs_no_clock() {
    let without = CONFIG.split_once(r#""rollout""#).unwrap().0.trim_end_matches(",\n    ").to_owned() + "}";
    let gateway = Gateway::new(&without);
    gateway.decide("user: alice");
    assert_eq!(gateway.host.borrow().asked, [0; 4]);
    let gateway = Gateway::new(CONFIG);
    gateway.decide("user: alice");
    assert_eq!(gateway.host.borrow().asked, [0, 0, 1, 0]);
}
