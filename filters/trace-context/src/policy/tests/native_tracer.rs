//! A proxy with a tracer of its own.

use super::*;

#[test]
fn the_tracer_s_formats_are_read_and_not_written() {
    check_untouched(
        r#"{"native_tracer": ["w3c"], "inject": ["w3c"]}"#,
        &[("traceparent: 00-<t>-<s>-01", "extracted{w3c}"), ("b3: <t>-<s>-1", "extracted{b3}")],
    );
    check(
        r#"{"native_tracer": ["w3c"], "inject": ["w3c", "b3"]}"#,
        &[("traceparent: 00-<t>-<s>-01", "traceparent: 00-<t>-<s>-01; b3: <t>-<s>-1", "extracted{w3c}")],
    );
    // Also if `extract` does not name them.
    check_untouched(
        r#"{"native_tracer": ["xray"], "extract": ["w3c"], "inject": []}"#,
        &[("x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "extracted{xray}")],
    );
}

#[test]
fn the_tracer_s_formats_are_not_removed() {
    let config = r#"{"native_tracer": ["w3c"], "extract": ["b3", "w3c"], "inject": []}"#;
    check_untouched(
        config,
        &[
            ("traceparent: nonsense; tracestate: nonsense", "invalid{w3c}:version"),
            ("tracestate: a=1", "missing"),
            ("b3: <t>-<s>-1; traceparent: 00-<other>-<s>-01", "extracted{b3}"),
        ],
    );
    check_counts(
        config,
        &[
            ("traceparent: nonsense", &["invalid w3c version"]),
            ("b3: <t>-<s>-1; traceparent: 00-<other>-<s>-01", &["extracted b3", "conflict w3c"]),
        ],
    );
}

#[test]
fn other_formats_are_treated_as_always() {
    check(
        r#"{"native_tracer": ["w3c"]}"#,
        &[
            ("traceparent: 00-<t>-<s>-01; b3: nonsense", "traceparent: 00-<t>-<s>-01", "extracted{w3c}"),
            ("traceparent: 00-<t>-<s>-01; b3: <other>-<s>-1", "traceparent: 00-<t>-<s>-01", "extracted{w3c}"),
        ],
    );
}
