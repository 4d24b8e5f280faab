//! Which formats are read and written.

use super::{check, good};
use crate::format::Format;

const WORDS: &str = "one of `w3c`, `b3`, `b3-multi`, `jaeger`, `datadog`, `xray`, `gcp`";

#[test]
fn every_format_has_a_name() {
    let names = ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"];
    for (name, format) in names.into_iter().zip(Format::ALL) {
        let config =
            good(&format!(r#"{{"extract": ["{name}"], "inject": ["{name}"], "native_tracer": ["{name}"]}}"#));
        for formats in [&config.extract, &config.inject, &config.native_tracer] {
            assert_eq!(formats, &[*format]);
        }
    }
    assert_eq!(names.len(), Format::ALL.len());
}

#[test]
fn formats_keep_their_order() {
    let config = good(r#"{"extract": ["gcp", "w3c", "b3"], "inject": ["xray", "b3"]}"#);
    assert_eq!(config.extract, [Format::Gcp, Format::W3c, Format::B3]);
    assert_eq!(config.inject, [Format::Xray, Format::B3]);
}

#[test]
fn there_may_be_none() {
    let config = good(r#"{"extract": [], "inject": []}"#);
    assert!(config.extract.is_empty() && config.inject.is_empty());
}

#[test]
fn a_format_is_named_once() {
    for field in ["extract", "inject", "native_tracer"] {
        check(
            &format!(r#"{{"{field}": ["b3", "w3c", "b3"]}}"#),
            &format!("{field}[2]: found `b3`, expected a format that is not named yet"),
        );
        check(
            &format!(r#"{{"{field}": ["tracecontext"]}}"#),
            &format!("{field}[0]: found `tracecontext`, expected {WORDS}"),
        );
        check(
            &format!(r#"{{"{field}": ["b3_multi"]}}"#),
            &format!("{field}[0]: found `b3_multi`, expected {WORDS}; did you mean `b3-multi`?"),
        );
        check(&format!(r#"{{"{field}": "w3c"}}"#), &format!("{field}: found `w3c`, expected an array"));
    }
}
