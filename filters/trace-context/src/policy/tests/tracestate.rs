//! `tracestate` belongs to its `traceparent`.

use super::*;

#[test]
fn without_a_valid_traceparent_it_is_dropped() {
    check(
        "{}",
        &[
            ("tracestate: a=1", "", "missing"),
            ("tracestate: a=1; tracestate: b=2; x: y", "x: y", "missing"),
            ("traceparent: x; tracestate: a=1", "", "invalid{w3c}:version"),
            ("b3: <t>-<s>-1; tracestate: a=1", "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}"),
        ],
    );
    // Also if nothing is written.
    check(r#"{"inject": []}"#, &[("b3: <t>-<s>-1; tracestate: a=1", "b3: <t>-<s>-1", "extracted{b3}")]);
}

#[test]
fn an_invalid_one_is_dropped_alone() {
    let parent = "traceparent: 00-<t>-<s>-01";
    let members =
        |number: usize| (0..number).map(|index| format!("k{index}=1")).collect::<Vec<_>>().join(",");
    for (tracestate, reason) in [
        ("A=1".to_owned(), "grammar"),
        ("a".to_owned(), "grammar"),
        (members(33), "members"),
        (format!("a={}", "x".repeat(257)), "length"),
    ] {
        let request = format!("{parent}; tracestate: {tracestate}");
        check("{}", &[(&request, parent, "extracted{w3c}")]);
        check_counts("{}", &[(&request, &["extracted w3c", &format!("invalid w3c {reason}")])]);
    }
    // All headers are one list.
    let request = format!("{parent}; tracestate: {}; tracestate: x=1", members(32));
    check("{}", &[(&request, parent, "extracted{w3c}")]);
}

#[test]
fn a_valid_one_stays_as_it_is() {
    let members = (0..32).map(|index| format!("k{index}=1")).collect::<Vec<_>>().join(",");
    for tracestate in
        ["a=1", "a=1,a=2", " a=1 ,\tb=2", "a=1,,b=2", "1a@x=1", "foo=1; tracestate: bar=2", &members]
    {
        check_untouched(
            "{}",
            &[(&format!("traceparent: 00-<t>-<s>-01; tracestate: {tracestate}"), "extracted{w3c}")],
        );
    }
}

#[test]
fn a_later_version_keeps_it() {
    check(
        "{}",
        &[(
            "traceparent: cc-<t>-<s>-01-what.the.future; tracestate: a=1",
            "traceparent: 00-<t>-<s>-01; tracestate: a=1",
            "extracted{w3c}",
        )],
    );
    check_counts("{}", &[("traceparent: cc-<t>-<s>-01", &["extracted w3c"])]);
    // Nothing is written.
    check_untouched(
        r#"{"inject": []}"#,
        &[("traceparent: cc-<t>-<s>-01; tracestate: a=1", "extracted{w3c}")],
    );
}

#[test]
fn where_w3c_is_not_read_it_stays() {
    check_untouched(
        r#"{"extract": ["b3"], "inject": ["b3"]}"#,
        &[("tracestate: a=1; b3: <t>-<s>-1", "extracted{b3}")],
    );
    // It does not belong to a `traceparent` that is written.
    check(
        r#"{"extract": ["b3"], "inject": ["w3c"]}"#,
        &[("tracestate: a=1; b3: <t>-<s>-1", "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}")],
    );
}
