//! Traces that begin and end here.

use super::gateway::parsed;
use super::*;
use mesh_policy::policy::Policy as _;

const EVERYTHING: &str = "traceparent: 00-<t>-<s>-01; tracestate: a=1; b3: <t>-<s>-1; x-b3-traceid: <t>; x-b3-spanid: <s>; \
    x-b3-parentspanid: <s>; x-b3-sampled: 1; x-b3-flags: 1; uber-trace-id: <t>:<s>:0:1; x-datadog-trace-id: 1; \
    x-datadog-parent-id: 1; x-datadog-sampling-priority: 1; x-datadog-origin: rum; x-datadog-tags: a=b; \
    x-amzn-trace-id: Root=1; x-cloud-trace-context: <t>; baggage: a=1; baggage: b=2";

/// What belongs to the seven formats beyond their contexts, and baggage of other tracers.
const BESIDE: &str = "jaeger-debug-id: a; jaeger-baggage: b=1; uberctx-user: c; ot-baggage-user: d; x-datadog-delegate: e; \
    x_datadog_other: f; jaeger_debug.id: g; uberctx_x: h";

const OTHERS: &str = "x-ot-span-context: a; ot-tracer-traceid: b; ot-tracer-spanid: c; ot-tracer-sampled: true; \
    grpc-trace-bin: e; grpc-tags-bin: f; sw8: g; sw8-correlation: h; sw8-x: i; x-client-trace-id: k; correlation-context: l=1";

/// The same header names as some upstreams spell them.
const SPELLINGS: &str = "x_b3_traceid: <t>; x-b3_spanid: <s>; uber_trace_id: 1; x_datadog_trace_id: 1; x_amzn_trace_id: 1; \
    x_ot_span_context: a; ot_tracer_traceid: b; grpc_trace_bin: c; sw8_correlation: d; grpc_tags_bin: e; \
    correlation_context: f; jaeger_baggage: g";

