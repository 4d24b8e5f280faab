//! The metrics that a config defines.

use super::super::Metric;
use super::*;
use mesh_policy::policy::Policy as _;

/// The values of a metric's labels.
#[track_caller]
fn check_labels(config: &str, metric: Metric, expected: &[&str]) {
    let gateway = Gateway::new(config);
    let found: Vec<_> =
        gateway.policy.label_values(metric).into_iter().flatten().map(|values| values.join(" ")).collect();
    assert_eq!(found, expected);
}

#[test]
fn formats_that_are_read_and_written() {
    let config = r#"{"extract": ["b3", "w3c"], "inject": ["w3c", "gcp", "xray"], "native_tracer": ["xray", "jaeger"]}"#;
    check_labels(config, Metric::Extracted, &["w3c", "b3", "jaeger", "xray"]);
    check_labels(config, Metric::Conflict, &["w3c", "b3", "jaeger", "xray"]);
    let converted = ["w3c gcp", "b3 w3c", "b3 gcp", "jaeger w3c", "jaeger gcp", "xray w3c", "xray gcp"];
    check_labels(config, Metric::Converted, &converted);
    check_labels(r#"{"extract": [], "inject": ["w3c"]}"#, Metric::Converted, &[]);
    check_labels(r#"{"extract": ["gcp"], "inject": ["b3"]}"#, Metric::Conflict, &["b3", "gcp"]);
}

#[test]
fn every_reason_of_a_format_that_is_read() {
    const REASONS: [&str; 10] = [
        "version",
        "length",
        "hex",
        "decimal",
        "zero_id",
        "sampling",
        "repeated",
        "incomplete",
        "members",
        "grammar",
    ];
    let expected = REASONS.map(|reason| format!("b3 {reason}"));
    check_labels(r#"{"extract": ["b3"]}"#, Metric::Invalid, &expected.each_ref().map(String::as_str));
}

#[test]
fn baggage_and_correlation_only_where_they_are_configured() {
    check_labels("{}", Metric::BaggageDropped, &[]);
    check_labels("{}", Metric::Correlated, &[]);
    let reasons = ["not_allowed", "malformed", "too_many", "too_large", "replaced"];
    check_labels(r#"{"baggage": {}}"#, Metric::BaggageDropped, &reasons);
    check_labels(r#"{"correlate": {}}"#, Metric::Correlated, &["hit", "miss"]);
}
