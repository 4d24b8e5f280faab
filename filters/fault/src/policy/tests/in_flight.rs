//! Rules that depend on the number of requests in flight.

use super::{ALWAYS, Gateway, rules};

#[track_caller]
fn check(range: &str, in_flight: Option<u64>, expected: &str) {
    let gateway = Gateway::new(&rules(&[&format!(r#""in_flight": {range}, {ALWAYS}"#)]));
    let decision = gateway.decide_among("", in_flight);
    assert_eq!(gateway.outcome(&decision), expected, "{range} {in_flight:?}");
}

#[test]
fn a_rule_is_for_a_range_of_other_requests() {
    check(r#"{"at_least": 50}"#, Some(49), "no rule");
    check(r#"{"at_least": 50}"#, Some(50), "abort{a}");
    check(r#"{"below": 50}"#, Some(0), "abort{a}");
    check(r#"{"below": 50}"#, Some(49), "abort{a}");
    check(r#"{"below": 50}"#, Some(50), "no rule");
    check(r#"{"at_least": 2, "below": 3}"#, Some(2), "abort{a}");
    check(r#"{"at_least": 2, "below": 3}"#, Some(3), "no rule");
}

#[test]
fn a_number_that_is_not_known_is_in_no_range() {
    check(r#"{"at_least": 1}"#, None, "no rule");
    check(r#"{"below": 1000000}"#, None, "no rule");
}

/// `is_counted`: whether requests are counted for this config.
#[track_caller]
fn check_counted(top: &str, rule: &str, is_counted: bool) {
    let gateway = Gateway::new(&super::with_rules(top, &[rule]));
    assert_eq!(gateway.policy.counts_in_flight(), is_counted, "{top} {rule}");
}

#[test]
fn requests_are_counted_only_for_a_rule_that_asks() {
    let asks = format!(r#""in_flight": {{"at_least": 50}}, {ALWAYS}"#);
    check_counted("", &asks, true);
    check_counted(r#", "mode": "shadow""#, &asks, true);
    check_counted("", &format!(r#""mode": "shadow", {asks}"#), true);
    check_counted("", ALWAYS, false);
    check_counted(r#", "mode": "off""#, &asks, false);
}
