//! The time of a config, and its budget.

use super::gateway::START;
use super::{ABORT, ALWAYS, Gateway, NO, YES, with_rules};
use std::time::Duration;

/// [`START`], when the config expires.
const EXPIRY: &str = r#", "expires_at": "2026-11-21T00:00:00Z""#;
const TENTH: &str = r#", "budget": {"percentage": 10, "window": "1m"}"#;

#[test]
fn a_config_expires_at_its_instant() {
    let gateway = Gateway::new(&with_rules(EXPIRY, &[ALWAYS]));
    let check = |since_epoch: Duration, expected: &str| {
        gateway.host.borrow_mut().since_epoch = since_epoch;
        assert_eq!(gateway.outcome(&gateway.decide("")), expected, "{since_epoch:?}");
    };
    check(Duration::ZERO, "abort{a}");
    check(START - Duration::from_nanos(1), "abort{a}");
    check(START, "expired");
    check(START + Duration::from_nanos(1), "expired");
    check(Duration::MAX, "expired");
}

#[test]
fn without_a_wall_clock_a_config_that_expires_has_expired() {
    for (top, expected) in [(EXPIRY, "expired"), ("", "abort{a}")] {
        let gateway = Gateway::new(&with_rules(top, &[ALWAYS]));
        gateway.host.borrow_mut().since_epoch = Duration::ZERO;
        gateway.host.borrow_mut().has_wall_clock = false;
        assert_eq!(gateway.outcome(&gateway.decide("")), expected);
    }
}

/// It is read only if a rule is for the request.
#[test]
fn the_wall_clock_is_read_only_where_it_matters() {
    let gateway =
        Gateway::new(&with_rules(EXPIRY, &[&format!(r#""match": {{"methods": ["PUT"]}}, {ALWAYS}"#)]));
    gateway.decide(":method: GET");
    assert_eq!(gateway.host.borrow().asked, [0, 0, 0]);
    gateway.decide(":method: PUT");
    assert_eq!(gateway.host.borrow().asked, [0, 0, 1]);
}

#[test]
fn an_expired_config_rolls_nothing_and_is_counted() {
    let gateway = Gateway::new(&with_rules(EXPIRY, &[&format!(r#""mode": "shadow", {ABORT}"#), ABORT]));
    let decision = gateway.decide("");
    assert_eq!(gateway.counted(&gateway.policy.noted(&decision)), ["expired"]);
    assert_eq!(gateway.host.borrow().asked[0], 0);
}

#[test]
fn a_tenth_of_the_requests_is_faulted_and_no_more() {
    let gateway = Gateway::new(&with_rules(TENTH, &[ALWAYS]));
    let faulted = (1..=2000)
        .filter(|number| {
            gateway.pass(Duration::from_millis(5));
            let outcome = gateway.outcome(&gateway.decide(""));
            // The first nine have no room.
            assert!(*number >= 10 || outcome == "over budget{a}", "{number}");
            outcome == "abort{a}"
        })
        .count();
    assert_eq!(faulted, 200);
}

#[test]
fn only_faults_spend_the_budget() {
    let gateway = Gateway::new(&with_rules(TENTH, &[ABORT]));
    for _ in 0..9 {
        gateway.roll(&[NO]);
        assert_eq!(gateway.outcome(&gateway.decide("")), "dice{a}");
    }
    gateway.roll(&[YES, YES]);
    assert_eq!(gateway.outcome(&gateway.decide("")), "abort{a}");
    assert_eq!(gateway.outcome(&gateway.decide("")), "over budget{a}");
}

#[test]
fn excluded_requests_do_not_fill_the_budget_and_others_do() {
    let top = format!(r#"{TENTH}, "exclude": {{"path": {{"exact": "/health"}}}}"#);
    let gateway =
        Gateway::new(&with_rules(&top, &[&format!(r#""match": {{"methods": ["PUT"]}}, {ALWAYS}"#)]));
    let after = |headers: &str| {
        (0..100).for_each(|_| _ = gateway.decide(headers));
        gateway.outcome(&gateway.decide(":path: /; :method: PUT"))
    };
    assert_eq!(after(":path: /health; :method: PUT"), "over budget{a}");
    assert_eq!(after(":path: /; :method: GET"), "abort{a}");
}

#[test]
fn what_a_rule_in_shadow_would_do_spends_nothing() {
    let gateway = Gateway::new(&with_rules(TENTH, &[&format!(r#""mode": "shadow", {ALWAYS}"#)]));
    for _ in 0..100 {
        assert_eq!(gateway.outcome(&gateway.decide("")), "shadow abort{a}, no rule");
    }
}

#[test]
fn a_budget_of_nothing_faults_nothing_and_one_of_everything_is_none() {
    for (percentage, expected) in [("0", "over budget{a}"), ("100", "abort{a}")] {
        let gateway =
            Gateway::new(&with_rules(&format!(r#", "budget": {{"percentage": {percentage}}}"#), &[ALWAYS]));
        for _ in 0..100 {
            assert_eq!(gateway.outcome(&gateway.decide("")), expected);
        }
    }
}

#[test]
fn a_budget_needs_the_clock() {
    let gateway = Gateway::new(&with_rules(TENTH, &[ALWAYS]));
    gateway.host.borrow_mut().has_clock = false;
    let decision = gateway.decide("");
    assert_eq!(gateway.outcome(&decision), "failed");
    assert_eq!(gateway.counted(&gateway.policy.noted(&decision)), ["failed"]);
}

#[test]
fn a_request_beyond_the_budget_is_counted_by_its_rule() {
    for mode in ["enforce", "shadow"] {
        let top = format!(r#"{TENTH}, "mode": "{mode}""#);
        let rule = format!(r#""match": {{"methods": ["PUT"]}}, {ALWAYS}"#);
        let gateway = Gateway::new(&with_rules(&top, &[&rule, ALWAYS]));
        let noted = |headers: &str| {
            let decision = gateway.decide(headers);
            let noted = gateway.policy.noted(&decision);
            (gateway.counted(&noted), super::gateway::label(&noted))
        };
        let expected = |name: &str| (vec![format!("over_budget {name}")], format!("over_budget{{{name}}}"));
        assert_eq!(noted(":method: GET"), expected("b"), "{mode}");
        assert_eq!(noted(":method: PUT"), expected("a"), "{mode}");
    }
}
