//! The tests that every filter must pass.

mesh_testkit::contract! {
    filter: "suite",
    config: suite::config,
    metric: suite::metric::Metric,
    good: [
        concat!(
            r#"{"mode": "shadow", "filters": [{"jwt_authz": "#,
            include_str!("../../jwt-authz/tests/contract/rest.json"),
            r#"}, {"trace_context": "#,
            include_str!("../../trace-context/tests/contract/rest.json"),
            r#"}, {"rate_limit": "#,
            include_str!("../../rate-limit/tests/contract/rest.json"),
            r#", "name": "by-user"}, {"canary": "#,
            include_str!("../../canary/tests/contract/rest.json"),
            r#"}, {"fault": "#,
            include_str!("../../fault/tests/contract/rest.json"),
            r#"}]}"#
        ),
        include_str!("contract/rest.json"),
    ],
    // A shared match has `claims`; jwt-authz refuses them there, since a rule has its own `claims`.
    refused: [
        r#"{"filters": [{"jwt_authz": {"rules": [{"match": {"claims": [{"claim": "a", "present": true}]}}]}}]}"#,
    ],
    words: ["rateLimit", "jwtAuthz", "rate_limit", "by.user"],
    frames: [
        r#"{"filters": ["?"]}"#,
        r#"{"filters": [{"fault": "?"}, {"rate_limit": "?"}]}"#,
        r#"{"filters": [{"canary": "?"}, {"trace_context": "?"}, {"jwt_authz": "?"}]}"#,
    ],
}

#[test]
fn the_schema_has_on_a_route_what_the_block_s_filter_has() {
    let config = |filter: &str| {
        format!(
            r#"{{"filters": [{{"rate_limit": {{}}, "routes": [
                {{"name": "a", "match": {{"path": {{"prefix": "/a"}}}}, "config": {filter}}}]}}]}}"#
        )
    };
    contract().assert_schema_refuses(&config(r#"{"default": "v1"}"#));
    contract().assert_schema_refuses(&config(r#"{"max_active": 5}"#));
}
