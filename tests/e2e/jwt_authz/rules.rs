//! Rules on requests and claims.

use super::{bearer, config, inline, logged, provider, setup};
use bytes::Bytes;
use e2e::{Algorithm, Gateway, Key, Token};
use mesh_filters::http::{Request, Response};
use serde_json::{Value, json};

/// A valid token with these additional claims.
fn token(claims: &Value) -> String {
    let good = Token::good(Algorithm::Rs256);
    claims
        .as_object()
        .unwrap()
        .iter()
        .fold(good, |token, (name, value)| token.claim(name, value.clone()))
        .sign()
}

async fn gateway(extra: Value) -> Gateway {
    setup(config(provider(inline(&[("a", Key::RSA_A)]), json!({})), extra)).start().await
}

/// Sends a request. `claims` are those of its token, null for no token, or a string that is the token.
async fn send(
    gateway: &Gateway,
    method: &str,
    path: &str,
    claims: &Value,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request = match claims {
        Value::Null => request,
        Value::String(raw) => request.header("authorization", bearer(raw)),
        claims => request.header("authorization", bearer(&token(claims))),
    };
    gateway.send(request.body(Bytes::new()).unwrap()).await
}

/// Requests with their claims, expected status and details of a refusal.
async fn check(gateway: &Gateway, table: &[(&str, &str, Value, u16, &str)]) {
    for (index, (method, path, claims, status, _)) in table.iter().enumerate() {
        let mark = if path.contains('?') { '&' } else { '?' };
        let answer = send(gateway, method, &format!("{path}{mark}case={index}"), claims, &[]).await;
        assert_eq!(answer.status, *status, "{method} {path} {claims}");
    }
    for (index, (method, path, claims, status, details)) in table.iter().enumerate() {
        let mark = if path.contains('?') { '&' } else { '?' };
        let line = logged(gateway, &format!("{path}{mark}case={index}")).await;
        let expected = match *details {
            "" => format!("{status} via_upstream"),
            details => format!("{status} jwt_authz{{{details}}}"),
        };
        assert!(line.starts_with(&expected), "{method} {path} {claims}: {line}");
    }
}

