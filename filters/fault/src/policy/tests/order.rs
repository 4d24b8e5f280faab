//! Which rule decides.

use super::{ABORT, ALWAYS, DELAY, NO, YES, check, rules, with_rules};

const BY_A: &str = r#""match": {"headers": [{"name": "a", "present": true}]}"#;

#[test]
fn the_first_rule_that_matches_decides_whatever_its_dice_say() {
    let config = rules(&[&format!("{BY_A}, {ABORT}"), ALWAYS]);
    check(&config, &[("a: 1", &[YES], "abort{a}"), ("a: 1", &[NO], "dice{a}"), ("c: 1", &[], "abort{b}")]);
}

#[test]
fn without_a_rule_that_matches_nothing_happens() {
    check("", &[("a: 1", &[], "no rule")]);
    check(&rules(&[&format!("{BY_A}, {ABORT}")]), &[("", &[], "no rule"), (":method: GET", &[], "no rule")]);
}

#[test]
fn a_rule_in_shadow_is_rolled_and_the_search_goes_on() {
    let config = rules(&[&format!(r#""mode": "shadow", {ABORT}"#), DELAY]);
    check(
        &config,
        &[
            ("", &[YES, YES], "shadow abort{a}, delay{b}"),
            ("", &[YES, NO], "shadow abort{a}, dice{b}"),
            ("", &[NO, YES], "delay{b}"),
            ("", &[NO, NO], "dice{b}"),
        ],
    );
    let all = rules(&[&format!(r#""mode": "shadow", {ABORT}"#), &format!(r#""mode": "shadow", {DELAY}"#)]);
    check(
        &all,
        &[("", &[YES, YES], "shadow abort{a}, shadow delay{b}, no rule"), ("", &[NO, NO], "no rule")],
    );
}

#[test]
fn a_rule_that_is_off_is_none() {
    check(&rules(&[&format!(r#""mode": "off", {ABORT}"#), DELAY]), &[("", &[YES], "delay{b}")]);
}

/// The filter's mode says what becomes of a decision, and has no part in it.
#[test]
fn in_shadow_the_filter_decides_as_if_it_were_not() {
    let enforced = |mode: &str| {
        let gateway = super::Gateway::new(&with_rules(&format!(r#", "mode": "{mode}""#), &[ALWAYS]));
        let decision = gateway.decide("");
        (gateway.outcome(&decision), gateway.policy.enforced(&decision).is_some())
    };
    assert_eq!(enforced("enforce"), ("abort{a}".to_owned(), true));
    assert_eq!(enforced("shadow"), ("abort{a}".to_owned(), false));
}

/// `/a/../b` is `/b` to some upstreams, and `/a/../b` to others.
#[test]
fn an_undecided_match_does_not_hold_and_an_undecided_exclude_does() {
    const ADMIN: &str = r#"{"path": {"prefix": "/a/"}}"#;
    let of = |matches: &str| rules(&[&format!(r#""match": {matches}, {ABORT}"#)]);
    check(
        &of(ADMIN),
        &[
            (":path: /a/1", &[YES], "abort{a}"),
            (":path: /a/../b", &[], "no rule"),
            (":path: /b", &[], "no rule"),
        ],
    );
    check(
        &of(&format!(r#"{{"not": {ADMIN}}}"#)),
        &[
            (":path: /a/1", &[], "no rule"),
            (":path: /a/../b", &[], "no rule"),
            (":path: /b", &[YES], "abort{a}"),
        ],
    );
    check(
        &with_rules(&format!(r#", "exclude": {ADMIN}"#), &[ABORT]),
        &[
            (":path: /a/1", &[], "excluded"),
            (":path: /a/../b", &[], "excluded"),
            (":path: /b", &[YES], "abort{a}"),
        ],
    );
}

#[test]
fn what_is_excluded_is_not_looked_at() {
    let top = r#", "exclude": {"headers": [{"name": "a", "present": true}]}, "budget": {"percentage": 10},
            "trigger": {"secret": "12345678"}, "expires_at": "2026-11-20T00:00:00Z""#;
    let gateway = super::Gateway::new(&with_rules(top, &[&format!(r#""mode": "shadow", {ABORT}"#), ABORT]));
    let decision = gateway.decide("a: 1; x-fault: abort=503; x-fault-key: wrong; x-mesh-fault: a");
    assert_eq!(gateway.outcome(&decision), "excluded");
    assert!(!decision.is_trigger_ignored && decision.shadow.is_empty());
    assert_eq!(gateway.host.borrow().asked, [0; 3]);
}

#[test]
fn a_client_behind_too_few_proxies_is_told_of() {
    let top = r#", "client_ip": {"trusted_hops": 2}"#;
    let by_ip = format!(r#""match": {{"client_ip": ["198.51.100.0/24"]}}, {ALWAYS}"#);
    let gateway = super::Gateway::new(&with_rules(top, &[&by_ip]));
    let of = |forwarded: &str| {
        let decision = gateway.decide(forwarded);
        (gateway.outcome(&decision), decision.client_ip_fallback)
    };
    assert_eq!(of("x-forwarded-for: 198.51.100.7, 10.0.0.1"), ("abort{a}".to_owned(), false));
    assert_eq!(of("x-forwarded-for: 203.0.113.7, 10.0.0.1"), ("no rule".to_owned(), false));
    assert_eq!(of("x-forwarded-for: 198.51.100.7"), ("no rule".to_owned(), true));
}
