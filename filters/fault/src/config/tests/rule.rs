//! Rules.

use super::super::{InFlight, Rule};
use super::{ABORT, check, good, rule};
use mesh_policy::facts::Needs;
use mesh_policy::mode::Mode;

#[track_caller]
fn only(fields: &str) -> Rule {
    let mut rules = good(&rule(&format!("{ABORT}{fields}"))).rules;
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}

#[track_caller]
fn check_rule(fields: &str, expected_problem: &str) {
    check(&rule(&format!("{ABORT}{fields}")), expected_problem);
}

#[test]
fn a_rule_has_every_default() {
    let Rule { name, matches, attempts, in_flight, delay, abort, response, throttle, mode } = only("");
    assert_eq!((name.as_str(), mode), ("r", Mode::Enforce));
    assert_eq!((matches.needs(), attempts, in_flight), (Needs::default(), vec![], None));
    assert!(delay.is_none() && abort.is_some() && response.is_none() && throttle.is_none());
}

#[test]
fn a_rule_has_a_name_and_a_fault() {
    check(r#"{"rules": [{}]}"#, "rules[0].name: missing");
    const NONE: &str = "rules[0]: found none, expected one of `delay`, `abort`, `response`, `throttle`";
    check(&rule(""), NONE);
    check(&rule(r#", "delay": null, "abort": null, "response": null, "throttle": null"#), NONE);
    check(
        r#"{"rules": [{"name": "a/b", "abort": {"percentage": 1, "status": 503}}]}"#,
        "rules[0].name: found `a/b`, expected 1 to 64 letters, digits, `_`, `-` or `.`",
    );
    check(r#"{"rules": {}}"#, "rules: found an object, expected an array");
}

#[test]
fn rules_are_256_at_most_and_their_names_differ() {
    let rules = |number: usize| {
        let rules: Vec<_> = (0..number).map(|index| format!(r#"{{"name": "{index}"{ABORT}}}"#)).collect();
        format!(r#"{{"rules": [{}]}}"#, rules.join(", "))
    };
    assert_eq!(good(&rules(256)).rules.len(), 256);
    check(&rules(257), "rules: found 257 rules, expected at most 256");
    check(
        &format!(r#"{{"rules": [{{"name": "a"{ABORT}}}, {{"name": "b"{ABORT}}}, {{"name": "a"{ABORT}}}]}}"#),
        "rules[2].name: found `a`, expected a name that no other rule has",
    );
}

#[test]
fn attempts_are_1_to_32_numbers() {
    assert_eq!(only(r#", "attempts": [1]"#).attempts, [1]);
    assert_eq!(only(r#", "attempts": [1000, 2.0]"#).attempts, [1000, 2]);
    let of = |number: u32| {
        let numbers: Vec<_> = (1..=number).map(|attempt| attempt.to_string()).collect();
        format!(r#", "attempts": [{}]"#, numbers.join(", "))
    };
    assert_eq!(only(&of(32)).attempts.len(), 32);
    check_rule(&of(33), "rules[0].attempts: found 33 attempts, expected at most 32");
    check_rule(r#", "attempts": []"#, "rules[0].attempts: found an empty array, expected at least one item");
    for number in ["0", "1001", "1.5", "-1"] {
        check_rule(
            &format!(r#", "attempts": [1, {number}]"#),
            &format!("rules[0].attempts[1]: found {number}, expected an integer from 1 to 1000"),
        );
    }
    check_rule(r#", "attempts": 1"#, "rules[0].attempts: found 1, expected an array");
}

#[test]
fn in_flight_is_a_range() {
    let range = |fields: &str| only(&format!(r#", "in_flight": {{{fields}}}"#)).in_flight.unwrap();
    assert_eq!(range(r#""at_least": 50"#), InFlight { at_least: Some(50), below: None });
    assert_eq!(range(r#""below": 1"#), InFlight { at_least: None, below: Some(1) });
    let both = range(r#""at_least": 999999, "below": 1000000"#);
    assert_eq!(both, InFlight { at_least: Some(999_999), below: Some(1_000_000) });
    check_rule(r#", "in_flight": {}"#, "rules[0].in_flight: found none, expected one of `at_least`, `below`");
    for fields in [r#""at_least": 5, "below": 5"#, r#""at_least": 5, "below": 4"#] {
        check_rule(
            &format!(r#", "in_flight": {{{fields}}}"#),
            "rules[0].in_flight.below: expected more than `at_least`",
        );
    }
    for field in ["at_least", "below"] {
        for number in ["0", "1000001", "-1", "0.5"] {
            check_rule(
                &format!(r#", "in_flight": {{"{field}": {number}}}"#),
                &format!("rules[0].in_flight.{field}: found {number}, expected an integer from 1 to 1000000"),
            );
        }
    }
}

#[test]
fn a_range_contains_its_lower_bound_and_not_its_upper_one() {
    let contained = |at_least: Option<u32>, below: Option<u32>| {
        let range = InFlight { at_least, below };
        (0..6).filter(|number| range.contains(*number)).collect::<Vec<_>>()
    };
    assert_eq!(contained(Some(2), None), [2, 3, 4, 5]);
    assert_eq!(contained(None, Some(2)), [0, 1]);
    assert_eq!(contained(Some(2), Some(4)), [2, 3]);
    assert!(!InFlight { at_least: None, below: Some(u32::MAX) }.contains(u64::MAX));
}
