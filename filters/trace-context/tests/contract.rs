//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "trace-context",
    config: trace_context::config,
    metric: trace_context::policy::Metric,
    good: [include_str!("contract/rest.json")],
    refused: [],
    words: ["clientIp", "whenMissing", "b3-multi", "w3c", "xray", "strip", "restart", "outbound", "not", "regex", "any", "traceparent", "9m"],
    frames: [
        r#"{"extract": "?", "inject": "?", "native_tracer": "?"}"#,
        r#"{"generate": "?", "boundary": "?"}"#,
        r#"{"generate": {"sampling_rules": ["?"]}, "response": "?"}"#,
        r#"{"baggage": "?"}"#,
        r#"{"baggage": {"set": ["?"]}}"#,
        r#"{"correlate": "?"}"#,
    ],
}
