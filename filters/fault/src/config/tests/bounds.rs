//! Fields at the top that bound faults, and the marker and the cohort.

use super::super::Marker;
use super::{check, good, header};
use mesh_policy::percent::Percentage;
use std::time::Duration;

#[test]
fn a_config_expires_at_an_instant() {
    let at = |text: &str| good(&format!(r#"{{"expires_at": "{text}"}}"#)).expires_at;
    assert_eq!(at("2026-11-21T00:00:00Z"), Some(Duration::from_secs(1_795_219_200)));
    assert_eq!(at("2026-11-21T01:30:00+01:30"), Some(Duration::from_secs(1_795_219_200)));
    assert_eq!(at("1970-01-01T00:00:00.5Z"), Some(Duration::from_millis(500)));
    for text in ["2026-11-21", "2026-11-21T00:00:00", "2026-13-21T00:00:00Z", "tomorrow", ""] {
        check(
            &format!(r#"{{"expires_at": "{text}"}}"#),
            &format!(
                "expires_at: found `{text}`, expected a time since 1970, such as `2026-11-20T10:00:00Z`"
            ),
        );
    }
    check(r#"{"expires_at": 1795219200}"#, "expires_at: found 1795219200, expected a string");
}

#[test]
fn max_active_is_up_to_100_000() {
    for max in [0, 1, 100_000] {
        assert_eq!(good(&format!(r#"{{"max_active": {max}}}"#)).max_active, Some(max).filter(|max| *max > 0));
    }
    assert_eq!(good(r#"{"max_active": 5.0}"#).max_active, Some(5));
    for max in ["-1", "100001", "0.5", "1e9"] {
        check(
            &format!(r#"{{"max_active": {max}}}"#),
            &format!(
                "max_active: found {}, expected an integer from 0 to 100000",
                max.replace("1e9", "1000000000")
            ),
        );
    }
    check(r#"{"stack": "yes"}"#, "stack: found `yes`, expected true or false");
    assert!(good(r#"{"stack": true}"#).stack);
}

#[test]
fn what_is_excluded_is_something() {
    assert!(good(r#"{"exclude": {"path": {"in": ["/health"]}}}"#).exclude.is_some());
    const ALWAYS: &str = "expected at least one part: this match holds always";
    check(r#"{"exclude": {}}"#, &format!("exclude: found an object, {ALWAYS}"));
    check(
        r#"{"exclude": {"methods": []}}"#,
        "exclude.methods: found an empty array, expected at least one item",
    );
    check(
        r#"{"exclude": {"path": {"in": []}}}"#,
        "exclude.path.in: found an empty array, expected at least one item",
    );
}

#[test]
fn a_budget_has_a_window_of_1_second_to_1_hour() {
    let budget = good(r#"{"budget": {"percentage": 10}}"#).budget.unwrap();
    assert_eq!(
        (Some(budget.percentage), budget.window),
        (Percentage::from_parts_per_million(100_000), Duration::from_secs(60))
    );
    for (window, seconds) in [("1s", 1), ("1h", 3600), ("60m", 3600)] {
        let config = good(&format!(r#"{{"budget": {{"percentage": 0, "window": "{window}"}}}}"#));
        assert_eq!(config.budget.unwrap().window, Duration::from_secs(seconds));
    }
    for window in ["999ms", "3601s", "0s", "10"] {
        check(
            &format!(r#"{{"budget": {{"percentage": 10, "window": "{window}"}}}}"#),
            &format!(
                "budget.window: found `{window}`, expected a duration from 1s to 1h, as \"250ms\", \"1m\" or \"1h30m\""
            ),
        );
    }
    check(r#"{"budget": {}}"#, "budget.percentage: missing");
    check(
        r#"{"budget": {"percentage": 0.00001}}"#,
        "budget.percentage: found 0.00001, expected at most four decimals",
    );
}

#[test]
fn a_marker_is_a_header_or_none() {
    let marker = |fields: &str| good(&format!(r#"{{"marker": {{{fields}}}}}"#)).marker;
    let default = Some(header("x-mesh-fault"));
    assert_eq!(marker(""), Marker { request_header: default.clone(), response_header: default.clone() });
    assert_eq!(
        marker(r#""request_header": """#),
        Marker { request_header: None, response_header: default.clone() }
    );
    assert_eq!(
        marker(r#""response_header": "X-Injected""#),
        Marker { request_header: default, response_header: Some(header("x-injected")) }
    );
    const OTHER: &str =
        "expected another header: the connection, the client or another filter depends on this one";
    for (field, name) in [
        ("request_header", "host"),
        ("request_header", "Content-Length"),
        ("request_header", "cookie"),
        ("response_header", "content-length"),
        ("response_header", "set-cookie"),
        ("response_header", "Location"),
        ("response_header", "grpc-status"),
    ] {
        check(
            &format!(r#"{{"marker": {{"{field}": "{name}"}}}}"#),
            &format!("marker.{field}: found `{name}`, {OTHER}"),
        );
    }
    for field in ["request_header", "response_header"] {
        for name in ["a b", ":path", "ä"] {
            check(
                &format!(r#"{{"marker": {{"{field}": "{name}"}}}}"#),
                &format!("marker.{field}: found `{name}`, expected a header name"),
            );
        }
    }
}

#[test]
fn a_cohort_has_1_to_8_key_parts() {
    let of = |number: usize| format!(r#"{{"cohort": {{"by": [{}]}}}}"#, vec![r#""path""#; number].join(", "));
    check(&of(0), "cohort.by: found an empty array, expected at least one item");
    let cohort = good(&of(1)).cohort.unwrap();
    assert_eq!((cohort.by.len(), cohort.salt.as_str()), (1, ""));
    assert_eq!(good(&of(8)).cohort.unwrap().by.len(), 8);
    check(&of(9), "cohort.by: found 9 parts, expected at most 8");
    check(r#"{"cohort": {}}"#, "cohort.by: missing");
    check(
        r#"{"cohort": {"by": ["header"]}}"#,
        "cohort.by[0]: found `header`, expected it with its argument, as {\"header\": \"…\"}",
    );
    let salted = |size: usize| format!(r#"{{"cohort": {{"by": ["path"], "salt": "{}"}}}}"#, "x".repeat(size));
    assert_eq!(good(&salted(256)).cohort.unwrap().salt.len(), 256);
    check(&salted(257), "cohort.salt: found 257 bytes, expected at most 256");
}
