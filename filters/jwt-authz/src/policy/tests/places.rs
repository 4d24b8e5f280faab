//! Where a token is looked for.

use super::gateway::{Gateway, forged, request, token};
use serde_json::json;

/// `<T>` is a valid token, `<U>` another valid one, and `<F>` a forged one.
#[track_caller]
fn check(from: &str, headers: &str, expected: &str) {
    let from: serde_json::Value = serde_json::from_str(from).unwrap();
    let gateway = Gateway::with(&json!({"from": from}), &json!({}));
    let (good, other) = (token(&json!({})), token(&json!({"jti": 1})));
    let headers = headers.replace("<F>", &forged(&good)).replace("<T>", &good).replace("<U>", &other);
    // A valid token is refused by the default, as there are no rules.
    let word = gateway.word(&request(&headers));
    assert_eq!(if word == "no_rule" { "good" } else { &word }, expected, "{headers}");
}

const BEARER: &str = r#"[{"header": "authorization", "prefix": "Bearer "}]"#;
const ALL: &str =
    r#"[{"header": "authorization", "prefix": "Bearer "}, {"cookie": "token"}, {"query": "access_token"}]"#;

#[test]
fn schemes() {
    check(BEARER, "authorization: Bearer <T>", "good");
    check(BEARER, "authorization: bearer <T>", "good");
    check(BEARER, "authorization: BEARER <T>", "good");
    check(BEARER, "Authorization:   Bearer    <T>  ", "good");
    check(BEARER, "authorization: Bearer\t<T>", "good");
    check(BEARER, "authorization: Bearer<T>", "missing");
    check(BEARER, "authorization: Bearerx <T>", "missing");
    check(BEARER, "authorization: Basic dXNlcjpwYXNz", "missing");
    check(BEARER, "authorization: <T>", "missing");
    check(BEARER, "authorization: Token <T>", "missing");
    check(BEARER, "x: y", "missing");
    check(BEARER, "authorization: Bearer <F>", "bad_signature");
    check(BEARER, "authorization: Bearer <T> x", "malformed");
    check(BEARER, "authorization: Bearer \"<T>\"", "malformed");
}

#[test]
fn an_empty_token_is_a_bad_one() {
    check(BEARER, "authorization: Bearer ", "malformed");
    check(BEARER, "authorization: Bearer", "malformed");
    // A logout leaves empty cookies.
    check(ALL, "cookie: token=", "missing");
    check(ALL, ":path: /?access_token", "missing");
    check(ALL, ":path: /?access_token=", "missing");
}

