//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "rate-limit",
    config: rate_limit::config,
    metric: rate_limit::policy::Metric,
    good: [include_str!("contract/rest.json")],
    refused: [],
    words: ["a.b", "any", "claim", "clientIp", "not", "regex"],
    frames: [r#"{"limits": ["?"]}"#],
}
