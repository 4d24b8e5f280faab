//! Requests that were faulted before.

use super::gateway::{label, shown};
use super::{ALWAYS, DELAY, Gateway, check, with_rules};

const BY_A: &str = r#""match": {"headers": [{"name": "a", "present": true}]}"#;

#[test]
fn a_marked_request_is_not_faulted_again() {
    let rule = format!("{BY_A}, {ALWAYS}");
    check(
        &with_rules("", &[&rule]),
        &[
            ("a: 1", &[], "abort{a}"),
            ("a: 1; x-mesh-fault: other", &[], "marked"),
            ("a: 1; x-mesh-fault: ", &[], "marked"),
            ("a: 1; X-Mesh-Fault: other", &[], "marked"),
            // No rule is for it.
            ("b: 1; x-mesh-fault: other", &[], "no rule"),
            // Another header.
            ("a: 1; x_mesh_fault: other", &[], "abort{a}"),
        ],
    );
    check(&with_rules(r#", "stack": true"#, &[&rule]), &[("a: 1; x-mesh-fault: other", &[], "abort{a}")]);
    check(
        &with_rules(r#", "marker": {"request_header": ""}"#, &[&rule]),
        &[("a: 1; x-mesh-fault: other", &[], "abort{a}")],
    );
    check(
        &with_rules(r#", "marker": {"request_header": "x-injected"}"#, &[&rule]),
        &[("a: 1; x-mesh-fault: other", &[], "abort{a}"), ("a: 1; x-injected: other", &[], "marked")],
    );
}

#[test]
fn a_marked_request_is_not_rolled_in_shadow_either() {
    check(
        &with_rules("", &[&format!(r#""mode": "shadow", {DELAY}"#), ALWAYS]),
        &[("x-mesh-fault: other", &[], "marked")],
    );
}

#[test]
fn a_marked_request_is_counted() {
    let gateway = Gateway::new(&with_rules("", &[ALWAYS]));
    let decision = gateway.decide("x-mesh-fault: other");
    let noted = gateway.policy.noted(&decision);
    assert_eq!((gateway.counted(&noted), label(&noted).as_str()), (vec!["marked".to_owned()], "marked"));
}

/// The edits of a request and its response that go on after a delay.
#[track_caller]
fn check_marks(top: &str, is_upstream: bool, request: &[&str], response: &[&str]) {
    const RULE: &str = r#""delay": {"percentage": 100, "fixed": "1s"}"#;
    let gateway = Gateway::new(&with_rules(top, &[RULE]));
    let fault = gateway.decide("").outcome.unwrap();
    let verdict = gateway.policy.proceed(&fault, is_upstream);
    assert_eq!(shown(&verdict.request), request, "{top}");
    assert_eq!(shown(&verdict.response), response, "{top}");
    assert!(verdict.refusal.is_none() && verdict.counts.is_empty() && verdict.decision.is_none());
}

#[test]
fn what_goes_on_after_a_delay_is_marked() {
    const REQUEST: &[&str] = &["add x-mesh-fault: a"];
    check_marks("", false, REQUEST, REQUEST);
    check_marks(r#", "stack": true"#, false, REQUEST, REQUEST);
    check_marks(r#", "marker": {"request_header": "", "response_header": "r"}"#, false, &[], &["add r: a"]);
    check_marks(r#", "marker": {"request_header": "q", "response_header": ""}"#, false, &["add q: a"], &[]);
    // It would stay for the attempts that follow.
    check_marks("", true, &[], REQUEST);
}

#[test]
fn a_request_that_was_not_delayed_is_not_marked() {
    const RULE: &str = r#""response": {"percentage": 100, "status": 502}"#;
    let gateway = Gateway::new(&with_rules("", &[RULE]));
    let fault = gateway.decide("").outcome.unwrap();
    let verdict = gateway.policy.proceed(&fault, false);
    assert!(verdict.request.is_empty() && verdict.response.is_empty());
}
