//! Contexts that are none.

use super::*;

/// A request is stripped of what is invalid in one format, and counted.
#[track_caller]
fn check_removed(format: &str, request: &str, reason: &str) {
    let config = format!("{{{ALL}}}");
    check(&config, &[(request, "", &format!("invalid{{{format}}}:{reason}"))]);
    check_counts(&config, &[(request, &[&format!("invalid {format} {reason}")])]);
}

#[test]
fn an_invalid_context_is_removed_and_counted_by_its_reason() {
    check_removed("w3c", "traceparent: ff-<t>-<s>-01", "version");
    check_removed("w3c", "traceparent: 00-<t>-<s>-01-", "length");
    check_removed("w3c", "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-<s>-01", "hex");
    check_removed("w3c", "traceparent: 00-00000000000000000000000000000000-<s>-01", "zero_id");
    check_removed("w3c", "traceparent: 00-<t>-0000000000000000-01", "zero_id");
    check_removed("w3c", "traceparent: 00-<t>-<s>-01; traceparent: 00-<t>-<s>-01", "repeated");
    check_removed(
        "w3c",
        "traceparent: 00-<t>-<s>-01; traceparent: 00-<t>-<s>-01; tracestate: a=1",
        "repeated",
    );
    check_removed("w3c", "traceparent: 00-<t>x<s>-01", "grammar");
    check_removed("b3", "b3: <t>", "incomplete");
    check_removed("b3", "b3: <t>-<s>-2", "sampling");
    check_removed("b3-multi", "x-b3-traceid: <t>; x-b3-sampled: 1; x-b3-flags: 1", "incomplete");
    check_removed("b3-multi", "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-parentspanid: 1", "length");
    check_removed("jaeger", "uber-trace-id: 0:<s>:0:1", "zero_id");
    check_removed(
        "datadog",
        "x-datadog-trace-id: -1; x-datadog-parent-id: 1; x-datadog-tags: a=b",
        "decimal",
    );
    check_removed(
        "xray",
        "x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=yes",
        "sampling",
    );
    check_removed("gcp", "x-cloud-trace-context: <short>/1", "length");
}

#[test]
fn invalid_headers_of_formats_that_are_not_read_stay() {
    check_untouched("{}", &[("uber-trace-id: x; x-cloud-trace-context: y", "missing")]);
}

#[test]
fn an_invalid_context_counts_as_missing() {
    check(
        r#"{"generate": {"when_missing": true, "sampling_percentage": 100}}"#,
        &[("traceparent: x; tracestate: a=1", "traceparent: 00-<new>-<new s>-03", "generated")],
    );
    check_counts(
        r#"{"generate": {"when_missing": true}}"#,
        &[("traceparent: ff-<t>-<s>-01", &["invalid w3c version", "generated"])],
    );
}

#[test]
fn the_decision_names_the_first_invalid_format() {
    check(
        "{}",
        &[
            ("traceparent: x; b3: y", "", "invalid{w3c}:version"),
            ("b3: y; x-b3-sampled: z", "", "invalid{b3}:sampling"),
        ],
    );
    check_counts("{}", &[("traceparent: x; b3: y", &["invalid w3c version", "invalid b3 sampling"])]);
}

/// It is noted in the access log, unlike decisions on good requests.
#[test]
fn an_invalid_context_is_notable() {
    let gateway = Gateway::new("{}");
    let is_notable = |request| gateway.decide(request).decision.unwrap().is_notable;
    assert!(is_notable("traceparent: x"));
    assert!(!is_notable("traceparent: 00-<t>-<s>-01") && !is_notable(""));
}
