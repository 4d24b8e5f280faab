//! Requests that upstreams may read in several ways: an undecided test satisfies deny rules, but not allow rules.

use super::gateway::{Gateway, request, token};
use serde_json::{Value as Json, json};

/// The outcomes for requests (`name: value` lines) without a token.
#[track_caller]
fn check(rules: &Json, requests: &[(&str, &str)]) {
    let gateway = Gateway::with(&json!({}), &json!({"rules": rules, "escaped_slashes": "keep"}));
    for (headers, expected) in requests {
        assert_eq!(gateway.word(&request(headers)), *expected, "{headers}");
    }
}

fn allow(matches: &Json) -> Json {
    json!([{"name": "a", "action": "allow", "token": "none", "match": matches}])
}

fn deny(matches: &Json) -> Json {
    json!([{"name": "d", "action": "deny", "match": matches},
           {"name": "a", "action": "allow", "token": "none"}])
}

#[test]
fn an_allow_rule_is_no_wider_than_the_routes_of_the_proxy() {
    let rules = allow(&json!({"hosts": ["status.example.com"]}));
    check(
        &rules,
        &[
            (":authority: status.example.com", "+"),
            (":authority: STATUS.example.com", "+"),
            (":authority: status.example.com:81", "missing"),
            (":authority: status.example.com.", "missing"),
            (":authority: status.example.com:", "ambiguous_host"),
            (":authority: other.example.com", "missing"),
            (":path: /", "missing"),
        ],
    );
    let rules = allow(&json!({"hosts": ["status.example.com:*"]}));
    check(&rules, &[(":authority: status.example.com:81", "+"), (":authority: status.example.com", "+")]);
}

/// A repeated header satisfies a deny rule, but not an allow rule.
#[test]
fn a_header_that_is_sent_twice_is_undecided() {
    let equals = json!({"claim": "tenant", "equals_header": "x-tenant"});
    let check = |rules: Json, headers: &str, expected: &str| {
        let gateway = Gateway::with(&json!({}), &json!({"rules": rules}));
        let headers = format!("{headers}\nauthorization: Bearer {}", token(&json!({"tenant": "a"})));
        assert_eq!(gateway.word(&request(&headers)), expected, "{rules} {headers}");
    };
    for (headers, equal, unequal, deny) in [
        ("x-tenant: a", "+", "no_rule", "denied_by:d"),
        ("x-tenant: b", "no_rule", "+", "+"),
        ("y: a", "no_rule", "+", "+"),
        ("x-tenant: b\nx-tenant: a", "no_rule", "no_rule", "denied_by:d"),
        ("x-tenant: a\nx_tenant: b", "no_rule", "no_rule", "denied_by:d"),
    ] {
        check(json!([{"name": "a", "action": "allow", "claims": equals}]), headers, equal);
        check(json!([{"name": "a", "action": "allow", "claims": {"not": equals}}]), headers, unequal);
        let denied = json!([{"name": "d", "action": "deny", "claims": equals},
                            {"name": "a", "action": "allow", "token": "required"}]);
        check(denied, headers, deny);
    }
}

#[test]
fn a_deny_rule_keeps_out_what_may_be_meant() {
    check(
        &deny(&json!({"hosts": ["admin.test"]})),
        &[
            (":authority: admin.test", "denied_by:d"),
            (":authority: admin.test:81", "denied_by:d"),
            (":authority: admin.test.", "denied_by:d"),
            (":authority: open.test", "+"),
        ],
    );
    check(
        &deny(&json!({"methods": ["DELETE"]})),
        &[(":method: DELETE", "denied_by:d"), (":method: delete", "denied_by:d"), (":method: GET", "+")],
    );
    check(
        &deny(&json!({"path": {"prefix": "/admin/"}})),
        &[
            (":path: /admin/x", "denied_by:d"),
            (":path: /x\\..admin/", "+"),
            (":path: \\admin\\x", "denied_by:d"),
            (":path: /admin;v=1/x", "denied_by:d"),
            (":path: /admin%3Bv/x", "denied_by:d"),
            (":path: /admin;x\\c/x", "denied_by:d"),
            (":path: /x/admin/", "+"),
            // A CONNECT request has no path.
            (":method: CONNECT", "denied_by:d"),
        ],
    );
    check(
        &deny(&json!({"headers": [{"name": "x-env", "exact": "prod"}]})),
        &[("x-env: prod ", "denied_by:d"), ("x-env: \tprod", "denied_by:d"), ("x-env: dev", "+")],
    );
    check(&deny(&json!({"path": {"template": "/admin/**"}})), &[(":path: /admin", "denied_by:d")]);
}

