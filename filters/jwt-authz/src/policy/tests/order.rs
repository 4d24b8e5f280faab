//! The order of verification: size, structure and header, then the key, then the signature, then the payload.

use super::super::{Outcome, Signature};
use super::gateway::{Gateway, forged, main, merge, secret, sign, sign_parts, token, token_of};
use crate::crypto::KeySet;
use serde_json::{Value as Json, json};

/// `expected` is the outcome for the token, `checks` the number of signatures checked for it.
#[track_caller]
fn check(gateway: &Gateway, token: &str, expected: &str, checks: usize) {
    let before = gateway.checks.get();
    assert_eq!(gateway.judge(token.as_bytes()), expected, "{token}");
    assert_eq!(gateway.checks.get() - before, checks, "{token}");
}

fn one() -> Gateway {
    Gateway::with(&json!({}), &json!({"max_token_bytes": 256}))
}

#[test]
fn what_is_refused_before_a_signature_is_checked() {
    let gateway = one();
    check(&gateway, &token(&json!({"padding": "x".repeat(256)})), "too_large", 0);
    check(&gateway, &"x".repeat(257), "too_large", 0);
    check(&gateway, &"x".repeat(256), "malformed", 0);
    for malformed in ["", ".", "..", "...", "e30.e30", "e30.e30.e30.e30.e30", "e30=.e30.e30", "e3.e30.e30"] {
        check(&gateway, malformed, "malformed", 0);
    }
    for header in [
        "",
        "{",
        "null",
        "{}",
        r#"{"alg": null}"#,
        r#"{"alg": ["HS256"]}"#,
        r#"{"alg": "HS256", "kid": null}"#,
        r#"{"alg": "HS256", "crit": []}"#,
        r#"{"alg": "HS256", "crit": null}"#,
        r#"{"alg": "HS256", "kid": "k", "\u006bid": "k"}"#,
        r#"{"alg": "HS256"} {}"#,
    ] {
        check(&gateway, &sign(header.as_bytes(), b"{}", "k"), "malformed", 0);
    }
    for algorithm in ["none", "nOnE", "hs256", "HS512", "RS256", "PS256", "ES256", "EdDSA", "A128KW"] {
        let header = json!({"alg": algorithm, "kid": "k"}).to_string();
        check(&gateway, &sign(header.as_bytes(), b"{}", "k"), "unknown_key", 0);
    }
    check(&gateway, &token_of("other", "{}"), "unknown_key", 0);
    // The bound is inclusive, and so is the one on `kid`.
    let header = |length: usize| format!(r#"{{"alg": "HS256", "kid": "{}"}}"#, "k".repeat(length));
    let long = Gateway::with(&json!({}), &json!({"max_token_bytes": 1024}));
    check(&long, &sign(header(256).as_bytes(), b"{}", "k"), "unknown_key", 0);
    check(&long, &sign(header(257).as_bytes(), b"{}", "k"), "malformed", 0);
}

/// The response to a forged token tells nothing about how payloads are read.
#[test]
fn the_payload_is_read_after_the_signature_only() {
    let gateway = one();
    for payload in
        ["", "{", "[]", "5", r#"{"exp": 1, "exp": 2}"#, r#"{"exp": 1}"#, r#"{"exp": "x"}"#, "\u{0}"]
    {
        let token = token_of("k", payload);
        let stage = if payload == r#"{"exp": 1}"# { "expired" } else { "bad_claims" };
        check(&gateway, &token, stage, 1);
        check(&gateway, &forged(&token), "bad_signature", 1);
    }
    // A payload that is not base64url.
    let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ";
    for payload in ["!", "e30=", "e3", "e", ""] {
        let token = sign_parts(header, payload, "k");
        check(&gateway, &token, "bad_claims", 1);
        check(&gateway, &forged(&token), "bad_signature", 1);
    }
}

/// JSON that `serde_json` rejects or changes.
#[test]
fn payloads_that_are_strange() {
    let gateway = one();
    let deep =
        |depth: usize| format!(r#"{{"exp": 9999999999, "a": {}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let wide = Gateway::with(&json!({}), &json!({"default": "allow"}));
    check(&wide, &token_of("k", &deep(100)), "+", 1);
    check(&wide, &token_of("k", &deep(127)), "bad_claims", 1);
    check(&gateway, &token_of("k", r#"{"a": 1e400}"#), "bad_claims", 1);
    check(&gateway, &sign(br#"{"alg":"HS256","kid":"k"}"#, b"{\"a\": \"\xff\"}", "k"), "bad_claims", 1);
    check(&gateway, &token_of("k", "\u{feff}{}"), "bad_claims", 1);
    check(&gateway, &token_of("k", r#"{"a": {"b": 1, "b": 1}}"#), "bad_claims", 1);
    check(&wide, &token_of("k", r#" { "exp" : 9999999999 } "#), "+", 1);
}

/// With `jku`, `jwk`, `x5u` and `x5c` the sender could supply a key.
#[test]
fn keys_that_a_token_brings_along_are_not_looked_at() {
    let gateway = Gateway::with(&json!({}), &json!({"default": "allow"}));
    let header = |more: Json| {
        let mut header = json!({"alg": "HS256", "kid": "k", "typ": "JWT", "cty": "JWT"});
        merge(&mut header, &more);
        header.to_string()
    };
    let payload = br#"{"exp": 9999999999}"#;
    for more in [
        json!({"jwk": secret("evil")}),
        json!({"jku": "https://evil.example/jwks"}),
        json!({"x5u": "https://evil.example/cert", "x5c": ["AAAA"], "x5t": 5}),
    ] {
        check(&gateway, &sign(header(more.clone()).as_bytes(), payload, "evil"), "bad_signature", 1);
        check(&gateway, &sign(header(more).as_bytes(), payload, "k"), "+", 1);
    }
}

#[test]
fn which_keys_a_token_is_checked_with() {
    let key = |id: Option<&str>, of: &str| {
        let mut key = secret(of);
        match id {
            Some(id) => key["kid"] = json!(id),
            None => drop(key.as_object_mut().unwrap().remove("kid")),
        }
        key
    };
    let keys = |keys: &Json| {
        Gateway::with(&json!({"jwks": {"inline": {"keys": keys}}}), &json!({"default": "allow"}))
    };
    let payload = br#"{"exp": 9999999999}"#;
    let named = |id: &str| sign(json!({"alg": "HS256", "kid": id}).to_string().as_bytes(), payload, "k");
    let nameless = sign(br#"{"alg": "HS256"}"#, payload, "k");
    // Only the key with this `kid` is tried.
    let two = keys(&json!([key(Some("a"), "x"), key(Some("b"), "k")]));
    check(&two, &named("a"), "bad_signature", 1);
    check(&two, &named("b"), "+", 1);
    check(&two, &named("c"), "unknown_key", 0);
    // Without a `kid`, all keys for the algorithm are tried.
    check(&two, &nameless, "+", 2);
    // Two keys with the same `kid`.
    check(&keys(&json!([key(Some("a"), "x"), key(Some("a"), "k")])), &named("a"), "+", 2);
    // Keys without a `kid` are tried if no key has the token's; if they fail, the named key may still be added.
    let unnamed = keys(&json!([key(Some("a"), "x"), key(None, "k")]));
    check(&unnamed, &named("b"), "+", 1);
    check(&unnamed, &named("a"), "bad_signature", 1);
    check(&keys(&json!([key(None, "x")])), &named("b"), "unknown_key", 1);
    check(&keys(&json!([key(None, "x")])), &nameless, "bad_signature", 1);
    // The number of candidates is bounded.
    let many = |last: usize| {
        let keys = (0..=last).map(|index| key(None, if index == last { "k" } else { "x" }));
        json!(keys.collect::<Vec<_>>())
    };
    check(&keys(&many(KeySet::MAX_CANDIDATES - 1)), &nameless, "+", 8);
    check(&keys(&many(KeySet::MAX_CANDIDATES)), &nameless, "bad_signature", 8);
}

/// An error of the host never allows a request, and no other key is tried after it.
#[test]
fn checks_that_come_to_nothing() {
    let mut provider = main();
    provider["jwks"] = json!({"inline": {"keys": [secret("k"), secret("l")]}});
    let nameless = sign(br#"{"alg": "HS256"}"#, br#"{"exp": 9999999999}"#, "k");
    for (verdict, expected, checks) in [
        (Signature::Failed, "error", 1),
        (Signature::NoTime, "overloaded", 1),
        (Signature::Bad, "bad_signature", 2),
    ] {
        for default in ["allow", "deny"] {
            let top = json!({"default": default, "on_jwks_unavailable": "allow_public"});
            let gateway = Gateway::with(&provider, &top);
            gateway.verdict.set(Some(verdict));
            check(&gateway, &nameless, expected, checks);
            // The result is not cached.
            gateway.verdict.set(None);
            check(&gateway, &nameless, if default == "allow" { "+" } else { "no_rule" }, 1);
        }
    }
}

/// The token is verified once per request, however many rules need it.
#[test]
fn a_token_is_judged_once() {
    let rules: Vec<Json> = (0..5)
        .map(|index| json!({"name": format!("r{index}"), "action": "allow", "claims": {"claim": "a", "equals": index}}))
        .collect();
    let gateway = Gateway::with(&json!({}), &json!({"rules": rules, "token_cache": {"entries": 0}}));
    check(&gateway, &token(&json!({"a": 4})), "+", 1);
    check(&gateway, &token(&json!({"a": 5})), "no_rule", 1);
    assert!(matches!(gateway.decide(&super::gateway::request(":path: /")).outcome, Outcome::Refused(_)));
    assert_eq!(gateway.checks.get(), 2);
}
