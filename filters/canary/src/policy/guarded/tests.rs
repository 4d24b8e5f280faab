use super::{Guarded, fingerprint};
use crate::config::{Split, parse};
use mesh_policy::scope::Scope;
use mesh_policy::time::Nanos;
use std::collections::BTreeMap;

/// A split with each field of a rollout and a guard.
const EVERYTHING: &str = r#"{"split": {"name": "s",
    "variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 1}, {"name": "v3", "weight": 1}, {"name": "v4", "weight": 0}],
    "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 10, "for": "5m"}, {"percentage": 100}]},
    "guard": {"variant": "v2", "baseline": "v1", "fall_back_to": "v3", "max_error_percentage": 5, "max_error_ratio": 2,
        "max_p95_ratio": 1.5, "min_requests": 100, "window": "1m", "hold": "10m", "max_trips": 3, "mode": "enforce"}}}"#;

fn split(config: &str) -> Split {
    let config = parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"));
    config.splits.0.into_iter().next().unwrap()
}

/// The fingerprint of [`EVERYTHING`] with another text in the place of one of its own.
#[track_caller]
fn with(own: &str, another: &str) -> u64 {
    assert_eq!(EVERYTHING.matches(own).count(), 1, "{own}");
    let split = split(&EVERYTHING.replace(own, another));
    fingerprint(split.guard.as_ref().unwrap(), split.rollout.as_ref())
}

#[test]
fn each_value_counts() {
    let changes = [
        ("", ""),
        // The guard.
        (r#""guard": {"variant": "v2""#, r#""guard": {"variant": "v4""#),
        (r#""baseline": "v1""#, r#""baseline": "v3""#),
        (r#""fall_back_to": "v3""#, r#""fall_back_to": "v1""#),
        (r#""max_error_percentage": 5"#, r#""max_error_percentage": 2"#),
        (r#""max_error_percentage": 5, "#, ""),
        (r#""max_error_ratio": 2"#, r#""max_error_ratio": 2.5"#),
        (r#""max_error_ratio": 2,"#, ""),
        (r#""max_error_ratio": 2"#, r#""max_error_ratio": 1.5"#),
        (r#""max_p95_ratio": 1.5"#, r#""max_p95_ratio": 2"#),
        (r#""max_p95_ratio": 1.5, "#, ""),
        (r#""min_requests": 100"#, r#""min_requests": 101"#),
        (r#""window": "1m""#, r#""window": "10m""#),
        (r#""window": "1m""#, r#""window": "59s""#),
        (r#""hold": "10m""#, r#""hold": "1m""#),
        (r#""max_trips": 3"#, r#""max_trips": 4"#),
        (r#""mode": "enforce""#, r#""mode": "shadow""#),
        // The rollout.
        (r#""rollout": {"variant": "v2""#, r#""rollout": {"variant": "v1""#),
        ("10:00:00Z", "10:00:01Z"),
        ("10:00:00Z", "10:00:00.000000001Z"),
        (r#"{"percentage": 10, "#, r#"{"percentage": 11, "#),
        (r#""for": "5m""#, r#""for": "4m""#),
        (r#"{"percentage": 100}"#, r#"{"percentage": 99}"#),
        (r#", {"percentage": 100}"#, r#", {"percentage": 50, "for": "5m"}, {"percentage": 100}"#),
        (r#""percentage": 10, "for": "5m"}, {"percentage": 100"#, r#""percentage": 100"#),
    ];
    let mut seen = BTreeMap::new();
    for (own, another) in changes {
        let found = if own.is_empty() { with("\"split\"", "\"split\"") } else { with(own, another) };
        if let Some(before) = seen.insert(found, another) {
            panic!("{before} and {another} are the same");
        }
    }
    let without = EVERYTHING.split_once(r#""rollout""#).unwrap().0.to_owned()
        + EVERYTHING.split_once("]},\n    \"guard\"").map(|_| "\"guard\"").unwrap()
        + EVERYTHING.split_once("\"guard\"").unwrap().1;
    let split = split(&without);
    assert!(split.rollout.is_none());
    assert!(!seen.contains_key(&fingerprint(split.guard.as_ref().unwrap(), None)));
}

/// A push that spells a value differently changes none.
#[test]
fn each_spelling_of_a_value_is_the_same() {
    let own = with("\"split\"", "\"split\"");
    for (text, another) in [
        (r#""window": "1m""#, r#""window": "60s""#),
        (r#""hold": "10m""#, r#""hold": "0h600s""#),
        (r#""for": "5m""#, r#""for": "300000ms""#),
        ("10:00:00Z", "11:00:00+01:00"),
        ("10:00:00Z", "10:00:00.000z"),
        (r#""max_error_percentage": 5"#, r#""max_error_percentage": 5.0"#),
        (r#""max_error_ratio": 2"#, r#""max_error_ratio": 2e0"#),
        (r#""min_requests": 100"#, r#""minRequests": 100.0"#),
        (r#""max_trips": 3, "mode": "enforce""#, r#""mode": null"#),
        (r#"{"percentage": 100}"#, r#"{"for": null, "percentage": 100.0000}"#),
    ] {
        assert_eq!(with(text, another), own, "{another}");
    }
}

/// Weights and parts may change without a restart: the state is of rollout and guard.
#[test]
fn what_else_a_split_has_does_not_count() {
    let own = with("\"split\"", "\"split\"");
    assert_eq!(with(r#"{"name": "v1", "weight": 1}"#, r#"{"name": "v1", "weight": 50}"#), own);
    assert_eq!(
        with(r#""name": "s","#, r#""name": "s", "sticky": ["path"], "match": {"methods": ["GET"]},"#),
        own
    );
}

fn guarded(config: &str) -> Option<Guarded> {
    Guarded::new(&split(config), &Scope::of_plugin("plugin"), Nanos(1))
}

#[test]
fn a_guard_knows_its_variants() {
    let found = guarded(EVERYTHING).unwrap();
    assert_eq!((found.variant, found.baseline, found.fall_back_to), (1, 0, 2));
    assert!(found.is_enforced && found.restarts_rollout);
    use crate::guard::Arm;
    assert_eq!(
        [0, 1, 2, 3].map(|variant| found.arm(variant)),
        [Some(Arm::Baseline), Some(Arm::Variant), None, None]
    );
}

#[test]
fn a_guard_in_shadow_takes_nothing_out_and_one_that_is_off_is_none() {
    let mode =
        |mode: &str| guarded(&EVERYTHING.replace(r#""mode": "enforce""#, &format!(r#""mode": "{mode}""#)));
    assert!(mode("enforce").unwrap().is_enforced);
    assert!(!mode("shadow").unwrap().is_enforced);
    assert!(mode("off").is_none());
}

/// The rollout of another variant is not the guard's business.
#[test]
fn only_the_rollout_of_its_variant_restarts() {
    let other = EVERYTHING.replace(r#""rollout": {"variant": "v2""#, r#""rollout": {"variant": "v1""#);
    assert!(!guarded(&other).unwrap().restarts_rollout);
}
