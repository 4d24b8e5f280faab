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
        ],
    );
    check_counts(config, &[("traceparent: nonsense", &["invalid w3c version"])]);
    // Two formats of the tracer.
    let config = r#"{"native_tracer": ["b3", "w3c"], "extract": ["w3c"], "inject": []}"#;
    let both = "b3: <t>-<s>-1; traceparent: 00-<other>-<s>-01; tracestate: a=1";
    check_untouched(config, &[(both, "extracted{b3}")]);
    check_counts(config, &[(both, &["extracted b3", "conflict w3c"])]);
}

/// What it sends is its own context, whatever comes first in `extract`.
#[test]
fn the_tracer_s_formats_are_read_first() {
    for extract in [r#"["b3", "w3c"]"#, r#"["b3"]"#, r#"["w3c", "b3"]"#] {
        let config = format!(r#"{{"native_tracer": ["w3c"], "extract": {extract}, "inject": []}}"#);
        let request = "b3: <t>-<s>-1; traceparent: 00-<other>-<s>-01";
        check(&config, &[(request, "traceparent: 00-<other>-<s>-01", "extracted{w3c}")]);
        check_counts(&config, &[(request, &["extracted w3c", "conflict b3"])]);
        check_untouched(&config, &[("b3: <t>-<s>-1", "extracted{b3}")]);
    }
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