#[test]
fn a_method_in_another_case_is_not_let_in() {
    let rules = allow(&json!({"methods": ["GET"]}));
    check(&rules, &[(":method: GET", "+"), (":method: get", "missing")]);
    // Neither a test nor its negation allows such a request.
    let rules = allow(&json!({"not": {"methods": ["DELETE"]}}));
    check(&rules, &[(":method: GET", "+"), (":method: delete", "missing"), (":method: DELETE", "missing")]);
}

#[test]
fn an_authority_that_is_none() {
    let none =
        ["a.tenant.test:1@b.tenant.test", "u@admin.test", "admin.test..", "admin.test:", "a.test,b.test"];
    for rules in [
        deny(&json!({"hosts": ["admin.test"]})),
        allow(&json!({"not": {"any": [{"hosts": ["*.test"]}]}})),
        json!([{"name": "r", "action": "allow", "claims": {"not": {"claim": "tenant", "equals_host": true}}}]),
    ] {
        for authority in none {
            check(&rules, &[(&format!(":authority: {authority}"), "ambiguous_host")]);
        }
    }
    // If no enforced rule tests the host, it may be ambiguous.
    let mut shadow = deny(&json!({"hosts": ["admin.test"]}));
    shadow[0]["mode"] = json!("shadow");
    for rules in [deny(&json!({"methods": ["PUT"]})), allow(&json!({"hosts": ["*"]})), shadow] {
        check(&rules, &[(":authority: u@admin.test", "+")]);
    }
}

#[test]
fn claims_follow_the_same_logic() {
    let check = |action: &str, claims: &str, headers: &str, expected: &str| {
        let claims: Json = serde_json::from_str(claims).unwrap();
        let rules = json!([{"name": "r", "action": action, "claims": claims,
                            "match": {"path": {"template": "/users/{id}/**"}}}]);
        let gateway = Gateway::with(
            &json!({}),
            &json!({"rules": rules, "escaped_slashes": "keep", "default": "allow"}),
        );
        let token = token(&json!({"sub": "u7", "tenant": "a.test"}));
        let word = gateway.word(&request(&format!("{headers}\nauthorization: Bearer {token}")));
        assert_eq!(word, expected, "{action} {claims} {headers}");
    };
    const OWN: &str = r#"{"claim": "sub", "equals_path": "id"}"#;
    const NOT_OWN: &str = r#"{"not": {"claim": "sub", "equals_path": "id"}}"#;
    check("deny", NOT_OWN, ":path: /users/u7/x", "+");
    check("deny", NOT_OWN, ":path: /users/u8/x", "denied_by:r");
    // Some upstreams read `u7;x` as `u7`.
    check("deny", NOT_OWN, ":path: /users/u7;x/y", "denied_by:r");
    check("deny", OWN, ":path: /users/u7;x/y", "denied_by:r");
    check("deny", OWN, ":path: /users/u8;x/y", "+");
    const HOST: &str = r#"{"claim": "tenant", "equals_host": true}"#;
    const NOT_HOST: &str = r#"{"not": {"claim": "tenant", "equals_host": true}}"#;
    let to = |authority: &str| format!(":path: /users/1\n:authority: {authority}");
    check("deny", NOT_HOST, &to("a.test"), "+");
    check("deny", NOT_HOST, &to("a.test:81"), "denied_by:r");
    check("deny", HOST, &to("a.test:81"), "denied_by:r");
    check("deny", HOST, &to("b.test:81"), "+");
    let any = format!(r#"{{"any": [{HOST}, {{"claim": "sub", "equals": "u7"}}]}}"#);
    check("deny", &any, &to("a.test:81"), "denied_by:r");
    let all = format!(r#"{{"all": [{HOST}, {{"claim": "sub", "equals": "u8"}}]}}"#);
    check("deny", &all, &to("a.test:81"), "+");
}

/// A rule for `/public/` does not allow requests for other paths.
#[test]
fn dot_segments_are_refused() {
    let gateway =
        Gateway::with(&json!({}), &json!({"rules": allow(&json!({"path": {"prefix": "/public/"}}))}));
    for path in [
        "/admin/../public/x",
        "/admin/%2e%2e/public/x",
        "/public/../admin",
        "/public/./x",
        "/public/x/..",
        "/public/..;/admin",
        "/public/.%2e;a/admin",
        "/public/\\..\\admin",
    ] {
        assert_eq!(gateway.word(&request(&format!(":path: {path}"))), "ambiguous_path", "{path}");
    }
    for path in ["/public/..%2fadmin", "/public%5c..%5cadmin"] {
        assert_eq!(gateway.word(&request(&format!(":path: {path}"))), "escaped_slash", "{path}");
        check(
            &allow(&json!({"path": {"prefix": "/public"}})),
            &[(&format!(":path: {path}"), "ambiguous_path")],
        );
    }
    for path in ["/public/x", "/public/.well-known", "/public/a..b", "/public//x"] {
        assert_eq!(gateway.word(&request(&format!(":path: {path}"))), "+", "{path}");
    }
}