/// Deny rules, allow rules and the default.
#[tokio::test]
async fn deny_rules_first_then_allow_rules_then_the_default() {
    let gateway = gateway(json!({"rules": [
        {"name": "health", "match": {"path": {"in": ["/health", "/ready"]}}, "action": "allow", "token": "none"},
        {"name": "admins", "match": {"methods": ["DELETE", "PUT"]}, "action": "allow",
         "claims": {"all": [{"claim": "role", "equals": "admin"}]}},
        {"name": "own-data", "match": {"path": {"template": "/users/{id}/*"}}, "action": "allow",
         "claims": {"any": [{"claim": "sub", "equals_path": "id"}, {"claim": "scope", "contains": "users:read"}]}},
        {"name": "no-guests", "action": "deny", "claims": {"any": [{"claim": "groups", "contains": "guest"}]}},
        {"name": "closed", "match": {"path": {"prefix": "/closed"}}, "action": "deny"},
    ]}))
    .await;
    let (admin, user, reader) =
        (json!({"role": "admin"}), json!({}), json!({"sub": "x", "scope": "a users:read b"}));
    let guest = json!({"role": "admin", "groups": ["x", "guest"]});
    let bad = json!("x.y.z");
    check(
        &gateway,
        &[
            ("GET", "/health", Value::Null, 200, ""),
            // The token is not looked at, even if it is bad.
            ("GET", "/health", bad.clone(), 200, ""),
            ("DELETE", "/any", admin.clone(), 200, ""),
            ("DELETE", "/any", user.clone(), 403, "no_rule"),
            ("DELETE", "/any", json!({"role": "administrator"}), 403, "no_rule"),
            ("DELETE", "/any", json!({"role": ["admin"]}), 200, ""),
            ("DELETE", "/any", guest.clone(), 403, "denied_by:no-guests"),
            ("DELETE", "/any", json!({"role": "admin", "groups": "a guest b"}), 403, "denied_by:no-guests"),
            ("DELETE", "/any", json!({"role": "admin", "groups": "guests"}), 200, ""),
            ("DELETE", "/any", Value::Null, 401, "missing"),
            ("DELETE", "/any", bad.clone(), 401, "malformed"),
            ("GET", "/users/user-1/x", user.clone(), 200, ""),
            ("GET", "/users/user-2/x", user.clone(), 403, "no_rule"),
            ("GET", "/users/user-2/x", reader.clone(), 200, ""),
            ("GET", "/users/user-2/x", json!({"scope": "users:readonly"}), 403, "no_rule"),
            ("GET", "/users/user-1/x/y", user.clone(), 403, "no_rule"),
            ("GET", "/users/user-1", user.clone(), 403, "no_rule"),
            // Percent-encoding is decoded.
            ("GET", "/users/user-%31/%78", user.clone(), 200, ""),
            ("GET", "/users/user-1/../user-2/x", user.clone(), 400, "ambiguous_path"),
            ("GET", "/users/user-2/../user-1/x", user.clone(), 400, "ambiguous_path"),
            ("GET", "/users//user-1/x", user.clone(), 403, "no_rule"),
            ("GET", "/users\\user-1\\x", user.clone(), 403, "no_rule"),
            ("GET", "/users/user-1;a/x", user.clone(), 403, "no_rule"),
            ("GET", "/users/user-1%2Fx", user.clone(), 400, "escaped_slash"),
            ("GET", "/users/user-1%5cx/y", user.clone(), 400, "escaped_slash"),
            // Paths that upstreams read differently.
            ("GET", "/users/user-1//../user-2/x", user.clone(), 400, "ambiguous_path"),
            ("GET", "/users/user-1/..;/user-2/x", user.clone(), 400, "ambiguous_path"),
            ("GET", "//users/user-1/x", user.clone(), 400, "ambiguous_path"),
            ("GET", "/health?next=%2F", Value::Null, 200, ""),
            // Denied with and without a token, whatever the other rules say.
            ("DELETE", "/closed/x", admin.clone(), 403, "denied_by:closed"),
            ("GET", "/closed", Value::Null, 403, "denied_by:closed"),
            ("GET", "/closed;a", bad, 403, "denied_by:closed"),
        ],
    )
    .await;
    assert_eq!(gateway.metric("jwt_authz.reason=.=escaped_slash;.;denied").await, 2);
    assert!(gateway.metric("jwt_authz.allowed").await >= 9);
    let refused = send(&gateway, "DELETE", "/", &user, &[]).await;
    assert!(refused.header("www-authenticate").unwrap().contains(r#"error="insufficient_scope""#));
    let refused = send(&gateway, "DELETE", "/", &guest, &[]).await;
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(problem["rule"], "no-guests");
}

#[tokio::test]
async fn a_token_is_optional_or_not_looked_at_or_required() {
    let gateway = gateway(json!({"rules": [
        {"name": "open", "match": {"path": {"exact": "/open"}}, "action": "allow", "token": "none"},
        {"name": "either", "match": {"path": {"exact": "/either"}}, "action": "allow", "token": "optional"},
        {"name": "closed", "match": {"path": {"exact": "/closed"}}, "action": "allow"},
    ]}))
    .await;
    let (good, bad) = (json!({}), json!(Token::good(Algorithm::Rs256).key(&Key::RSA_B).sign()));
    check(
        &gateway,
        &[
            ("GET", "/open", Value::Null, 200, ""),
            ("GET", "/open", bad.clone(), 200, ""),
            ("GET", "/either", Value::Null, 200, ""),
            ("GET", "/either", good.clone(), 200, ""),
            ("GET", "/either", bad.clone(), 401, "bad_signature"),
            ("GET", "/closed", Value::Null, 401, "missing"),
            ("GET", "/closed", good.clone(), 200, ""),
            ("GET", "/closed", bad.clone(), 401, "bad_signature"),
            ("GET", "/other", Value::Null, 401, "missing"),
            ("GET", "/other", good, 403, "no_rule"),
            ("GET", "/other", bad, 401, "bad_signature"),
        ],
    )
    .await;
}

#[tokio::test]
async fn who_is_not_denied_is_let_in_by_a_default_that_allows() {
    let gateway = gateway(json!({"default": "allow", "rules": [
        {"name": "guests", "action": "deny", "claims": [{"claim": "role", "equals": "guest"}]},
    ]}))
    .await;
    check(
        &gateway,
        &[
            ("GET", "/", Value::Null, 200, ""),
            ("GET", "/", json!({}), 200, ""),
            ("GET", "/", json!({"role": "guest"}), 403, "denied_by:guests"),
            ("GET", "/", json!("x"), 401, "malformed"),
        ],
    )
    .await;
}

/// Claims are compared with a header that is not repeated, and with the host with or without its port.
#[tokio::test]
async fn claims_are_compared_with_the_request() {
    let gateway = gateway(json!({"rules": [
        {"name": "tenant", "match": {"path": {"prefix": "/header"}}, "action": "allow",
         "claims": [{"claim": "tenant", "equals_header": "x-tenant"}]},
        {"name": "host", "match": {"path": {"prefix": "/host"}}, "action": "allow",
         "claims": [{"claim": "host", "equals_host": true}]},
        {"name": "any-port", "match": {"path": {"prefix": "/any-port"}}, "action": "allow",
         "claims": [{"claim": "host", "equals_host": "*:*"}]},
        {"name": "part-of-host", "match": {"path": {"prefix": "/part"}}, "action": "allow",
         "claims": [{"claim": "tenant", "equals_host": "*.example.com"}]},
    ]}))
    .await;
    let claims = json!({"tenant": "a", "host": "a.example.com"});
    for (path, headers, status) in [
        ("/header", vec![("x-tenant", "a")], 200),
        ("/header", vec![("x-tenant", "A")], 403),
        ("/header", vec![("x-tenant", "")], 403),
        ("/header", vec![("x-tenant", "b"), ("x-tenant", "a")], 403),
        ("/header", vec![], 403),
        ("/host", vec![("host", "a.example.com")], 200),
        ("/host", vec![("host", "A.Example.com")], 200),
        ("/host", vec![("host", "a.example.com:8080")], 403),
        ("/any-port", vec![("host", "A.Example.com:8080")], 200),
        ("/any-port", vec![("host", "a.example.com")], 200),
        ("/any-port", vec![("host", "a.example.com:")], 400),
        ("/host", vec![("host", "b.example.com")], 403),
        ("/host", vec![("host", "a.example.com.evil.example")], 403),
        ("/part", vec![("host", "a.example.com")], 200),
        ("/part", vec![("host", "b.example.com")], 403),
        ("/part", vec![("host", "a.b.example.com")], 403),
        ("/part", vec![("host", ".example.com")], 400),
    ] {
        let answer = send(&gateway, "GET", path, &claims, &headers).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn nested_claims_numbers_and_negations() {
    let rule = |name: &str, claims: Value| json!({"name": name, "match": {"path": {"exact": format!("/{name}")}}, "action": "allow", "claims": claims});
    let gateway = gateway(json!({"rules": [
        rule("nested", json!([{"claim": "realm_access.roles", "contains": "admin"}])),
        rule("dotted", json!([{"claim": ["https://example.com/roles", "x.y"], "equals": "z"}])),
        rule("number", json!([{"claim": "level", "gte": 3, "lt": 5}])),
        rule("not", json!({"not": {"claim": "blocked", "equals": true}})),
    ]}))
    .await;
    check(
        &gateway,
        &[
            ("GET", "/nested", json!({"realm_access": {"roles": ["user", "admin"]}}), 200, ""),
            ("GET", "/nested", json!({"realm_access": {"roles": ["administrator"]}}), 403, "no_rule"),
            ("GET", "/nested", json!({"realm_access.roles": ["admin"]}), 403, "no_rule"),
            ("GET", "/dotted", json!({"https://example.com/roles": {"x.y": "z"}}), 200, ""),
            ("GET", "/number", json!({"level": 3}), 200, ""),
            ("GET", "/number", json!({"level": 4.9}), 200, ""),
            ("GET", "/number", json!({"level": 5}), 403, "no_rule"),
            ("GET", "/number", json!({"level": "4"}), 403, "no_rule"),
            ("GET", "/not", json!({}), 200, ""),
            ("GET", "/not", json!({"blocked": true}), 403, "no_rule"),
            // A rule with claims never holds without a token.
            ("GET", "/not", Value::Null, 401, "missing"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_rule_takes_only_the_tokens_of_its_providers() {
    let other = "https://other.example";
    let config = json!({
        "providers": [
            provider(inline(&[("a", Key::RSA_A)]), json!({})),
            provider(inline(&[("b", Key::RSA_B)]), json!({"name": "other", "issuer": other})),
        ],
        "rules": [
            {"name": "main-only", "match": {"path": {"exact": "/main"}}, "action": "allow", "providers": ["main"]},
            {"name": "both", "match": {"path": {"exact": "/both"}}, "action": "allow"},
        ],
    });
    let gateway = setup(config).start().await;
    let foreign = Token::good(Algorithm::Rs256).claim("iss", other).kid("b").key(&Key::RSA_B);
    let (ours, theirs) = (json!({}), json!(foreign.sign()));
    // Each token has the `kid` of the other provider's key.
    let crossed = json!(Token::good(Algorithm::Rs256).kid("b").key(&Key::RSA_B).sign());
    check(
        &gateway,
        &[
            ("GET", "/main", ours.clone(), 200, ""),
            ("GET", "/main", theirs.clone(), 403, "no_rule"),
            ("GET", "/both", ours, 200, ""),
            ("GET", "/both", theirs, 200, ""),
            ("GET", "/both", crossed, 401, "unknown_key"),
            (
                "GET",
                "/both",
                json!(foreign.claim("iss", "https://third.example").sign()),
                401,
                "wrong_issuer",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_escaped_slash_may_be_kept() {
    let gateway = gateway(json!({"escaped_slashes": "keep", "rules": [
        {"name": "own", "match": {"path": {"template": "/users/{id}"}}, "action": "allow", "token": "none"},
    ]}))
    .await;
    let table =
        [("GET", "/users/a%2Fb", Value::Null, 200, ""), ("GET", "/users/a/b", Value::Null, 401, "missing")];
    check(&gateway, &table).await;
}

#[tokio::test]
async fn a_grpc_request_is_refused_as_grpc() {
    let gateway = gateway(json!({"rules": [
        {"name": "admins", "action": "allow", "claims": [{"claim": "role", "equals": "admin"}]},
    ]}))
    .await;
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    for (claims, status) in [(Value::Null, "16"), (json!("x"), "16"), (json!({}), "7")] {
        let answer = send(&gateway, "POST", "/s/m", &claims, &grpc).await;
        assert_eq!(answer.status, 200, "{claims}");
        assert_eq!(answer.header("grpc-status").as_deref(), Some(status), "{claims}");
        assert!(answer.header("grpc-message").is_some(), "{claims}");
    }
}

#[tokio::test]
async fn cors_preflight_requests_pass_unless_they_are_to_be_checked() {
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "PUT")];
    for (policy, expected) in [("allow", 200), ("check", 401)] {
        let gateway = gateway(json!({"cors_preflight": policy})).await;
        assert_eq!(
            send(&gateway, "OPTIONS", "/", &Value::Null, &preflight).await.status,
            expected,
            "{policy}"
        );
        // Requests that resemble a preflight.
        assert_eq!(send(&gateway, "GET", "/", &Value::Null, &preflight).await.status, 401, "{policy}");
        assert_eq!(
            send(&gateway, "OPTIONS", "/", &Value::Null, &preflight[..1]).await.status,
            401,
            "{policy}"
        );
    }
}

#[tokio::test]
async fn shadow_and_off_refuse_nobody() {
    for (mode, decision) in [("shadow", "shadow_denied"), ("off", "- -")] {
        let gateway = gateway(json!({"mode": mode})).await;
        for claims in [Value::Null, json!("x"), json!({})] {
            assert_eq!(send(&gateway, "GET", "/all", &claims, &[]).await.status, 200, "{mode} {claims}");
        }
        // Also an escaped slash.
        assert_eq!(send(&gateway, "GET", "/a%2Fb", &Value::Null, &[]).await.status, 200, "{mode}");
        let line = logged(&gateway, "/all").await;
        assert!(line.starts_with("200 via_upstream") && line.contains(decision), "{mode}: {line}");
    }
}

#[tokio::test]
async fn a_shadow_rule_decides_nothing() {
    let gateway = gateway(json!({"rules": [
        {"name": "deny", "action": "deny", "mode": "shadow", "match": {"path": {"prefix": "/denied"}}},
        {"name": "open", "action": "allow", "mode": "shadow", "token": "none", "match": {"path": {"prefix": "/open"}}},
        {"name": "signed", "action": "allow"},
    ]}))
    .await;
    check(&gateway, &[("GET", "/denied", json!({}), 200, ""), ("GET", "/open", Value::Null, 401, "missing")])
        .await;
}
