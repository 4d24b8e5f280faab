//! Random numbers: which are taken, in which order, and how often faults happen.

use super::{ABORT, ALWAYS, DELAY, Gateway, NO, RESPONSE, THROTTLE, YES, check, rules};
use std::time::Duration;

#[test]
fn each_kind_has_a_roll_of_its_own() {
    let config = rules(&[&[DELAY, ABORT, RESPONSE, THROTTLE].join(", ")]);
    check(
        &config,
        &[
            ("", &[NO, NO, NO, NO], "dice{a}"),
            ("", &[YES, NO, NO, NO], "delay{a}"),
            // What is aborted has no response of the upstream.
            ("", &[NO, YES], "abort{a}"),
            ("", &[YES, YES], "delay{a}+abort{a}"),
            ("", &[NO, NO, YES, NO], "response{a}"),
            ("", &[NO, NO, NO, YES], "throttle{a}"),
            ("", &[YES, NO, YES, YES], "delay{a}+response{a}+throttle{a}"),
        ],
    );
}

/// A tunnel has no response that could be changed.
#[test]
fn a_connect_request_has_no_roll_for_its_response() {
    let config = rules(&[&[DELAY, ABORT, RESPONSE, THROTTLE].join(", ")]);
    check(
        &config,
        &[
            (":method: CONNECT", &[YES, NO], "delay{a}"),
            (":method: CONNECT", &[NO, NO], "dice{a}"),
            (":method: CONNECT", &[NO, YES], "abort{a}"),
            // Methods are case-sensitive.
            (":method: connect", &[NO, NO, YES, NO], "response{a}"),
        ],
    );
}

#[test]
fn a_random_length_takes_a_number_behind_the_roll() {
    const RANDOM: &str = r#""distribution": {"uniform": {"min": "0s", "max": "100s"}}, "max": "60s""#;
    let delay = format!(r#""delay": {{"percentage": 50, {RANDOM}}}"#);
    let response = format!(r#""response": {{"percentage": 50, "delay": {{{RANDOM}}}}}"#);
    let gateway = Gateway::new(&rules(&[&[delay.as_str(), ABORT, response.as_str(), THROTTLE].join(", ")]));
    gateway.roll(&[YES, u64::MAX / 4, NO, YES, u64::MAX / 2, NO]);
    let fault = gateway.decide("").outcome.unwrap();
    assert_eq!(fault.delay, Some(Duration::from_secs(25)));
    assert_eq!(fault.response.unwrap().delay, Some(Duration::from_secs(50)));
    assert_eq!((fault.is_aborted, fault.is_throttled, gateway.rolls_left()), (false, false, 0));
    gateway.roll(&[YES, u64::MAX, YES]);
    assert_eq!(gateway.decide("").outcome.unwrap().delay, Some(Duration::from_secs(60)));
    assert_eq!(gateway.rolls_left(), 0);
}

#[test]
fn nothing_and_everything_need_no_number() {
    const NEVER: &str = r#""delay": {"percentage": 0, "fixed": "1s"}"#;
    check(&rules(&[&[NEVER, ALWAYS].join(", ")]), &[("", &[], "abort{a}")]);
    check(&rules(&[NEVER]), &[("", &[], "dice{a}")]);
    let gateway = Gateway::new(&rules(&[ALWAYS]));
    gateway.host.borrow_mut().has_random = false;
    assert_eq!(gateway.outcome(&gateway.decide("")), "abort{a}");
}

#[test]
fn without_random_numbers_nothing_happens() {
    const RANDOM: &str = r#""delay": {"percentage": 100, "distribution": {"exponential": {"mean": "1s"}}}"#;
    for fault in [DELAY, ABORT, RESPONSE, THROTTLE, RANDOM] {
        let gateway = Gateway::new(&rules(&[fault, ALWAYS]));
        gateway.host.borrow_mut().has_random = false;
        assert_eq!(gateway.outcome(&gateway.decide("")), "failed", "{fault}");
    }
    // The first kind has been rolled already.
    let gateway = Gateway::new(&rules(&[&[RANDOM, ALWAYS].join(", ")]));
    gateway.host.borrow_mut().has_random = false;
    assert_eq!(gateway.outcome(&gateway.decide("")), "failed");
}

/// 100 000 rolls of each kind, within 0.5 points.
#[test]
fn faults_happen_as_often_as_the_config_says_and_independently() {
    const ROLLS: u32 = 100_000;
    let config = rules(&[r#""delay": {"percentage": 30, "fixed": "1s"},
        "abort": {"percentage": 20, "status": 503},
        "response": {"percentage": 12.5, "status": 502},
        "throttle": {"percentage": 60, "bytes_per_second": 1000}"#]);
    let gateway = Gateway::random(&config, 1);
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..ROLLS {
        *counts.entry(gateway.outcome(&gateway.decide(""))).or_default() += 1;
    }
    let share = |kinds: &[&str]| {
        let labels = counts.iter().filter(|(label, _)| kinds.iter().all(|kind| label.contains(kind)));
        f64::from(labels.map(|(_, count)| *count).sum::<u32>()) / f64::from(ROLLS)
    };
    for (kinds, expected) in [
        (&["delay{"][..], 0.3),
        (&["abort{"], 0.2),
        (&["delay{", "abort{"], 0.06),
        // Of what is not aborted.
        (&["response{"], 0.8 * 0.125),
        (&["throttle{"], 0.8 * 0.6),
        (&["response{", "throttle{"], 0.8 * 0.125 * 0.6),
        (&["delay{", "response{"], 0.8 * 0.3 * 0.125),
        (&["delay{", "throttle{"], 0.8 * 0.3 * 0.6),
        (&["dice{"], 0.7 * 0.8 * 0.875 * 0.4),
    ] {
        let found = share(kinds);
        assert!((found - expected).abs() < 0.005, "{kinds:?}: {found}, expected {expected}");
    }
    assert_eq!(share(&["abort{", "response{"]) + share(&["abort{", "throttle{"]), 0.0);
}

/// A percentage of four decimals, at its edge.
#[test]
fn a_roll_is_compared_exactly() {
    let config = rules(&[r#""abort": {"percentage": 0.0001, "status": 503}"#]);
    let edge = u64::MAX / 1_000_000;
    check(&config, &[("", &[edge], "abort{a}"), ("", &[edge + 1], "dice{a}")]);
    let config = rules(&[r#""abort": {"percentage": 99.9999, "status": 503}"#]);
    check(&config, &[("", &[u64::MAX - edge], "abort{a}"), ("", &[u64::MAX - edge + 1], "dice{a}")]);
}
