//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "fault",
    config: fault::config,
    metric: fault::policy::Metric,
    good: [include_str!("contract/rest.json")],
    refused: [],
    words: ["clientIp", "maxActive", "quantiles", "p99.9", "p0", "not", "regex", "any", "fixed", "secret", "2026-11-20T10:00:00Z"],
    frames: [
        r#"{"rules": [{"name": "a", "delay": "?"}]}"#,
        r#"{"rules": [{"name": "a", "response": {"percentage": 1, "delay": "?"}}, {"name": "b", "abort": "?"}]}"#,
        r#"{"rules": ["?"], "trigger": "?", "cohort": "?", "marker": "?"}"#,
        r#"{"budget": "?", "exclude": "?", "expires_at": "?", "max_active": "?"}"#,
    ],
}
