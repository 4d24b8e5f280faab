//! Traces of requests that belong to none.

use super::{check, good, percent};
use mesh_policy::percent::Percentage;

fn rules(number: usize) -> String {
    let rules = vec![r#"{"sampling_percentage": 1}"#; number].join(", ");
    format!(r#"{{"generate": {{"sampling_rules": [{rules}]}}}}"#)
}

#[test]
fn a_share_is_a_percentage() {
    let share = |number: &str| {
        good(&format!(r#"{{"generate": {{"sampling_percentage": {number}}}}}"#)).generate.sampling_percentage
    };
    assert_eq!((share("0"), share("100"), share("25.0")), (Percentage::NONE, Percentage::ALL, percent(25)));
    assert_eq!(Some(share("0.0001")), Percentage::from_parts_per_million(1));
    for (number, expected) in [
        ("-1", "found -1, expected a number from 0 to 100"),
        ("100.1", "found 100.1, expected a number from 0 to 100"),
        ("0.00001", "found 0.00001, expected at most four decimals"),
        (r#""1%""#, "found `1%`, expected a number from 0 to 100"),
    ] {
        check(
            &format!(r#"{{"generate": {{"sampling_percentage": {number}}}}}"#),
            &format!("generate.sampling_percentage: {expected}"),
        );
        check(
            &format!(r#"{{"generate": {{"sampling_rules": [{{"sampling_percentage": {number}}}]}}}}"#),
            &format!("generate.sampling_rules[0].sampling_percentage: {expected}"),
        );
    }
}

#[test]
fn a_rule_needs_a_share() {
    check(
        r#"{"generate": {"sampling_rules": [{"match": {"methods": ["GET"]}}]}}"#,
        "generate.sampling_rules[0].sampling_percentage: missing",
    );
    check(
        r#"{"generate": {"sampling_rules": [{"match": {"path": {"prefx": "/"}}, "sampling_percentage": 1}]}}"#,
        "generate.sampling_rules[0].match.path.prefx: unknown field, did you mean `prefix`?",
    );
}

#[test]
fn rules_are_64_at_most() {
    assert_eq!(good(&rules(64)).generate.sampling_rules.len(), 64);
    check(&rules(65), "generate.sampling_rules: found 65 rules, expected at most 64");
}

#[test]
fn traces_are_begun_only_if_that_is_wanted() {
    assert!(good(r#"{"generate": {"when_missing": true}}"#).generate.when_missing);
    check(
        r#"{"generate": {"when_missing": "always"}}"#,
        "generate.when_missing: found `always`, expected true or false",
    );
}
