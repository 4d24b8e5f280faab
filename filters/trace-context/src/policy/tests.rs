//! Decisions.

#[cfg(not(target_arch = "wasm32"))]
mod any;
mod baggage;
mod boundaries;
mod conversions;
mod correlation;
mod decisions;
mod failures;
mod gateway;
mod generated;
mod invalid;
mod joining;
mod labels;
#[cfg(not(target_arch = "wasm32"))]
mod laws;
mod native_tracer;
mod order;
mod passing;
mod shadow;
mod told;
mod tracestate;

use gateway::{Gateway, edits, expand, label, sent, sorted};

/// Requests as lists of headers (`name: value; name: value`), each with the headers that the upstream gets, in any order, and
/// the label of its decision. For `<t>` and the like see [`expand`].
#[track_caller]
fn check(config: &str, requests: &[(&str, &str, &str)]) {
    let gateway = Gateway::new(config);
    for (request, expected, expected_label) in requests {
        let verdict = gateway.decide(request);
        let found = (sent(request, &verdict.request), label(&verdict));
        assert_eq!(found, (sorted(expected), (*expected_label).to_owned()), "{request}");
    }
}

/// Requests that pass as they are, each with the label of its decision.
#[track_caller]
fn check_untouched(config: &str, requests: &[(&str, &str)]) {
    let gateway = Gateway::new(config);
    for (request, expected_label) in requests {
        let verdict = gateway.decide(request);
        assert_eq!(verdict.request, [], "{request}");
        assert_eq!(label(&verdict), *expected_label, "{request}");
    }
}

/// How each request is changed, in order, see [`edits`].
#[track_caller]
fn check_edits(config: &str, requests: &[(&str, &[&str])]) {
    let gateway = Gateway::new(config);
    for (request, expected) in requests {
        let expected: Vec<_> = expected.iter().map(|edit| expand(edit)).collect();
        assert_eq!(edits(&gateway.decide(request)), expected, "{request}");
    }
}

/// What each request is counted as.
#[track_caller]
fn check_counts(config: &str, requests: &[(&str, &[&str])]) {
    let gateway = Gateway::new(config);
    for (request, expected) in requests {
        assert_eq!(gateway.counted(&gateway.decide(request)), *expected, "{request}");
    }
}

/// All formats.
const ALL: &str = r#""extract": ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"]"#;
