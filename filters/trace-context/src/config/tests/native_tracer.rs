//! What Envoy's tracer would undo is refused.

use super::{check, good};
use crate::format::Format;

const UNDONE: &str = "found it with `native_tracer`, expected the default: Envoy's tracer begins traces itself, and writes \
     its own headers after the filter";

#[test]
fn with_a_tracer_the_filter_begins_and_ends_no_traces() {
    for boundary in ["restart", "strip"] {
        check(
            &format!(r#"{{"native_tracer": ["w3c"], "boundary": "{boundary}"}}"#),
            &format!("boundary: {UNDONE}"),
        );
    }
    check(
        r#"{"native_tracer": ["b3-multi"], "generate": {"when_missing": true}}"#,
        &format!("generate.when_missing: {UNDONE}"),
    );
    check(
        r#"{"native_tracer": ["w3c"], "boundary": "restart", "generate": {"when_missing": true}}"#,
        &format!("boundary: {UNDONE}\ngenerate.when_missing: {UNDONE}"),
    );
}

#[test]
fn everything_else_works_with_a_tracer() {
    good(r#"{"native_tracer": ["w3c"], "boundary": "continue", "generate": {"when_missing": false}}"#);
    good(
        r#"{"native_tracer": ["w3c"], "baggage": {}, "correlate": {}, "response": {"header": "x-trace-id"},
            "generate": {"sampling_percentage": 5}}"#,
    );
    // An empty list means no tracer.
    good(r#"{"native_tracer": [], "boundary": "restart", "generate": {"when_missing": true}}"#);
}

#[test]
fn the_tracer_s_formats_are_not_written() {
    let config = good(r#"{"native_tracer": ["w3c"], "inject": ["w3c", "b3"]}"#);
    assert_eq!(config.written().collect::<Vec<_>>(), [Format::B3]);
    assert!(config.is_native(Format::W3c) && !config.is_native(Format::B3));
}
