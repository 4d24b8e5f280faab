//! What every filter must keep to.

mesh_testkit::contract! {
    filter: "jwt-authz",
    parse: jwt_authz::config::parse,
    words: ["/users/{id}", "1m", "a.b", "*.a.b", "gt"],
    frames: [
        r#"{"providers": ["?"]}"#,
        r#"{"rules": [{"claims": "?"}]}"#,
        r#"{"providers": [{"jwks": {"inline": {"keys": ["?"]}}}]}"#,
    ],
}
