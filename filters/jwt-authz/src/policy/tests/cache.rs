//! The cache of verified tokens.

use super::super::{CacheStatus, Decision, Outcome, Seen, Signature};
use super::gateway::{Gateway, NOW, bearer, forged, main, request, secret, token};
use mesh_policy::headers::Headers;
use serde_json::{Value as Json, json};
use std::time::Duration;

fn gateway(cache: &Json) -> Gateway {
    Gateway::with(&json!({"leeway": "0s"}), &json!({"default": "allow", "token_cache": cache}))
}

/// `expected` is the outcome, `cache_status` whether the token was in the cache.
#[track_caller]
fn check(gateway: &Gateway, headers: &Headers, expected: &str, cache_status: Option<CacheStatus>) {
    let checks = gateway.checks.get();
    let decision = gateway.decide(headers);
    assert_eq!(decision.cache_status, cache_status);
    let checked = gateway.checks.get() > checks;
    assert!(!(checked && cache_status == Some(CacheStatus::Hit)), "a signature was checked");
    assert_eq!(gateway.word(headers), expected);
}

const HIT: Option<CacheStatus> = Some(CacheStatus::Hit);
const MISS: Option<CacheStatus> = Some(CacheStatus::Miss);

fn numbered(number: usize) -> Headers {
    bearer(token(&json!({"jti": number})).as_bytes())
}

#[test]
fn a_good_token_is_remembered_and_a_bad_one_is_not() {
    let gateway = gateway(&json!({}));
    check(&gateway, &numbered(1), "+", MISS);
    check(&gateway, &numbered(1), "+", HIT);
    check(&gateway, &request(":path: /"), "+", None);
    let forged = bearer(forged(&token(&json!({"jti": 1}))).as_bytes());
    check(&gateway, &forged, "bad_signature", MISS);
    check(&gateway, &forged, "bad_signature", MISS);
    check(&gateway, &numbered(1), "+", HIT);
}

/// A key that is rotated out invalidates its cached tokens.
#[test]
fn a_token_goes_with_its_key() {
    let gateway = gateway(&json!({}));
    check(&gateway, &numbered(1), "+", MISS);
    // Another key is added: nothing changes.
    gateway.rotate(0, Some(&json!([secret("l"), secret("k")])));
    check(&gateway, &numbered(1), "+", HIT);
    gateway.rotate(0, Some(&json!([secret("l")])));
    check(&gateway, &numbered(1), "unknown_key", MISS);
    // Another key with the same `kid`.
    let mut other = secret("l");
    other["kid"] = json!("k");
    gateway.rotate(0, Some(&json!([other])));
    check(&gateway, &numbered(1), "bad_signature", MISS);
    // The same secret, for another algorithm.
    let mut other = secret("k");
    other["alg"] = json!("HS256");
    gateway.rotate(0, Some(&json!([secret("k")])));
    check(&gateway, &numbered(1), "+", MISS);
    gateway.rotate(0, Some(&json!([other])));
    check(&gateway, &numbered(1), "+", MISS);
    gateway.rotate(0, None);
    check(&gateway, &numbered(1), "jwks_unavailable", MISS);
}

/// A cached token is not accepted after `exp`.
#[test]
fn a_token_goes_when_it_expires() {
    let gateway = gateway(&json!({}));
    let headers = bearer(token(&json!({"exp": NOW + 10})).as_bytes());
    check(&gateway, &headers, "+", MISS);
    gateway.pass(Duration::from_millis(9_999));
    check(&gateway, &headers, "+", HIT);
    gateway.pass(Duration::from_millis(1));
    check(&gateway, &headers, "expired", MISS);

    let lenient = Gateway::with(&json!({"leeway": "30s"}), &json!({"default": "allow"}));
    check(&lenient, &headers, "+", MISS);
    lenient.pass(Duration::from_secs(39));
    check(&lenient, &headers, "+", HIT);
    lenient.pass(Duration::from_secs(1));
    check(&lenient, &headers, "expired", MISS);
}

#[test]
fn the_least_recently_used_goes_first() {
    let gateway = gateway(&json!({"entries": 2}));
    check(&gateway, &numbered(1), "+", MISS);
    check(&gateway, &numbered(2), "+", MISS);
    check(&gateway, &numbered(1), "+", HIT);
    check(&gateway, &numbered(3), "+", MISS);
    check(&gateway, &numbered(1), "+", HIT);
    check(&gateway, &numbered(3), "+", HIT);
    check(&gateway, &numbered(2), "+", MISS);
}

