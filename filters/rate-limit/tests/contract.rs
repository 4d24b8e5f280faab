//! What every filter must keep to.

mesh_testkit::contract! {
    filter: "rate-limit",
    parse: rate_limit::config::parse,
    words: ["a.b", "any", "claim", "clientIp", "not", "regex"],
    frames: [r#"{"limits": ["?"]}"#],
}
