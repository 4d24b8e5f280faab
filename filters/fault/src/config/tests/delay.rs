//! Delays of requests and responses.

use super::super::{CountedFrom, Delay, ResponseDelay, Wait};
use super::{check, good, rule};
use crate::distribution::Distribution;
use mesh_policy::percent::Percentage;
use std::time::Duration;

const LENGTH: &str = "expected a duration from 1ms to 5m, as \"250ms\", \"1m\" or \"1h30m\"";

fn delay(fields: &str) -> String {
    rule(&format!(r#", "delay": {{"percentage": 100, {fields}}}"#))
}

fn of_response(fields: &str) -> String {
    rule(&format!(r#", "response": {{"percentage": 100, "delay": {{{fields}}}}}"#))
}

/// What is wrong with a delay, of a request as well as of a response.
#[track_caller]
fn check_both(fields: &str, expected: &str) {
    check(&delay(fields), &expected.replace('@', "rules[0].delay"));
    check(&of_response(fields), &expected.replace('@', "rules[0].response.delay"));
}

const MEAN: Distribution = Distribution::Exponential { mean: Duration::from_secs(1) };

#[test]
fn a_delay_is_fixed_or_random() {
    let delay_of = |fields: &str| good(&delay(fields)).rules[0].delay.clone().unwrap();
    let fixed = Wait::Fixed(Duration::from_secs(5));
    assert_eq!(delay_of(r#""fixed": "5s""#), Delay { percentage: Percentage::ALL, wait: fixed });
    let random = |max| Wait::Random { distribution: MEAN, max: Duration::from_secs(max) };
    let distribution = r#""distribution": {"exponential": {"mean": "1s"}}"#;
    assert_eq!(delay_of(distribution).wait, random(30));
    assert_eq!(delay_of(&format!(r#"{distribution}, "max": "3s""#)).wait, random(3));
    check_both("\"max\": \"1s\"", "@: found none, expected one of `fixed`, `distribution`");
    check_both(
        &format!(r#""fixed": "1s", {distribution}"#),
        "@: found `fixed`, `distribution`, expected one of them only",
    );
    check_both(
        r#""fixed": "1s", "max": "3s""#,
        "@.max: bounds a `distribution`, expected none beside `fixed`",
    );
}

#[test]
fn a_delay_lasts_from_1_ms_to_5_minutes() {
    for fixed in ["1ms", "300s", "5m", "1.5s"] {
        check_both(&format!(r#""fixed": "{fixed}""#), "");
    }
    for fixed in ["999us", "300001ms", "0s", "5", "-1s", "1 s", "1h", ""] {
        check_both(&format!(r#""fixed": "{fixed}""#), &format!("@.fixed: found `{fixed}`, {LENGTH}"));
        check_both(
            &format!(r#""distribution": {{"exponential": {{"mean": "1s"}}}}, "max": "{fixed}""#),
            &format!("@.max: found `{fixed}`, {LENGTH}"),
        );
    }
    check_both(r#""fixed": 5"#, &format!("@.fixed: found 5, {LENGTH}"));
}

#[test]
fn a_delay_of_requests_has_a_percentage_and_one_of_responses_has_none() {
    check(&rule(r#", "delay": {"fixed": "1s"}"#), "rules[0].delay.percentage: missing");
    check(
        &rule(r#", "delay": {}"#),
        "rules[0].delay.percentage: missing\nrules[0].delay: found none, expected one of `fixed`, `distribution`",
    );
    check(
        &of_response(r#""fixed": "1s", "percentage": 5"#),
        "rules[0].response.delay.percentage: unknown field, expected one of `fixed`, `distribution`, `max`, `counted_from`",
    );
    check(
        &delay(r#""fixed": "1s", "counted_from": "request""#),
        "rules[0].delay.counted_from: unknown field, expected one of `percentage`, `fixed`, `distribution`, `max`",
    );
}

#[test]
fn a_delay_of_a_response_counts_from_the_response() {
    let delay_of =
        |fields: &str| good(&of_response(fields)).rules[0].response.as_ref().unwrap().delay.clone().unwrap();
    let ResponseDelay { wait, counted_from } = delay_of(r#""fixed": "1s""#);
    assert_eq!((wait, counted_from), (Wait::Fixed(Duration::from_secs(1)), CountedFrom::Response));
    for (word, expected) in [("request", CountedFrom::Request), ("response", CountedFrom::Response)] {
        let fields = format!(r#""fixed": "1s", "counted_from": "{word}""#);
        assert_eq!(delay_of(&fields).counted_from, expected);
    }
    check(
        &of_response(r#""fixed": "1s", "counted_from": "start""#),
        "rules[0].response.delay.counted_from: found `start`, expected one of `response`, `request`",
    );
}

#[test]
fn a_fixed_delay_needs_no_number() {
    let wait = Wait::Fixed(Duration::from_secs(5));
    assert_eq!([0, u64::MAX].map(|number| wait.sample(number)), [Duration::from_secs(5); 2]);
}