#[test]
fn nothing_is_remembered_without_entries() {
    let gateway = gateway(&json!({"entries": 0}));
    check(&gateway, &numbered(1), "+", MISS);
    check(&gateway, &numbered(1), "+", MISS);
    assert_eq!(gateway.checks.get(), 4);
}

#[test]
fn long_tokens_are_not_remembered() {
    let gateway = gateway(&json!({"max_token_bytes": 256}));
    let of_length = |length: usize| {
        let token =
            (0..200).map(|pad| token(&json!({"pad": "x".repeat(pad)}))).find(|token| token.len() >= length);
        token.unwrap()
    };
    let short = of_length(250);
    assert!(short.len() <= 256);
    check(&gateway, &bearer(short.as_bytes()), "+", MISS);
    check(&gateway, &bearer(short.as_bytes()), "+", HIT);
    let long = of_length(257);
    check(&gateway, &bearer(long.as_bytes()), "+", MISS);
    check(&gateway, &bearer(long.as_bytes()), "+", MISS);
}

fn two(providers: [Json; 2]) -> Gateway {
    let providers = providers.map(|more| {
        let mut provider = main();
        super::gateway::merge(&mut provider, &more);
        provider
    });
    Gateway::new(&json!({"providers": providers, "default": "allow"}))
}

/// A cached token is not valid in a place where its provider does not look.
#[test]
fn a_token_in_a_place_that_its_provider_does_not_look_at() {
    let gateway = two([
        json!({"name": "a", "issuer": "a", "from": [{"header": "x-a"}, {"cookie": "both"}]}),
        json!({"name": "b", "issuer": "b", "from": [{"header": "x-b"}, {"cookie": "both"}]}),
    ]);
    let token = token(&json!({"iss": "a"}));
    let in_header = |name: &str| request(&format!("{name}: {token}"));
    check(&gateway, &in_header("x-a"), "+", MISS);
    check(&gateway, &in_header("x-a"), "+", HIT);
    check(&gateway, &in_header("x-b"), "wrong_issuer", MISS);
    check(&gateway, &request(&format!("cookie: both={token}")), "+", MISS);
    check(&gateway, &request(&format!("cookie: both={token}")), "+", HIT);
}

/// The provider of a token depends on where it is found, not on where it was found before.
#[test]
fn what_is_remembered_changes_no_verdict() {
    let gateway = two([
        json!({"name": "any", "from": [{"header": "x-any"}, {"cookie": "both"}]}),
        json!({"name": "b", "issuer": "b", "audiences": ["b"], "from": [{"cookie": "both"}]}),
    ]);
    let token = token(&json!({"iss": "b"}));
    let cookie = request(&format!("cookie: both={token}"));
    check(&gateway, &cookie, "wrong_audience", MISS);
    check(&gateway, &request(&format!("x-any: {token}")), "+", MISS);
    check(&gateway, &cookie, "wrong_audience", MISS);
}

/// Configs of a block that decide on a request in turn. A token that is bad, whose key is missing or that is too long for the
/// cache is not remembered otherwise.
#[test]
fn configs_that_decide_in_turn_verify_a_token_once() {
    for (verdict, expected) in
        [(Signature::Good, "+"), (Signature::Bad, "bad_signature"), (Signature::Failed, "error")]
    {
        for may_change in [false, true] {
            let gateway = self::gateway(&json!({"entries": 0}));
            gateway.verdict.set(Some(verdict));
            gateway.may_change.set(may_change);
            let (headers, seen) = (bearer(token(&json!({})).as_bytes()), Seen::default());
            let word = |decision: Decision| match decision.outcome {
                Outcome::Allowed => "+".to_owned(),
                Outcome::Refused(denial) => denial.reason.label.to_owned(),
                Outcome::NoKey(_) => "waits".to_owned(),
            };
            let words = [0; 3].map(|_| word(gateway.decide_beside(&headers, None, &seen)));
            assert_eq!(words, [expected; 3]);
            assert_eq!(gateway.checks.get(), 1, "{expected} {may_change}");
            assert_eq!(word(gateway.decide(&headers)), expected);
            assert_eq!(gateway.checks.get(), 2, "another request");
        }
    }
}
