//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "canary",
    config: canary::config,
    metric: canary::policy::Metric,
    good: [include_str!("contract/rest.json")],
    refused: [],
    words: ["clientIp", "fallBackTo", "not", "regex", "any", "same_site", "steps", "variants", "2026-11-20T10:00:00Z"],
    frames: [
        r#"{"split": "?"}"#,
        r#"{"splits": ["?"]}"#,
        r#"{"rules": ["?"], "output": "?", "trusted_override": "?"}"#,
        r#"{"split": {"name": "a", "variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 1}]}, "rollout": "?", "guard": "?"}"#,
    ],
}
