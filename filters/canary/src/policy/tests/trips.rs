//! Guards that take a variant out.

use super::gateway::{SECOND, label};
use super::{Gateway, written};
use mesh_policy::outcome::{Outcome, Timing};
use mesh_policy::policy::Decide as _;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const USERS: u32 = 300;

/// Three variants; a guard of v2 with a window of 10 s and a hold of a minute.
pub(super) fn config(top: &str, guard: &str) -> String {
    format!(
        r#"{{"split": {{"name": "s", "sticky": [{{"header": "user"}}],
            "variants": [{{"name": "v1", "weight": 2}}, {{"name": "v2", "weight": 2}}, {{"name": "v3", "weight": 1}}]}},
            "guard": {{"variant": "v2", "baseline": "v1", "max_error_percentage": 50, "min_requests": 10, "window": "10s",
                "hold": "1m", "max_trips": 2{guard}}}{top}}}"#
    )
}

impl Gateway {
    /// Twenty requests fail that the first split has given to a variant, by its index.
    pub(super) fn fail(&self, variant: usize) {
        let subject = self.policy.subjects.iter().position(|subject| *subject == (0, variant)).unwrap();
        let began = self.host.borrow().clock();
        for _ in 0..20 {
            let timing = Some(Timing { began, took: Duration::ZERO, known_at: began });
            self.policy.observe(&Outcome { subject, timing, is_error: true });
        }
    }

    /// The label of each user.
    pub(super) fn labels(&self) -> BTreeMap<u32, String> {
        (0..USERS).map(|user| (user, label(&self.decide(&format!("user: {user}"))))).collect()
    }
}

/// Nobody but those who would get v2 moves, and they get `fall_back_to`.
#[track_caller]
pub(super) fn check_moved(
    before: &BTreeMap<u32, String>,
    tripped: &BTreeMap<u32, String>,
    fall_back_to: &str,
) {
    assert!(before.values().any(|label| label == "split{s}:v2"));
    for (user, before) in before {
        let expected = match before.as_str() {
            "split{s}:v2" => format!("fallback{{s}}:{fall_back_to}"),
            other => other.to_owned(),
        };
        assert_eq!(tripped[user], expected, "{user}");
    }
}

#[test]
fn a_variant_that_fails_is_off_for_the_hold_and_then_back() {
    let gateway = Gateway::new(&config("", ""));
    gateway.start();
    let before = gateway.labels();
    gateway.fail(1);
    // Nothing has been judged yet.
    assert_eq!(gateway.labels(), before);
    gateway.tick();
    check_moved(&before, &gateway.labels(), "v1");
    gateway.pass(SECOND * 59);
    check_moved(&before, &gateway.labels(), "v1");
    gateway.pass(SECOND);
    assert_eq!(gateway.labels(), before);
}

#[test]
fn after_its_last_trip_a_variant_stays_off() {
    let gateway = Gateway::new(&config("", ""));
    let before = gateway.labels();
    gateway.fail(1);
    gateway.tick();
    gateway.pass(SECOND * 60);
    gateway.tick();
    assert_eq!(gateway.labels(), before);
    gateway.fail(1);
    gateway.tick();
    for _ in 0..10 {
        check_moved(&before, &gateway.labels(), "v1");
        gateway.pass(Duration::from_secs(86_400));
    }
}

