//! Choosing the provider of a token.

use super::super::Outcome;
use super::gateway::{Gateway, bearer, forged, main, merge, request, secret, sign, token, token_of};
use serde_json::{Value as Json, json};

/// Providers with these fields, each with a key named like the provider.
fn gateway(providers: &[Json], top: &Json) -> Gateway {
    let providers: Vec<Json> = providers
        .iter()
        .map(|more| {
            let mut provider = main();
            provider["jwks"] = json!({"inline": {"keys": [secret(more["name"].as_str().unwrap())]}});
            merge(&mut provider, more);
            provider
        })
        .collect();
    let mut config = json!({"providers": providers, "default": "allow"});
    merge(&mut config, top);
    Gateway::new(&config)
}

fn of(key: &str, claims: &Json) -> String {
    let mut payload = json!({"exp": 9_999_999_999u64});
    merge(&mut payload, claims);
    token_of(key, &payload.to_string())
}

/// The provider that the token is assigned to, or the reason of its refusal.
fn whose(gateway: &Gateway, token: &str) -> String {
    let decision = gateway.decide(&bearer(token.as_bytes()));
    let name = |index: usize| gateway.policy.config().providers[index].name.clone();
    match decision.outcome {
        Outcome::Allowed => {
            decision.verified.map_or("nobody's".to_owned(), |verified| name(verified.provider()))
        }
        Outcome::Refused(refusal) => {
            let provider = refusal.provider.map_or("nobody".to_owned(), name);
            format!("{} {provider}", refusal.reason.label)
        }
        Outcome::NoKey(unverified) => format!("waits {}", name(unverified.provider())),
    }
}

