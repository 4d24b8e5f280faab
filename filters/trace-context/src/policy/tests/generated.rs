//! Traces of requests that belong to none.

use super::*;

/// The new trace is sampled for shares from 86.67 % on.
fn generating(fields: &str) -> String {
    format!(r#"{{"generate": {{"when_missing": true{fields}}}}}"#)
}

#[test]
fn a_request_without_a_trace_begins_one() {
    check(&generating(""), &[("", "traceparent: 00-<new>-<new s>-02", "generated")]);
    check_counts(&generating(""), &[("", &["generated"])]);
    check_untouched(&generating(""), &[("traceparent: 00-<t>-<s>-01", "extracted{w3c}")]);
}

#[test]
fn it_is_written_in_every_format_of_inject() {
    check(
        r#"{"inject": ["b3", "gcp"], "generate": {"when_missing": true, "sampling_percentage": 100}}"#,
        &[("", "b3: <new>-<new s>-1; x-cloud-trace-context: <new>/3689348814741910323;o=1", "generated")],
    );
}

#[test]
fn it_is_sampled_by_its_id() {
    for (percentage, flags) in [("0", "02"), ("86", "02"), ("87", "03"), ("100", "03")] {
        check(
            &generating(&format!(r#", "sampling_percentage": {percentage}"#)),
            &[("", &format!("traceparent: 00-<new>-<new s>-{flags}"), "generated")],
        );
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let config = generating(
        r#", "sampling_percentage": 0, "sampling_rules": [
            {"match": {"path": {"in": ["/pay/health"]}}, "sampling_percentage": 0},
            {"match": {"path": {"prefix": "/pay"}}, "sampling_percentage": 100},
            {"match": {"headers": [{"name": "x-debug", "present": true}]}, "sampling_percentage": 100}]"#,
    );
    let check = |request: &str, flags: &str| {
        let expected = format!("{request}; traceparent: 00-<new>-<new s>-{flags}");
        check(&config, &[(request, &expected, "generated")]);
    };
    check(":path: /", "02");
    check(":path: /pay", "03");
    check(":path: /pay/health", "02");
    check(":path: /; x-debug: 1", "03");
    // Upstreams may read this path in two ways, so the rule does not hold.
    check(":path: /a/..%2fpay", "02");
}

/// Rules may be many.
#[test]
fn rules_are_tested_only_where_a_decision_is_needed() {
    let fields = r#", "sampling_percentage": 100"#;
    let restart = r#"{"boundary": "restart"}"#;
    for (config, request, expected) in [
        (&*generating(fields), "", 1),
        (&*generating(fields), "traceparent: 00-<t>-<s>-01", 0),
        (&*generating(fields), "traceparent: 00-<t>-<s>-00; b3: <t>-<s>", 0),
        ("{}", "", 0),
        ("{}", "b3: <t>-<s>-0", 0),
        ("{}", "b3: 1", 0),
        // Deferred: only where the format cannot say so.
        (r#"{"inject": ["w3c", "jaeger"]}"#, "b3: <t>-<s>", 1),
        (r#"{"inject": ["b3-multi", "xray"]}"#, "b3: <t>-<s>", 0),
        (restart, "traceparent: 00-<t>-<s>-01", 1),
    ] {
        let gateway = Gateway::new(config);
        assert_eq!(gateway.shares_asked(request), expected, "{config} {request}");
    }
}

#[test]
fn a_rule_without_a_match_is_for_every_request() {
    check(
        &generating(r#", "sampling_rules": [{"sampling_percentage": 100}]"#),
        &[(":path: /", ":path: /; traceparent: 00-<new>-<new s>-03", "generated")],
    );
}

#[test]
fn random_numbers_are_asked_for_only_for_new_traces() {
    let gateway = Gateway::new(&generating(""));
    for (request, expected) in [("", 3), ("traceparent: 00-<t>-<s>-01", 0), ("b3: <t>-<s>", 0)] {
        drop(gateway.decide(request));
        assert_eq!(gateway.host.borrow().asked[0], expected, "{request}");
    }
}

#[test]
fn no_shared_data_is_touched_without_correlation() {
    let gateway = Gateway::new(&generating(""));
    drop(gateway.decide(""));
    assert_eq!(gateway.host.borrow().asked[1..], [0, 0]);
}