/// Two different tokens, or a repeated token header, are refused with 401.
#[test]
fn a_header_that_is_there_twice() {
    check(BEARER, "authorization: Bearer <T>\nauthorization: Bearer <T>", "ambiguous");
    check(BEARER, "authorization: Bearer <T>\nauthorization: Basic dTpw", "ambiguous");
    check(BEARER, "authorization: Basic dTpw\nauthorization: Bearer <T>", "ambiguous");
    check(BEARER, "authorization: Basic dTpw\nauthorization: Basic dTpw", "ambiguous");
    check(BEARER, "authorization: Bearer <T>\nauthorization: ", "ambiguous");
    // Envoy joins repeated headers like this.
    check(BEARER, "authorization: Bearer <T>,Bearer <T>", "ambiguous");
    check(BEARER, "authorization: Basic dTpw, Bearer <T>", "ambiguous");
    check(BEARER, "authorization: Bearer <T>, Basic dTpw", "ambiguous");
    check(BEARER, "authorization: Bearer <T>,", "ambiguous");
    check(BEARER, "authorization: ,bearer <T>", "ambiguous");
    check(BEARER, "authorization: Basic dTpw, Bearer <T>", "ambiguous");
    check(BEARER, "authorization: Basic dTpw,Basic dTpw", "ambiguous");
    check(BEARER, "authorization: x\",Bearer <T>", "ambiguous");
    // Other schemes use commas between parameters.
    check(BEARER, r#"authorization: Digest username="a", realm="b""#, "missing");
    check(BEARER, r#"authorization: Digest realm="a, Bearer b", nonce=c"#, "missing");
    check(r#"[{"header": "x-token"}]"#, "x-token: <T>,<T>", "ambiguous");
    check(r#"[{"header": "x-token"}]"#, "x-token: <T>\nx-token: <T>", "ambiguous");
}

#[test]
fn headers_with_another_prefix_or_none() {
    check(r#"[{"header": "X-Token"}]"#, "x-token: <T>", "good");
    check(r#"[{"header": "x-token"}]"#, "x-token:  <T> ", "good");
    check(r#"[{"header": "x-token"}]"#, "x-token: Bearer <T>", "malformed");
    check(r#"[{"header": "x-token"}]"#, "authorization: Bearer <T>", "missing");
    check(r#"[{"header": "x-token", "prefix": "v1:"}]"#, "x-token: v1:<T>", "good");
    check(r#"[{"header": "x-token", "prefix": "v1:"}]"#, "x-token: V1: <T>", "good");
    check(r#"[{"header": "x-token", "prefix": "v1:"}]"#, "x-token: v2:<T>", "missing");
    check(r#"[{"header": "authorization", "prefix": "DPoP "}]"#, "authorization: dpop <T>", "good");
}

/// An upstream may read `x_token` as `x-token` and use a token other than the verified one.
#[test]
fn a_header_in_another_spelling() {
    let check = |headers: &str, expected: &str| check(r#"[{"header": "x-token"}]"#, headers, expected);
    check("x_token: <T>", "good");
    check("X.Token: <T>", "good");
    check("x-token: <T>\nx_token: <F>", "ambiguous");
    check("x_token: <F>\nx-token: <T>", "ambiguous");
    check("x-token: <T>\nx!token: <T>", "ambiguous");
    check("xtoken: <T>", "missing");
}

#[test]
fn cookies() {
    let check = |headers: &str, expected: &str| check(r#"[{"cookie": "token"}]"#, headers, expected);
    check("cookie: token=<T>", "good");
    check("cookie: a=b; token=<T>; c=d", "good");
    check("cookie: a=b\ncookie: token=<T>", "good");
    check("cookie: Token=<T>", "missing");
    check("cookie: xtoken=<T>; token2=<T>", "missing");
    check("cookie: token", "missing");
    // Some upstreams remove the quotes (RFC 6265, section 4.1.1).
    check("cookie: token=\"<T>\"", "good");
    check("cookie: token=\"<T>\"; token=<T>", "good");
    check("cookie: token=\"<F>\"; token=<T>", "ambiguous");
    // Equal copies are one token.
    check("cookie: token=<T>; token=<T>", "good");
    check("cookie: token=<T>\ncookie: token=<T>", "good");
    check("cookie: token=<T>; token=<U>", "ambiguous");
    check("cookie: token=<T>\ncookie: token=<U>", "ambiguous");
    check("cookie: token=; token=<T>", "good");
}

#[test]
fn query_parameters() {
    let check = |headers: &str, expected: &str| check(r#"[{"query": "access_token"}]"#, headers, expected);
    check(":path: /?access_token=<T>", "good");
    check(":path: /a?b=c&access_token=<T>&d", "good");
    check(":path: /?access%5Ftoken=<T>", "good");
    check(":path: /?access_token=<T>#x", "good");
    check(":path: /?ACCESS_TOKEN=<T>", "missing");
    check(":path: /access_token=<T>", "missing");
    check(":path: /#?access_token=<T>", "missing");
    check(":path: /?access_token=<T>&access_token=<T>", "good");
    check(":path: /?access_token=<T>&access_token=<U>", "ambiguous");
    check(":path: /?access_token=<T>+", "malformed");
}

#[test]
fn several_places() {
    check(ALL, "authorization: Bearer <T>\ncookie: token=<T>\n:path: /?access_token=<T>", "good");
    check(ALL, "authorization: Bearer <T>\ncookie: token=<U>", "ambiguous");
    check(ALL, "authorization: Bearer <T>\n:path: /?access_token=<U>", "ambiguous");
    check(ALL, "cookie: token=<T>\n:path: /?access_token=<U>", "ambiguous");
    // A valid and a forged token are ambiguous.
    check(ALL, "authorization: Bearer <T>\ncookie: token=<F>", "ambiguous");
    check(ALL, "authorization: Basic dTpw\ncookie: token=<T>", "good");
    check(ALL, ":path: /", "missing");
    // Places that are not configured are ignored.
    check(BEARER, "cookie: token=<T>\n:path: /?access_token=<T>", "missing");
}
