mod answers;
mod any;
mod cookies;
mod failures;
mod gateway;
mod identities;
mod laws;
mod order;
mod outcomes;
mod overrides;
mod restarts;
mod rollouts;
mod routes;
mod shadow;
mod trips;
mod workers;

pub(super) use gateway::Gateway;
use gateway::{label, written};

/// Requests as lists of headers (`name: value; name: value`), each with the label of its decision, and the variant that
/// the upstream is told.
#[track_caller]
fn check(config: &str, requests: &[(&str, &str, &str)]) {
    let gateway = Gateway::new(config);
    for (headers, expected_label, expected_variant) in requests {
        let verdict = gateway.decide(headers);
        let found = (label(&verdict), written(&verdict, "x-mesh-variant"));
        assert_eq!(found, (expected_label.to_string(), expected_variant.to_string()), "{headers}");
    }
}

/// What each request is counted as.
#[track_caller]
fn check_counts(config: &str, requests: &[(&str, &[&str])]) {
    let gateway = Gateway::new(config);
    for (headers, expected) in requests {
        assert_eq!(gateway.counted(&gateway.decide(headers)), *expected, "{headers}");
    }
}

/// A split `s` in which everybody gets `v2`.
const ALL_V2: &str =
    r#"{"name": "s", "variants": [{"name": "v1", "weight": 0}, {"name": "v2", "weight": 1}]}"#;
