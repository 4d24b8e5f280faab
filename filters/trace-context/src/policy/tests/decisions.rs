//! Sampling decisions: kept, deferred, and alone.

use super::*;

#[test]
fn a_deferred_decision_stays_deferred_where_that_is_possible() {
    check(
        r#"{"inject": ["b3-multi"]}"#,
        &[("b3: <t>-<s>", "b3: <t>-<s>; x-b3-traceid: <t>; x-b3-spanid: <s>", "extracted{b3}")],
    );
}

/// `<t>` is sampled for shares from 19.31 % on.
#[test]
fn elsewhere_it_is_what_a_new_trace_of_this_id_would_get() {
    let check = |generate: &str, request: &str, flags: &str| {
        let config = format!(r#"{{"inject": ["w3c", "jaeger"], "generate": {{{generate}}}}}"#);
        let jaeger = flags.trim_start_matches('0').parse().unwrap_or(0);
        let context = "b3: <t>-<s>";
        let expected = format!(
            "{request}; {context}; traceparent: 00-<t>-<s>-{flags}; uber-trace-id: <t>:<s>:0:{jaeger}"
        );
        check(&config, &[(&format!("{request}; {context}"), &expected, "extracted{b3}")]);
    };
    check("", ":path: /", "00");
    check(r#""sampling_percentage": 19.3"#, ":path: /", "00");
    check(r#""sampling_percentage": 20"#, ":path: /", "01");
    let rules = r#""sampling_rules": [{"match": {"path": {"prefix": "/pay"}}, "sampling_percentage": 100}]"#;
    check(rules, ":path: /pay", "01");
    check(rules, ":path: /", "00");
}

#[test]
fn a_decision_that_came_is_never_changed() {
    let config = r#"{"generate": {"sampling_percentage": 100}, "inject": ["w3c"]}"#;
    check(config, &[("b3: <t>-<s>-0", "b3: <t>-<s>-0; traceparent: 00-<t>-<s>-00", "extracted{b3}")]);
    let config = r#"{"generate": {"sampling_percentage": 0}, "inject": ["w3c"]}"#;
    check(config, &[("b3: <t>-<s>-1", "b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "extracted{b3}")]);
    check_untouched(config, &[("traceparent: 00-<t>-<s>-01", "extracted{w3c}")]);
}

#[test]
fn a_decision_alone_invents_nothing() {
    check_untouched(
        r#"{"inject": ["w3c", "b3", "b3-multi"]}"#,
        &[
            ("b3: 0", "missing"),
            ("b3: 1", "missing"),
            ("x-b3-sampled: 0", "missing"),
            ("x-b3-flags: 1", "missing"),
        ],
    );
    check_counts("{}", &[("b3: 0", &[])]);
}

#[test]
fn a_new_trace_has_the_decision_that_came_alone() {
    let config = |percentage: u32| {
        format!(
            r#"{{"inject": ["w3c"], "generate": {{"when_missing": true, "sampling_percentage": {percentage}}}}}"#
        )
    };
    check(
        &config(100),
        &[
            ("b3: 0", "b3: 0; traceparent: 00-<new>-<new s>-02", "generated"),
            ("x-b3-sampled: false", "x-b3-sampled: false; traceparent: 00-<new>-<new s>-02", "generated"),
        ],
    );
    check(
        &config(0),
        &[
            ("b3: 1", "b3: 1; traceparent: 00-<new>-<new s>-03", "generated"),
            ("b3: d", "b3: d; traceparent: 00-<new>-<new s>-03", "generated"),
        ],
    );
    check(
        r#"{"inject": ["b3", "b3-multi"], "generate": {"when_missing": true}}"#,
        &[(
            "x-b3-flags: 1",
            "b3: <new>-<new s>-d; x-b3-traceid: <new>; x-b3-spanid: <new s>; x-b3-flags: 1",
            "generated",
        )],
    );
}
