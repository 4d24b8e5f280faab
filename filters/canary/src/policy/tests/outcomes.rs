//! What is counted of responses.

use super::Gateway;
use super::gateway::{SECOND, label};
use mesh_policy::outcome::{Outcome, Timing};
use mesh_policy::policy::Decide as _;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// Two splits by a header; the second one's guard compares `b2` with `b1` and not with `b3`.
const CONFIG: &str = r#"{"splits": [
    {"name": "a", "match": {"headers": [{"name": "a", "present": true}]}, "sticky": [{"header": "user"}],
     "variants": [{"name": "a1", "weight": 1}, {"name": "a2", "weight": 1}]},
    {"name": "b", "sticky": [{"header": "user"}],
     "variants": [{"name": "b1", "weight": 1}, {"name": "b2", "weight": 1}, {"name": "b3", "weight": 1}],
     "guard": {"variant": "b2", "baseline": "b1", "max_error_percentage": 5}}]}"#;

/// The header of a user who gets this variant. `split`: another header that picks the split.
fn user(gateway: &Gateway, split: &str, variant: &str) -> String {
    let headers = (0..1000).map(|user| format!("user: {user}; {split}: 1"));
    let expected = format!(":{variant}");
    headers.into_iter().find(|headers| label(&gateway.decide(headers)).ends_with(&expected)).unwrap()
}

/// What a tick adds to counters.
fn reported(gateway: &Gateway) -> Vec<(String, u64)> {
    gateway.tick().counts.iter().map(|count| (gateway.name(*count), count.number)).collect()
}

fn counts(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
}

#[test]
fn outcomes_are_counted_by_split_and_variant_and_reported_in_one() {
    let gateway = Gateway::new(CONFIG);
    let a2 = gateway.decide(&user(&gateway, "a", "a2"));
    let b3 = gateway.decide(&user(&gateway, "b", "b3"));
    for (verdict, is_error) in [(&a2, false), (&b3, true), (&a2, true), (&a2, false)] {
        gateway.observe(verdict, is_error);
    }
    let expected = [("requests a a2", 3), ("errors a a2", 1), ("requests b b3", 1), ("errors b b3", 1)];
    assert_eq!(reported(&gateway), counts(&expected));
    assert_eq!(reported(&gateway), []);
}

/// Errors that are none are counted too, as 0: the host layer leaves them out.
#[test]
fn requests_without_errors_are_counted() {
    let gateway = Gateway::new(CONFIG);
    let verdict = gateway.decide(&user(&gateway, "a", "a1"));
    gateway.observe(&verdict, false);
    assert_eq!(reported(&gateway), counts(&[("requests a a1", 1), ("errors a a1", 0)]));
}

#[test]
fn a_tick_is_asked_for_once_while_there_is_something_to_report() {
    let gateway = Gateway::new(CONFIG);
    let verdict = gateway.decide(&user(&gateway, "a", "a1"));
    assert_eq!(gateway.observe(&verdict, false), Some(SECOND));
    assert_eq!(gateway.observe(&verdict, true), None);
    let guarded = gateway.decide(&user(&gateway, "b", "b2"));
    // The guard has nothing to merge before.
    assert_eq!(gateway.observe(&guarded, false), Some(SECOND));
    assert_eq!(gateway.observe(&guarded, false), None);
    assert_eq!(gateway.tick().tick_after, None);
    assert_eq!(gateway.observe(&verdict, false), Some(SECOND));
    assert_eq!(gateway.tick().tick_after, None);
}

#[test]
fn a_short_window_is_merged_more_often() {
    let gateway = Gateway::new(&CONFIG.replace(r#""max_error"#, r#""window": "2s", "max_error"#));
    let guarded = gateway.decide(&user(&gateway, "b", "b1"));
    assert_eq!(gateway.observe(&guarded, false), Some(Duration::from_millis(200)));
}

/// Only what the split has assigned is observed, with its arrival only where the guard compares it.
#[test]
fn an_arrival_is_kept_where_the_guard_counts() {
    let gateway = Gateway::new(CONFIG);
    for (split, variant, is_counted) in
        [("a", "a1", false), ("a", "a2", false), ("b", "b1", true), ("b", "b2", true), ("b", "b3", false)]
    {
        let observation = gateway.decide(&user(&gateway, split, variant)).observation.unwrap();
        assert_eq!(observation.began, is_counted.then_some(Nanos(1_000_000_000_000)), "{variant}");
    }
}

#[test]
fn a_grpc_request_is_observed_as_one() {
    let gateway = Gateway::new(CONFIG);
    let is_grpc = |headers: &str| gateway.decide(headers).observation.unwrap().is_grpc;
    assert!(is_grpc("content-type: application/grpc") && !is_grpc("content-type: application/json"));
    assert!(is_grpc("user: alice; content-type: application/grpc+json") && !is_grpc("user: alice"));
}

#[test]
fn only_what_a_split_assigns_is_observed() {
    let gateway = Gateway::new(
        r#"{"default": "v1", "trusted_override": {"header": "o", "match": {}},
            "rules": [{"name": "r", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v2"}]}"#,
    );
    for headers in ["a: 1", "o: v2", "b: 1"] {
        assert_eq!(gateway.decide(headers).observation, None, "{headers}");
    }
    let in_shadow = CONFIG.replacen('{', r#"{"mode": "shadow", "#, 1);
    assert_eq!(Gateway::new(&in_shadow).decide("a: 1").observation, None);
}

/// A subject of a config that had more splits, as hosts may do what they like.
#[test]
fn an_outcome_of_nobody_counts_nothing() {
    let gateway = Gateway::new(CONFIG);
    let timing = Some(Timing { began: Nanos(0), took: SECOND, known_at: Nanos(0).after(SECOND) });
    for subject in [5, usize::MAX] {
        gateway.policy.observe(&Outcome { subject, timing, is_error: true });
    }
    assert_eq!(reported(&gateway), []);
}

/// Counts of another worker, or of this one, are not lost where the store fails: the next tick has them.
#[test]
fn a_merge_that_fails_is_tried_again() {
    let gateway = Gateway::new(CONFIG);
    let guarded = gateway.decide(&user(&gateway, "b", "b2"));
    gateway.observe(&guarded, true);
    gateway.host.borrow_mut().has_store = false;
    assert_eq!(gateway.tick().tick_after, Some(SECOND));
    gateway.host.borrow_mut().has_store = true;
    assert_eq!(gateway.tick().tick_after, None);
}