#[test]
fn the_issuer_picks_the_provider() {
    let gateway =
        gateway(&[json!({"name": "a", "issuer": "A"}), json!({"name": "b", "issuer": "B"})], &json!({}));
    let check = |token: &str, expected: &str| assert_eq!(whose(&gateway, token), expected);
    check(&of("a", &json!({"iss": "A"})), "a");
    check(&of("b", &json!({"iss": "B"})), "b");
    // `iss` selects the provider; the signature must be by its key.
    check(&of("b", &json!({"iss": "A"})), "unknown_key a");
    let posing = sign(br#"{"alg":"HS256","kid":"a"}"#, br#"{"iss":"A","exp":9999999999}"#, "b");
    check(&posing, "bad_signature a");
    check(&forged(&of("a", &json!({"iss": "A"}))), "bad_signature a");
    check(&of("a", &json!({"iss": "C"})), "wrong_issuer nobody");
    check(&of("a", &json!({})), "wrong_issuer nobody");
    check(&of("a", &json!({"iss": ["A"]})), "wrong_issuer nobody");
    check(&of("a", &json!({"iss": "a"})), "wrong_issuer nobody");
    // The payload must be read to choose the provider.
    check(&token_of("a", "no JSON"), "malformed nobody");
    check(&token_of("a", r#"{"iss": "A", "iss": "B"}"#), "malformed nobody");
    assert_eq!(gateway.checks.get(), 4);
}

/// A provider without `issuer` takes tokens of all other issuers.
#[test]
fn a_provider_without_an_issuer() {
    let gateway = gateway(&[json!({"name": "any"}), json!({"name": "b", "issuer": "B"})], &json!({}));
    let check = |token: &str, expected: &str| assert_eq!(whose(&gateway, token), expected);
    check(&of("b", &json!({"iss": "B"})), "b");
    check(&of("any", &json!({"iss": "C"})), "any");
    check(&of("any", &json!({})), "any");
    check(&of("any", &json!({"iss": 5})), "any");
    check(&of("any", &json!({"iss": "B"})), "unknown_key b");
}

/// With a single provider the payload is not read before the signature is checked.
#[test]
fn one_provider() {
    let gateway = gateway(&[json!({"name": "a", "issuer": "A"})], &json!({}));
    let check = |token: &str, expected: &str| assert_eq!(whose(&gateway, token), expected);
    check(&of("a", &json!({"iss": "A"})), "a");
    check(&of("a", &json!({"iss": "B"})), "wrong_issuer a");
    check(&forged(&of("a", &json!({"iss": "B"}))), "bad_signature a");
    check(&forged(&token_of("a", "no JSON")), "bad_signature a");
}

/// The checks of one provider do not apply to another.
#[test]
fn each_provider_has_its_own_checks() {
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a",
                         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let gateway = gateway(
        &[
            json!({"name": "a", "issuer": "A", "algorithms": ["EdDSA"], "jwks": {"inline": {"keys": [edwards]}}}),
            json!({"name": "b", "issuer": "B", "audiences": ["b"], "require_expiration": false}),
        ],
        &json!({}),
    );
    let check = |token: &str, expected: &str| assert_eq!(whose(&gateway, token), expected);
    check(&of("a", &json!({"iss": "A"})), "unknown_key a");
    check(&of("b", &json!({"iss": "B"})), "wrong_audience b");
    check(&token_of("b", r#"{"iss": "B", "aud": "b"}"#), "b");
}

/// Key sets of several providers are independent.
#[test]
fn keys_that_are_missing_are_missing_for_one_provider() {
    let gateway =
        gateway(&[json!({"name": "a", "issuer": "A"}), json!({"name": "b", "issuer": "B"})], &json!({}));
    gateway.rotate(0, None);
    assert_eq!(whose(&gateway, &of("a", &json!({"iss": "A"}))), "jwks_unavailable a");
    assert_eq!(whose(&gateway, &of("b", &json!({"iss": "B"}))), "b");
}

/// A rule with `providers` takes tokens of these only.
#[test]
fn a_rule_for_tokens_of_a_provider() {
    let rules = json!([
        {"name": "b-only", "action": "deny", "providers": ["b"], "match": {"path": {"prefix": "/not-b/"}}},
        {"name": "a-only", "action": "allow", "providers": ["a"], "match": {"path": {"prefix": "/a/"}}},
        {"name": "both", "action": "allow", "match": {"path": {"prefix": "/both/"}}},
        {"name": "either", "action": "allow", "token": "optional", "providers": ["a"], "match": {"path": {"exact": "/open"}}},
    ]);
    let gateway = gateway(
        &[json!({"name": "a", "issuer": "A"}), json!({"name": "b", "issuer": "B"})],
        &json!({"rules": rules, "default": "deny"}),
    );
    let (a, b) = (of("a", &json!({"iss": "A"})), of("b", &json!({"iss": "B"})));
    for (path, token, expected) in [
        ("/a/", Some(&a), "+"),
        ("/a/", Some(&b), "no_rule"),
        ("/a/", None, "missing"),
        ("/both/", Some(&a), "+"),
        ("/both/", Some(&b), "+"),
        ("/not-b/", Some(&a), "no_rule"),
        ("/not-b/", Some(&b), "denied_by:b-only"),
        ("/not-b/", None, "missing"),
        ("/open", None, "+"),
        ("/open", Some(&a), "+"),
        ("/open", Some(&b), "no_rule"),
    ] {
        let token = token.map(|token| format!("authorization: Bearer {token}")).unwrap_or_default();
        assert_eq!(gateway.word(&request(&format!(":path: {path}\n{token}"))), expected, "{path}");
    }
}

/// A place belongs to the providers that look there.
#[test]
fn a_place_of_one_provider() {
    let gateway = gateway(
        &[
            json!({"name": "a", "issuer": "A", "from": [{"header": "x-a"}]}),
            json!({"name": "b", "issuer": "B", "from": [{"header": "x-b"}]}),
        ],
        &json!({}),
    );
    let (a, b) = (of("a", &json!({"iss": "A"})), of("b", &json!({"iss": "B"})));
    for (headers, expected) in [
        (format!("x-a: {a}"), "+"),
        (format!("x-b: {b}"), "+"),
        (format!("x-a: {b}"), "unknown_key"),
        (format!("x-b: {a}"), "unknown_key"),
        (format!("x-a: {a}\nx-b: {b}"), "ambiguous"),
        (format!("x-a: {a}\nx-b: {a}"), "+"),
        (format!("x-a: {b}\nx-b: {b}"), "+"),
        (format!("authorization: Bearer {a}"), "+"),
    ] {
        assert_eq!(gateway.word(&request(&headers)), expected, "{headers}");
    }
    let plain = format!("authorization: Bearer {}", token(&json!({})));
    assert!(gateway.decide(&request(&plain)).verified.is_none());
}
