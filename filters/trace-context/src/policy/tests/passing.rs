//! Requests that pass as they are.

use super::*;

#[test]
fn a_valid_traceparent_passes_unchanged() {
    check_untouched(
        "{}",
        &[
            ("traceparent: 00-<t>-<s>-01", "extracted{w3c}"),
            ("traceparent: 00-<t>-<s>-00", "extracted{w3c}"),
            ("traceparent: 00-<t>-<s>-03; tracestate: a=1,b=2", "extracted{w3c}"),
            // Flags that are not known stay.
            ("traceparent: 00-<t>-<s>-ff", "extracted{w3c}"),
        ],
    );
}

#[test]
fn without_a_trace_nothing_happens() {
    check_untouched("{}", &[("", "missing"), ("x-other: 1; baggage: a=1", "missing")]);
    check_counts("{}", &[("", &[]), ("x-other: 1", &[])]);
}

#[test]
fn formats_that_the_filter_does_not_know_pass() {
    check_untouched(
        "{}",
        &[(
            "traceparent: 00-<t>-<s>-01; x-ot-span-context: a; ot-tracer-traceid: b; grpc-trace-bin: c; sw8: d",
            "extracted{w3c}",
        )],
    );
}

#[test]
fn formats_that_are_not_read_pass() {
    check_untouched(
        r#"{"extract": ["w3c"]}"#,
        &[
            ("traceparent: 00-<t>-<s>-01; b3: <other>-<s>-1", "extracted{w3c}"),
            ("b3: <t>-<s>-1; uber-trace-id: nonsense", "missing"),
        ],
    );
    check_untouched(
        r#"{"extract": [], "inject": []}"#,
        &[("traceparent: nonsense; tracestate: x; b3: nonsense", "missing")],
    );
}

#[test]
fn what_is_not_to_be_written_is_only_read() {
    check_untouched(
        r#"{"inject": []}"#,
        &[("b3: <t>-<s>-1", "extracted{b3}"), ("traceparent: 00-<t>-<s>-01", "extracted{w3c}")],
    );
}

#[test]
fn headers_that_say_the_same_are_not_written_again() {
    let config =
        format!(r#"{{{ALL}, "inject": ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"]}}"#);
    check_untouched(
        &config,
        &[(
            "traceparent: 00-<t>-<s>-01; tracestate: a=1; b3: <t>-<s>-1-05e3ac9a4f6e3b90; x-b3-traceid: <t>; x-b3-spanid: <s>; \
             x-b3-sampled: true; uber-trace-id: <t>:<s>:0:09; x-datadog-trace-id: <decimal t>; \
             x-datadog-parent-id: <decimal s>; x-datadog-sampling-priority: 2; x-datadog-origin: rum; \
             x-datadog-tags: _dd.p.dm=-4,_dd.p.tid=4bf92f3577b34da6; \
             x-amzn-trace-id: Self=1;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=<s>;Sampled=1; \
             x-cloud-trace-context: <t>/<decimal s>;o=1",
            "extracted{w3c}",
        )],
    );
}

#[test]
fn each_request_is_counted_by_its_format() {
    check_counts(
        &format!("{{{ALL}}}"),
        &[
            ("traceparent: 00-<t>-<s>-01", &["extracted w3c"]),
            ("traceparent: 00-<t>-<s>-01; b3: <t>-<s>-1", &["extracted w3c"]),
            ("b3: <t>-<s>-1", &["extracted b3", "converted b3 w3c"]),
            ("x-cloud-trace-context: <t>/1", &["extracted gcp", "converted gcp w3c"]),
        ],
    );
}
