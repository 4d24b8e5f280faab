//! What every filter must keep to.

mesh_testkit::contract! {
    filter: "jwt-authz",
    config: jwt_authz::config,
    metric: jwt_authz::policy::Metric,
    good: [include_str!("contract/rest.json")],
    // `claims` of a match are part of the shared vocabulary; here they are a field of the rule.
    refused: [r#"{"rules": [{"match": {"claims": [{"claim": "a", "present": true}]}}]}"#],
    words: ["/users/{id}", "1m", "a.b", "*.a.b", "gt"],
    frames: [
        r#"{"providers": ["?"]}"#,
        r#"{"rules": [{"claims": "?"}]}"#,
        r#"{"providers": [{"jwks": {"inline": {"keys": ["?"]}}}]}"#,
    ],
}