#[test]
fn restart_replaces_what_came() {
    check(
        r#"{"boundary": "restart"}"#,
        &[
            (EVERYTHING, "traceparent: 00-<new>-<new s>-02", "generated"),
            ("", "traceparent: 00-<new>-<new s>-02", "generated"),
            (
                "x-other: 1; traceparent: nonsense",
                "x-other: 1; traceparent: 00-<new>-<new s>-02",
                "generated",
            ),
            (
                "x_b3_traceid: <t>; trace-parent: x",
                "trace-parent: x; traceparent: 00-<new>-<new s>-02",
                "generated",
            ),
        ],
    );
    check_counts(r#"{"boundary": "restart"}"#, &[(EVERYTHING, &["generated"])]);
}

/// What came is removed, also where it says the same as the new trace.
#[test]
fn restart_writes_in_any_case() {
    check(
        r#"{"boundary": "restart"}"#,
        &[("traceparent: 00-<new>-<new s>-02", "traceparent: 00-<new>-<new s>-02", "generated")],
    );
}

#[test]
fn restart_samples_anew() {
    check(
        r#"{"boundary": "restart", "generate": {"sampling_percentage": 0}}"#,
        &[("traceparent: 00-<t>-<s>-01", "traceparent: 00-<new>-<new s>-02", "generated")],
    );
    check(
        r#"{"boundary": "restart", "generate": {"sampling_percentage": 100}}"#,
        &[("b3: 0", "traceparent: 00-<new>-<new s>-03", "generated")],
    );
}

/// Formats that otherwise pass untouched stay, as the filter cannot tell what is in them.
#[test]
fn restart_leaves_other_formats() {
    let expected = format!("{OTHERS}; traceparent: 00-<new>-<new s>-02");
    check(r#"{"boundary": "restart"}"#, &[(OTHERS, &expected, "generated")]);
}

/// It came with a trace that has ended. `baggage` does not say what may pass of it.
#[test]
fn restart_removes_what_is_beside_the_formats() {
    for fields in ["", r#", "baggage": {}"#] {
        check(
            &format!(r#"{{"boundary": "restart"{fields}}}"#),
            &[(&format!("x: 1; {BESIDE}"), "x: 1; traceparent: 00-<new>-<new s>-02", "generated")],
        );
    }
    check(
        r#"{"boundary": "restart", "inject": ["datadog"]}"#,
        &[(
            "x-datadog-trace-id: 5; x-datadog-parent-id: 6; x-datadog-x: 7",
            "x-datadog-trace-id: 2459565876494606882; x-datadog-parent-id: 3689348814741910323; \
             x-datadog-sampling-priority: 0; x-datadog-tags: _dd.p.tid=1111111111111111",
            "generated",
        )],
    );
}

/// How the trailers of a request are changed.
#[track_caller]
fn check_trailers(config: &str, trailers: &str, expected: &str) {
    let gateway = Gateway::new(config);
    let edits = gateway.policy.edit_trailers(&parsed(trailers)).0;
    assert_eq!(sent(trailers, &edits), sorted(expected), "{config} {trailers}");
}

/// An upstream may take trailers for headers.
#[test]
fn a_boundary_is_one_for_trailers_too() {
    let kept = "x-checksum: 1; sw: 2";
    for removed in [EVERYTHING, BESIDE, OTHERS, SPELLINGS] {
        let trailers = format!("{kept}; {removed}");
        check_trailers(r#"{"boundary": "strip"}"#, &trailers, kept);
        let others = [kept, OTHERS].join("; ");
        let of_restart = if removed == OTHERS { &*others } else { kept };
        if removed != SPELLINGS {
            check_trailers(r#"{"boundary": "restart"}"#, &trailers, of_restart);
            // Baggage of trailers is not filtered, so none passes.
            check_trailers(r#"{"boundary": "restart", "baggage": {}}"#, &trailers, of_restart);
        }
        check_trailers("{}", &trailers, &trailers);
        check_trailers(r#"{"boundary": "strip", "mode": "shadow"}"#, &trailers, &trailers);
        check_trailers(r#"{"boundary": "restart", "mode": "off"}"#, &trailers, &trailers);
    }
    check_trailers(r#"{"boundary": "restart"}"#, "x_b3_traceid: 1; uber.trace.id: 2", "");
}

#[test]
fn restart_filters_baggage_if_that_is_given() {
    check(
        r#"{"boundary": "restart", "baggage": {"allow": ["b"]}}"#,
        &[
            ("baggage: a=1; baggage: b=2", "baggage: b=2; traceparent: 00-<new>-<new s>-02", "generated"),
            ("baggage: b=2", "baggage: b=2; traceparent: 00-<new>-<new s>-02", "generated"),
        ],
    );
}

#[test]
fn restart_writes_every_format_of_inject() {
    check(
        r#"{"boundary": "restart", "inject": ["b3"]}"#,
        &[("b3: <t>-<s>-1; traceparent: 00-<t>-<s>-01", "b3: <new>-<new s>-0", "generated")],
    );
    check(r#"{"boundary": "restart", "inject": []}"#, &[("b3: <t>-<s>-1; x: 1", "x: 1", "generated")]);
}

#[test]
fn strip_removes_everything_in_every_spelling() {
    for request in [EVERYTHING, OTHERS, SPELLINGS, BESIDE] {
        let with_others = format!("{request}; x-request-id: 1; x-other: 2; sw: 3; x-b3: 4");
        check(
            r#"{"boundary": "strip"}"#,
            &[(&with_others, "x-request-id: 1; x-other: 2; sw: 3; x-b3: 4", "stripped")],
        );
    }
    check_untouched(r#"{"boundary": "strip"}"#, &[("x-other: 1", "stripped"), ("", "stripped")]);
    check_counts(r#"{"boundary": "strip"}"#, &[(EVERYTHING, &[])]);
}

/// Whatever else is configured.
#[test]
fn strip_writes_nothing() {
    check(
        r#"{"boundary": "strip", "extract": [], "inject": ["w3c", "b3"], "generate": {"when_missing": true},
            "baggage": {"set": [{"key": "tenant", "from": {"constant": "acme"}}]}}"#,
        &[(EVERYTHING, "", "stripped"), ("", "", "stripped")],
    );
}