#[test]
fn who_fell_back_is_told_so() {
    let gateway = Gateway::new(&config("", r#", "fall_back_to": "v3""#));
    let before = gateway.labels();
    gateway.fail(1);
    gateway.tick();
    check_moved(&before, &gateway.labels(), "v3");
    let (user, _) = before.iter().find(|(_, label)| label.ends_with(":v2")).unwrap();
    let verdict = gateway.decide(&format!("user: {user}"));
    assert_eq!(written(&verdict, "x-mesh-variant"), "v3");
    assert!(verdict.decision.as_ref().unwrap().is_notable);
    assert_eq!(gateway.counted(&verdict), ["decisions fallback s"]);
    // It is counted where it went.
    gateway.observe(&verdict, false);
    let names: Vec<_> = gateway.tick().counts.iter().map(|count| gateway.name(*count)).collect();
    assert_eq!(names, ["requests s v3", "errors s v3"]);
}

/// It is of more interest than what would have decided.
#[test]
fn a_fallback_is_recorded_before_a_part_in_shadow() {
    let gateway =
        Gateway::new(&config(r#", "rules": [{"name": "r", "variant": "v4", "mode": "shadow"}]"#, ""));
    let before = gateway.labels();
    assert!(before.values().all(|label| label == "shadow{r}:v4"));
    gateway.fail(1);
    gateway.tick();
    let after: std::collections::BTreeSet<_> = gateway.labels().into_values().collect();
    assert_eq!(after.into_iter().collect::<Vec<_>>(), ["fallback{s}:v1", "shadow{r}:v4"]);
}

#[test]
fn other_decisions_are_not_notable() {
    let gateway = Gateway::new(&config(r#", "default": "v1""#, ""));
    assert!(!gateway.decide("user: alice").decision.unwrap().is_notable);
    assert!(!Gateway::new("").decide("").decision.unwrap().is_notable);
}

#[test]
fn a_trip_is_one_line_a_counter_and_a_gauge() {
    let gateway = Gateway::new(&config("", ""));
    let level = |report: &mesh_policy::report::Report<super::super::Metric>| {
        report.gauges.iter().map(|gauge| gauge.value).collect::<Vec<_>>()
    };
    assert_eq!(level(&gateway.start()), [0]);
    gateway.fail(1);
    let report = gateway.tick();
    assert_eq!(
        report.warnings,
        [
            "split s: v2 is off, v1 takes its requests: errors 100.0 % of 20 requests, allowed 50 %; trip 1 of 2, off for 1m"
        ]
    );
    let counts: Vec<_> = report.counts.iter().map(|count| (gateway.name(*count), count.number)).collect();
    let expected = [("requests s v2", 20), ("errors s v2", 20), ("trips s", 1)];
    assert_eq!(counts, expected.map(|(name, number)| (name.to_owned(), number)));
    assert_eq!(level(&report), [1]);
    // The next merge is when the variant returns, so that the gauge shows it.
    assert_eq!(report.tick_after, Some(SECOND * 60));
    gateway.pass(SECOND);
    gateway.fail(1);
    let report = gateway.tick();
    assert!(report.warnings.is_empty() && report.tick_after == Some(SECOND * 59), "{report:?}");
    gateway.pass(SECOND * 59);
    let report = gateway.tick();
    assert_eq!((level(&report), report.tick_after), (vec![0], None));
    gateway.fail(1);
    let report = gateway.tick();
    assert!(report.warnings[0].ends_with("trip 2 of 2, off for good"), "{:?}", report.warnings);
    assert_eq!(report.tick_after, None);
}

#[test]
fn in_shadow_a_trip_is_a_line_a_counter_and_a_gauge_and_moves_nobody() {
    let gateway = Gateway::new(&config("", r#", "mode": "shadow""#));
    let before = gateway.labels();
    gateway.fail(1);
    let report = gateway.tick();
    assert!(report.warnings[0].starts_with("split s: v2 would be off, v1 would take its requests: errors"));
    assert_eq!(report.gauges.iter().map(|gauge| gauge.value).collect::<Vec<_>>(), [1]);
    assert_eq!(gateway.name(report.counts[2]), "trips s");
    assert_eq!(gateway.labels(), before);
}

#[test]
fn a_guard_that_is_off_or_of_a_split_in_shadow_does_nothing() {
    // A split that decides without a guard looks once for the state of an earlier one.
    for (config, looks) in [
        (config("", r#", "mode": "off""#), 1),
        (config(r#", "mode": "shadow""#, ""), 0),
        (config("", "").replacen(r#""name": "s","#, r#""name": "s", "mode": "shadow","#, 1), 0),
    ] {
        let gateway = Gateway::new(&config);
        gateway.start();
        let before = gateway.labels();
        gateway.fail(1);
        let report = gateway.tick();
        assert!(report.warnings.is_empty() && report.tick_after.is_none(), "{config}");
        assert_eq!(gateway.labels(), before);
        gateway.fail(1);
        gateway.tick();
        assert_eq!(gateway.host.borrow().asked[3], looks, "{config}");
    }
}

/// Only what a split assigns is taken out.
#[test]
fn rules_and_overrides_keep_their_variant() {
    let top = r#", "trusted_override": {"header": "o", "match": {}},
        "rules": [{"name": "r", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v2"}]"#;
    let gateway = Gateway::new(&config(top, ""));
    gateway.fail(1);
    gateway.tick();
    assert_eq!(label(&gateway.decide("a: 1")), "rule{r}:v2");
    assert_eq!(label(&gateway.decide("o: v2")), "override:v2");
}

#[test]
fn a_failing_baseline_or_another_variant_trips_nothing() {
    for variant in [0, 2] {
        let gateway = Gateway::new(&config("", ""));
        let before = gateway.labels();
        gateway.fail(variant);
        assert!(gateway.tick().warnings.is_empty());
        assert_eq!(gateway.labels(), before);
    }
}

/// Whoever has no identity falls back as well.
#[test]
fn random_users_fall_back() {
    let config = config("", "").replace(r#""sticky": [{"header": "user"}],"#, "");
    let gateway = Gateway::new(&config);
    gateway.fail(1);
    gateway.tick();
    let labels: std::collections::BTreeSet<_> = (0..200).map(|_| label(&gateway.decide(""))).collect();
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["fallback{s}:v1", "split{s}:v1", "split{s}:v3"]);
}

/// A shared record that holds something else is none.
#[test]
fn a_damaged_state_is_none() {
    let gateway = Gateway::new(&config("", ""));
    let before = gateway.labels();
    gateway.fail(1);
    gateway.tick();
    gateway.host.borrow_mut().damage();
    gateway.pass(SECOND);
    assert_eq!(gateway.labels(), before);
}
