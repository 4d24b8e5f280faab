//! Requests that pass without a look at all their headers.

use super::{ALWAYS, Gateway, with_rules};

/// The headers of which a request must have one, `-` if that is not enough to tell.
#[track_caller]
fn check(top: &str, rules: &[&str], expected: &str) {
    let rules: Vec<_> = rules.iter().map(|fields| format!("{fields}{ALWAYS}")).collect();
    let gateway = Gateway::new(&with_rules(top, &rules.iter().map(String::as_str).collect::<Vec<_>>()));
    let probes = gateway.policy.probes();
    let probes = probes.map(|probes| probes.iter().map(|probe| probe.as_str()).collect::<Vec<_>>().join(" "));
    assert_eq!(probes.as_deref().unwrap_or("-"), expected, "{top} {rules:?}");
}

const A: &str = r#""match": {"headers": [{"name": "a", "exact": "1"}]}, "#;
const B: &str = r#""match": {"headers": [{"name": "b", "present": true}], "path": {"prefix": "/"}}, "#;

#[test]
fn a_rule_that_needs_a_header_is_for_no_request_without_it() {
    check("", &[], "");
    check("", &[A], "a");
    check("", &[A, B, A], "a b");
    check("", &[A, ""], "-");
    check("", &[A, r#""mode": "off", "#], "a");
    check("", &[r#""mode": "shadow", "#], "-");
    check("", &[r#""match": {"headers": [{"name": "a", "present": false}]}, "#], "-");
    check(
        "",
        &[r#""match": {"headers": [{"name": "a", "present": false}, {"name": "b", "exact": "1"}]}, "#],
        "b",
    );
    check("", &[r#""match": {"not": {"headers": [{"name": "a", "present": true}]}}, "#], "-");
    check("", &[r#""match": {"any": [{"headers": [{"name": "a", "present": true}]}]}, "#], "-");
    check("", &[r#""match": {"cookies": [{"name": "a", "present": true}]}, "#], "-");
}

#[test]
fn headers_are_asked_for_one_by_one_up_to_four() {
    let rules: Vec<_> = ('a'..='e')
        .map(|name| format!(r#""match": {{"headers": [{{"name": "{name}", "exact": "1"}}]}}, "#))
        .collect();
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    check("", &rules[..4], "a b c d");
    check("", &rules, "-");
}

#[test]
fn what_sees_every_request_needs_more() {
    check(r#", "trigger": {"secret": "12345678"}"#, &[A], "-");
    check(r#", "budget": {"percentage": 10}"#, &[A], "-");
    check(r#", "decision_log": "all""#, &[A], "-");
    check(r#", "expires_at": "2030-01-01T00:00:00Z""#, &[A], "a");
}
