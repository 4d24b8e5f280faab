//! Tests on claims.

use super::gateway::{Gateway, request, token};
use serde_json::{Value as Json, json};

/// Whether a rule with this test on the claim `a` holds for a token with this claim.
#[track_caller]
fn check(test: &str, claim: &str, expected: bool) {
    check_request(&format!(r#"{{"claim": "a", {test}}}"#), &format!(r#"{{"a": {claim}}}"#), "", expected);
}

/// Whether a rule for paths `/users/{id}/**` with these claims holds for a request.
#[track_caller]
fn check_request(claims: &str, payload: &str, headers: &str, expected: bool) {
    let claims: Json = serde_json::from_str(claims).unwrap();
    let payload: Json = serde_json::from_str(payload).unwrap();
    let mut rule = json!({"name": "r", "action": "allow", "claims": claims});
    if claims.to_string().contains("equals_path") {
        rule["match"] = json!({"path": {"template": "/users/{id}/**"}});
    }
    let gateway = Gateway::with(&json!({}), &json!({"rules": [rule], "escaped_slashes": "keep"}));
    let headers = format!("{headers}\nauthorization: Bearer {}", token(&payload));
    let word = gateway.word(&request(&headers));
    // No rule allows the request, or its path or host is ambiguous.
    let known = ["+", "no_rule", "ambiguous_path", "ambiguous_host"].contains(&&*word);
    assert!(known && (word == "+") == expected, "{word}: {claims} {payload} {headers}");
}

#[test]
fn equals() {
    for (test, claim, expected) in [
        (r#""b""#, r#""b""#, true),
        (r#""b""#, r#""B""#, false),
        (r#""b""#, r#""bc""#, false),
        (r#""b""#, r#""b c""#, false),
        (r#""b""#, r#"["a", "b"]"#, true),
        (r#""b""#, r#"[["b"]]"#, false),
        (r#""b""#, r#"{"b": 1}"#, false),
        (r#""b""#, "null", false),
        (r#""""#, r#""""#, true),
        (r#""""#, "null", false),
        (r#""""#, "[]", false),
        // A string equals a number or boolean claim as JSON writes it.
        (r#""5""#, "5", true),
        (r#""5""#, "5.0", false),
        (r#""true""#, "true", true),
        (r#""null""#, "null", false),
        // A number does not equal a string claim.
        ("5", "5", true),
        ("5", "5.0", true),
        ("5", r#""5""#, false),
        ("5", "[1, 5]", true),
        ("5", "[5, \"x\"]", true),
        ("5", "true", false),
        ("-0.5", "-0.5", true),
        ("0", "-0.0", true),
        ("true", "true", true),
        ("true", "false", false),
        ("true", r#""true""#, false),
        ("true", "1", false),
        ("false", "null", false),
        ("false", "[true, false]", true),
        // Integers beyond the precision of a float are compared exactly.
        ("9007199254740991", "9007199254740991", true),
        ("9007199254740991", "9007199254740992", false),
        (r#""9007199254740993""#, "9007199254740993", true),
        (r#""9007199254740993""#, "9007199254740992", false),
    ] {
        check(&format!(r#""equals": {test}"#), claim, expected);
        check(&format!(r#""in": [{test}]"#), claim, expected);
        check(&format!(r#""in": ["other", 77, {test}]"#), claim, expected);
    }
}

#[test]
fn contains() {
    for (claim, expected) in [
        (r#""admin""#, true),
        (r#""user admin""#, true),
        (r#""user  admin guest""#, true),
        (r#""administrator""#, false),
        (r#""user,admin""#, false),
        (r#""Admin""#, false),
        (r#""admin:write""#, false),
        (r#"["admin"]"#, true),
        (r#"["user", "admin"]"#, true),
        // Elements are compared as a whole.
        (r#"["user admin"]"#, false),
        (r#"["administrator"]"#, false),
        (r#"[["admin"]]"#, false),
        (r#"{"admin": true}"#, false),
        ("null", false),
        ("[]", false),
        ("5", false),
    ] {
        check(r#""contains": "admin""#, claim, expected);
    }
    check(r#""contains": "admin", "ignore_case": true"#, r#""user ADMIN""#, true);
    check(r#""contains": "5""#, "[5]", true);
    check(r#""contains": "true""#, "true", true);
    // A value with a space is never a list of words.
    check(r#""contains": "a b""#, r#""a b""#, false);
    check(r#""contains": "a b""#, r#"["a b"]"#, true);
}

#[test]
fn texts() {
    for (test, claim, expected) in [
        (r#""prefix": "us""#, r#""user""#, true),
        (r#""prefix": "us""#, r#"["x", "user"]"#, true),
        (r#""prefix": "us""#, r#""x us""#, false),
        (r#""prefix": "US", "ignore_case": true"#, r#""user""#, true),
        (r#""prefix": "4""#, "42", true),
        (r#""suffix": "er""#, r#""user""#, true),
        (r#""suffix": "er""#, r#""users""#, false),
        (r#""suffix": "er""#, r#"{"x": "er"}"#, false),
        // A regex must match the entire value.
        (r#""regex": "u.*r""#, r#""user""#, true),
        (r#""regex": "s""#, r#""user""#, false),
        (r#""regex": "u.*r""#, r#"["x", "ur"]"#, true),
        (r#""regex": ".*""#, "null", false),
    ] {
        check(test, claim, expected);
    }
}

#[test]
fn presence() {
    for claim in [r#""""#, "0", "false", "[]", "{}", r#""x""#] {
        check(r#""present": true"#, claim, true);
        check(r#""present": false"#, claim, false);
    }
    check(r#""present": true"#, "null", false);
    check(r#""present": false"#, "null", true);
    check_request(r#"{"claim": "b", "present": false}"#, r#"{"a": 1}"#, "", true);
    check_request(r#"{"claim": "b", "present": true}"#, r#"{"a": 1}"#, "", false);
}

#[test]
fn comparisons() {
    for (test, claim, expected) in [
        (r#""gt": 5"#, "5", false),
        (r#""gt": 5"#, "5.001", true),
        (r#""gte": 5"#, "5", true),
        (r#""gte": 5"#, "4.999", false),
        (r#""lt": 5"#, "5", false),
        (r#""lt": 5"#, "-1e300", true),
        (r#""lte": 5"#, "5.0", true),
        (r#""lte": 5"#, "18446744073709551616", false),
        (r#""gte": 1, "lt": 3"#, "2", true),
        (r#""gte": 1, "lt": 3"#, "3", false),
        (r#""gte": 1, "lt": 3"#, "0", false),
        (r#""gt": 3, "lt": 1"#, "2", false),
        // Only numbers are compared.
        (r#""gt": 1"#, r#""5""#, false),
        (r#""gt": 1"#, "[5]", false),
        (r#""gt": -1"#, "true", false),
        (r#""lt": 1"#, "null", false),
        (r#""gt": 1"#, "{}", false),
    ] {
        check(test, claim, expected);
    }
}

#[test]
fn names() {
    let payload = r#"{"realm_access": {"roles": ["admin"]}, "a.b": {"c": 1}, "https://x.example/r": "y", "a": {"b": null}}"#;
    for (claim, expected) in [
        (r#""realm_access.roles""#, true),
        (r#"["realm_access", "roles"]"#, true),
        (r#"["realm_access.roles"]"#, false),
        (r#""realm_access""#, true),
        (r#""realm_access.roles.0""#, false),
        (r#"["a.b", "c"]"#, true),
        (r#""a.b.c""#, false),
        (r#""a.b""#, false),
        (r#"["https://x.example/r"]"#, true),
        (r#""REALM_ACCESS""#, false),
    ] {
        check_request(&format!(r#"{{"claim": {claim}, "present": true}}"#), payload, "", expected);
    }
}

#[test]
fn combinations() {
    const T: &str = r#"{"claim": "a", "equals": 1}"#;
    const F: &str = r#"{"claim": "a", "equals": 2}"#;
    for (claims, expected) in [
        (format!("[{T}]"), true),
        (format!("[{T}, {T}]"), true),
        (format!("[{T}, {F}]"), false),
        (format!(r#"{{"all": [{T}, {F}]}}"#), false),
        (format!(r#"{{"any": [{F}, {T}]}}"#), true),
        (format!(r#"{{"any": [{F}, {F}]}}"#), false),
        (format!(r#"{{"not": {F}}}"#), true),
        (format!(r#"{{"not": {T}}}"#), false),
        (format!(r#"{{"not": [{T}, {F}]}}"#), true),
        (format!(r#"{{"any": [{{"all": [{T}, {F}]}}, {{"not": {{"any": [{F}]}}}}]}}"#), true),
    ] {
        check_request(&claims, r#"{"a": 1}"#, "", expected);
    }
    // An absent claim equals nothing, so `not` holds.
    check_request(r#"{"not": {"claim": "b", "equals": 1}}"#, r#"{"a": 1}"#, "", true);
}

#[test]
fn words_of_the_path() {
    #[track_caller]
    fn check_path(path: &str, claim: &str, expected: bool) {
        check_request(
            r#"{"claim": "sub", "equals_path": "id"}"#,
            &format!(r#"{{"sub": {claim}}}"#),
            &format!(":path: {path}"),
            expected,
        );
    }
    check_path("/users/alice/", r#""alice""#, true);
    check_path("/users/alice/a/b?c", r#""alice""#, true);
    check_path("/users/bob/", r#""alice""#, false);
    check_path("/users/Alice/", r#""alice""#, false);
    check_path("/users/alice", r#""alice""#, true);
    // Upstreams differ in which segment is the id.
    check_path("/users//alice/", r#""alice""#, false);
    check_path("/users/bob/../alice/", r#""alice""#, false);
    check_path("/users/alice;x/", r#""alice""#, false);
    check_path("/users/alice;x/", r#""alice;x""#, false);
    check_path("/users/alice/a;x", r#""alice""#, true);
    check_path("/users/alice//a", r#""alice""#, true);
    check_path("/users/alice/../bob/", r#""alice""#, false);
    check_path("/users/%61lice/", r#""alice""#, true);
    check_path("/users/42/", "42", true);
    check_path("/users/42/", r#"["7", 42]"#, true);
    check_path("/users/4/", "42", false);
    check_path("/users/true/", "true", true);
    check_path("/users/null/", "null", false);
    // Percent-encoding is decoded once.
    check_path("/users/a%40b%20c/", r#""a@b c""#, true);
    check_path("/users/a@b%20c/", r#""a@b c""#, true);
    check_path("/users/a%40b/", r#""a%40b""#, false);
    check_path("/users/a%2540b/", r#""a%40b""#, true);
    check_path("/users/a%2540b/", r#""a@b""#, false);
    check_path("/users/a+b/", r#""a b""#, false);
    check_path("/users/%C3%A9/", r#""é""#, true);
    check_path("/users/%E9/", r#""é""#, false);
    check_path("/users/a%2Fb/", r#""a/b""#, true);
    check_path("/users/a/b/", r#""a/b""#, false);
    check_path("/users/*/", r#""alice""#, false);
    check_path("/users/%7Bid%7D/", r#""alice""#, false);
}

#[test]
fn headers() {
    #[track_caller]
    fn check_header(headers: &str, claim: &str, expected: bool) {
        check_request(
            r#"{"claim": "tenant", "equals_header": "X-Tenant"}"#,
            &format!(r#"{{"tenant": {claim}}}"#),
            headers,
            expected,
        );
    }
    check_header("x-tenant: a", r#""a""#, true);
    check_header("x-tenant: a", r#"["b", "a"]"#, true);
    check_header("x-tenant: 5", "5", true);
    check_header("x-tenant: A", r#""a""#, false);
    check_header("x-tenant: a,b", r#""a""#, false);
    check_header("y: a", r#""a""#, false);
    check_header("x_tenant: a", r#""a""#, true);
    check_header("x-tenant: a\nx_tenant: b", r#""a""#, false);
    // The header is repeated: the upstream may read the other value.
    check_header("x-tenant: a\nx-tenant: a", r#""a""#, false);
    check_header("x-tenant: a\nx-tenant: b", r#""a""#, false);
    // An empty value equals nothing.
    check_header("x-tenant: ", r#""""#, false);
    check_header("y: a", r#""""#, false);
    check_header("y: a", "null", false);
}

#[test]
fn hosts() {
    #[track_caller]
    fn check_host(test: &str, authority: &str, claim: &str, expected: bool) {
        check_request(
            &format!(r#"{{"claim": "tenant", "equals_host": {test}}}"#),
            &format!(r#"{{"tenant": {claim}}}"#),
            &format!(":authority: {authority}"),
            expected,
        );
    }
    const WHOLE: &str = "true";
    check_host(WHOLE, "a.example.com", r#""a.example.com""#, true);
    check_host(WHOLE, "A.Example.com", r#""a.EXAMPLE.com""#, true);
    check_host(WHOLE, "a.example.com:8443", r#""a.example.com:8443""#, true);
    check_host(WHOLE, "a.example.com", r#""a.example.com:8443""#, false);
    check_host(WHOLE, "a.example.com:1", r#""a.example.com:8443""#, false);
    // A port or a trailing dot that the claim lacks: Envoy may route the request to another host.
    check_host(WHOLE, "a.example.com:8443", r#""a.example.com""#, false);
    check_host(WHOLE, "a.example.com.", r#""a.example.com""#, false);
    check_host(WHOLE, "a.example.com.", r#""a.example.com.""#, true);
    check_host(WHOLE, "a.example.com", r#""*""#, false);
    check_host(WHOLE, "a.example.com", r#""*.example.com""#, false);
    check_host(WHOLE, "a.example.com", r#"["b", "a.example.com"]"#, true);
    check_host(WHOLE, "a.example.com", r#""example.com""#, false);
    check_host(WHOLE, "[::1]:80", r#""[::1]:80""#, true);
    check_host(WHOLE, "[::1]:80", r#""[0::1]:80""#, false);
    check_host(WHOLE, "", r#""""#, false);
    const ANY_PORT: &str = r#""*:*""#;
    check_host(ANY_PORT, "A.example.com:8443", r#""a.example.com""#, true);
    check_host(ANY_PORT, "a.example.com", r#""a.example.com""#, true);
    check_host(ANY_PORT, "a.example.com:8443", r#""a.example.com:8443""#, false);
    check_host(ANY_PORT, "a.example.com.:8443", r#""a.example.com""#, false);
    check_host(ANY_PORT, "b.example.com", r#""a.example.com""#, false);
    check_host(r#""*.example.com:*""#, "acme.example.com:80", r#""acme""#, true);
    check_host(r#""*.example.com:*""#, "acme.example.com", r#""acme""#, true);
    check_host(r#""*.example.com:81""#, "acme.example.com:81", r#""acme""#, true);
    check_host(r#""*.example.com:81""#, "acme.example.com", r#""acme""#, false);
    const BEFORE: &str = r#""*.Example.com""#;
    check_host(BEFORE, "acme.example.com", r#""acme""#, true);
    check_host(BEFORE, "ACME.example.com", r#""Acme""#, true);
    check_host(BEFORE, "acme.example.com:80", r#""acme""#, false);
    check_host(BEFORE, "a.b.example.com", r#""a.b""#, true);
    check_host(BEFORE, "a.b.example.com", r#""a""#, false);
    check_host(BEFORE, "example.com", r#""""#, false);
    check_host(BEFORE, ".example.com", r#""""#, false);
    check_host(BEFORE, "acmeexample.com", r#""acme""#, false);
    check_host(BEFORE, "acme.example.com.evil", r#""acme""#, false);
}
