//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "jwt-authz",
    config: jwt_authz::config,
    metric: jwt_authz::policy::Metric,
    good: [include_str!("contract/rest.json")],
    // A shared match has `claims`; this filter refuses them there, since a rule has its own `claims`.
    refused: [r#"{"rules": [{"match": {"claims": [{"claim": "a", "present": true}]}}]}"#],
    words: ["/users/{id}", "1m", "a.b", "*.a.b", "gt"],
    frames: [
        r#"{"providers": ["?"]}"#,
        r#"{"rules": [{"claims": "?"}]}"#,
        r#"{"providers": [{"jwks": {"inline": {"keys": ["?"]}}}]}"#,
    ],
}
