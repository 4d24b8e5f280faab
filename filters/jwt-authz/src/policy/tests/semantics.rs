//! Deny rules, allow rules and the default, each with every state of the token.

use super::super::{Outcome, Signature, Unverified};
use super::gateway::{Gateway, NOW, bearer, forged, request, secret, sign, token, token_of};
use crate::jwks::Missing;
use mesh_policy::mode::Mode;
use serde_json::{Value as Json, json};
use std::rc::Rc;

const STATES: [&str; 8] = [
    "no token",
    "a good one",
    "a bad one",
    "an unknown key",
    "no keys",
    "no keys, allow_public",
    "overloaded",
    "the proxy fails",
];

/// Also checks that `on_jwks_unavailable` has an effect only if a key set is missing.
#[track_caller]
fn word(state: &str, rules: &Json, default: &str) -> String {
    let with = |public: &str| word_with(state, rules, default, public);
    match state {
        "no keys" => with("deny"),
        "no keys, allow_public" => with("allow_public"),
        _ => {
            assert_eq!(with("deny"), with("allow_public"), "{state} {rules}");
            with("deny")
        }
    }
}

fn word_with(state: &str, rules: &Json, default: &str, public: &str) -> String {
    let top = json!({"rules": rules, "default": default, "on_jwks_unavailable": public});
    let gateway = Gateway::with(&json!({}), &top);
    let good = token(&json!({"role": "admin"}));
    match state {
        "no token" => gateway.word(&request(":path: /")),
        "a bad one" => gateway.judge(forged(&good).as_bytes()),
        "an unknown key" => gateway.judge(token_of("other", "{}").as_bytes()),
        state => {
            match state {
                "overloaded" => gateway.verdict.set(Some(Signature::NoTime)),
                "the proxy fails" => gateway.verdict.set(Some(Signature::Failed)),
                state if state.starts_with("no keys") => gateway.rotate(0, None),
                _ => {}
            }
            gateway.judge(good.as_bytes())
        }
    }
}

#[track_caller]
fn check(rules: &Json, default: &str, expected: [&str; 8]) {
    let words = STATES.map(|state| word(state, rules, default));
    assert_eq!(words, expected, "{rules} {default}");
}

const BAD: &str = "bad_signature";
const KEY: &str = "unknown_key";
const SET: &str = "jwks_unavailable";
const BUSY: &str = "overloaded";
const FAILS: &str = "error";
const DENIED: &str = "denied_by:r";

fn rule(action: &str, more: &Json) -> Json {
    let mut rule = json!({"name": "r", "action": action});
    super::gateway::merge(&mut rule, more);
    json!([rule])
}

fn admin() -> Json {
    json!({"claim": "role", "equals": "admin"})
}

fn guest() -> Json {
    json!({"claim": "role", "equals": "guest"})
}

/// If no rule holds, `default: deny` refuses with 401 without a valid token and 403 with one; `default: allow`
/// refuses a bad token with 401.
#[test]
fn the_default() {
    check(&json!([]), "deny", ["missing", "no_rule", BAD, KEY, SET, SET, BUSY, FAILS]);
    check(&json!([]), "allow", ["+", "+", BAD, KEY, SET, "+", BUSY, FAILS]);
}

/// `none`: the token is not looked at.
#[test]
fn a_rule_that_does_not_look_at_the_token() {
    let none = json!({"token": "none"});
    check(&rule("allow", &none), "deny", ["+"; 8]);
    check(&rule("deny", &none), "allow", [DENIED; 8]);
    check(&rule("deny", &json!({})), "allow", [DENIED; 8]);
}

/// `optional`: the token may be absent; a bad one is refused with 401.
#[test]
fn a_rule_with_an_optional_token() {
    let optional = json!({"token": "optional"});
    check(&rule("allow", &optional), "deny", ["+", "+", BAD, KEY, SET, "+", BUSY, FAILS]);
    check(&rule("deny", &optional), "allow", [DENIED, DENIED, BAD, KEY, SET, DENIED, BUSY, FAILS]);
}

/// `required`: the rule holds only with a valid token.
#[test]
fn a_rule_with_a_required_token() {
    let required = json!({"token": "required"});
    for rule in [rule("allow", &required), rule("allow", &json!({}))] {
        check(&rule, "deny", ["missing", "+", BAD, KEY, SET, SET, BUSY, FAILS]);
        check(&rule, "allow", ["+", "+", BAD, KEY, SET, "+", BUSY, FAILS]);
    }
    check(&rule("deny", &required), "allow", ["+", DENIED, BAD, KEY, SET, "+", BUSY, FAILS]);
    check(&rule("deny", &required), "deny", ["missing", DENIED, BAD, KEY, SET, SET, BUSY, FAILS]);
}

/// A rule with `claims` never holds without a valid token.
#[test]
fn a_rule_with_claims() {
    let holds = [json!({"claims": admin()}), json!({"claims": {"not": guest()}})];
    let fails = [json!({"claims": guest()}), json!({"claims": {"not": admin()}})];
    for claims in holds {
        let optional = {
            let mut rule = claims.clone();
            rule["token"] = json!("optional");
            rule
        };
        for claims in [&claims, &optional] {
            check(&rule("allow", claims), "deny", ["missing", "+", BAD, KEY, SET, SET, BUSY, FAILS]);
            check(&rule("deny", claims), "allow", ["+", DENIED, BAD, KEY, SET, "+", BUSY, FAILS]);
        }
    }
    for claims in fails {
        check(&rule("allow", &claims), "deny", ["missing", "no_rule", BAD, KEY, SET, SET, BUSY, FAILS]);
        check(&rule("deny", &claims), "allow", ["+", "+", BAD, KEY, SET, "+", BUSY, FAILS]);
    }
}

/// Deny rules come before allow rules; the first rule that holds decides.
#[test]
fn the_order_of_rules() {
    let rules = |rules: &Json, default| {
        let gateway = Gateway::with(&json!({}), &json!({"rules": rules, "default": default}));
        let decision = gateway.decide(&bearer(token(&json!({"role": "admin"})).as_bytes()));
        let allowed = matches!(decision.outcome, Outcome::Allowed);
        (allowed, decision.rule)
    };
    let allow = json!({"name": "allow", "action": "allow"});
    let deny = json!({"name": "deny", "action": "deny"});
    let other = json!({"name": "other", "action": "allow", "claims": guest()});
    let again = json!({"name": "again", "action": "allow", "claims": admin()});
    assert_eq!(rules(&json!([allow, deny]), "allow"), (false, Some(1)));
    assert_eq!(rules(&json!([deny, allow]), "allow"), (false, Some(0)));
    assert_eq!(rules(&json!([other, again, allow]), "deny"), (true, Some(1)));
    assert_eq!(rules(&json!([allow, again]), "deny"), (true, Some(0)));
    assert_eq!(rules(&json!([other]), "deny"), (false, None));
    assert_eq!(rules(&json!([other]), "allow"), (true, None));
}

/// A rule that needs a valid token does not hold with a bad one, and the next rule is evaluated. A rule with an
/// optional token refuses a bad one.
#[test]
fn a_bad_token_and_the_next_rule() {
    let open = json!({"name": "open", "action": "allow", "token": "none"});
    let required = json!([{"name": "r", "action": "allow"}, open]);
    check(&required, "deny", ["+"; 8]);
    let optional = json!([{"name": "r", "action": "allow", "token": "optional"}, open]);
    check(&optional, "deny", ["+", "+", BAD, KEY, SET, "+", BUSY, FAILS]);
    let deny = json!([{"name": "r", "action": "deny", "claims": admin()}, open]);
    check(&deny, "deny", ["+", DENIED, "+", "+", "+", "+", "+", "+"]);
}

#[test]
fn a_rule_is_for_what_it_matches() {
    let gateway = Gateway::with(
        &json!({}),
        &json!({"rules": [
            {"name": "health", "action": "allow", "token": "none", "match": {"path": {"in": ["/health"]}}},
            {"name": "admins", "action": "allow", "match": {"methods": ["PUT"]}, "claims": admin()},
            {"name": "closed", "action": "deny", "match": {"path": {"prefix": "/closed/"}}},
        ]}),
    );
    let good = token(&json!({"role": "admin"}));
    let check = |target: &str, expected: &str| {
        let (method, path) = target.split_once(' ').unwrap();
        let headers = format!(":method: {method}\n:path: {path}\nauthorization: Bearer {good}");
        assert_eq!(gateway.word(&request(&headers)), expected, "{target}");
    };
    check("GET /health", "+");
    check("GET /health?a=b", "+");
    check("GET /HEALTH", "no_rule");
    check("PUT /", "+");
    check("PUT /closed/a", "denied_by:closed");
    // Some upstreams read these paths as `/closed/a`.
    check("PUT /closed//a", "denied_by:closed");
    check("PUT /%63losed/a", "denied_by:closed");
    check("PUT \\closed\\a", "denied_by:closed");
    check("PUT /closed;v=1/a", "denied_by:closed");
    check("PUT /closed%3Bv/a", "denied_by:closed");
    check("GET /health;v=1", "no_rule");
    check("GET /health\\", "no_rule");
    check("GET /a/..%2fhealth", "escaped_slash");
    check("GET /health%5C", "escaped_slash");
    check("GET /health?a=%2F", "+");
    // Upstreams that merge slashes or remove parameters before they resolve dot segments serve another path.
    check("PUT /a/../closed/a", "ambiguous_path");
    check("PUT /a/%2e%2E/b", "ambiguous_path");
    check("GET /health/.", "ambiguous_path");
    check("GET /health//../closed", "ambiguous_path");
    check("GET /health/..;/closed", "ambiguous_path");
    check("GET /health/a\\..\\b", "ambiguous_path");
    check("GET /health/;/../closed", "ambiguous_path");
    // Some upstreams read the first segment as an authority.
    check("GET //health/closed", "ambiguous_path");
}

#[test]
fn an_escaped_slash_may_be_kept() {
    let rules =
        json!([{"name": "r", "action": "allow", "token": "none", "match": {"path": {"exact": "/a%2Fb"}}}]);
    let refuse = Gateway::with(&json!({}), &json!({"rules": rules}));
    let keep = Gateway::with(&json!({}), &json!({"rules": rules, "escaped_slashes": "keep"}));
    for (path, expected) in [("/a%2Fb", "+"), ("/a%2fb", "+"), ("/a/b", "missing"), ("/a%5Cb", "missing")] {
        assert_eq!(keep.word(&request(&format!(":path: {path}"))), expected, "{path}");
    }
    assert_eq!(refuse.word(&request(":path: /a%2Fb")), "escaped_slash");
}

/// A request waits for keys only if its token is looked at.
#[test]
fn waiting_for_keys() {
    #[track_caller]
    fn check(rules: &Json, expected: &str) {
        let gateway = Gateway::with(&json!({}), &json!({"rules": rules}));
        gateway.may_wait.set(true);
        let unknown = token_of("other", "{}");
        assert_eq!(gateway.judge(unknown.as_bytes()), expected, "{rules}");
        gateway.rotate(0, None);
        assert_eq!(gateway.judge(token(&json!({})).as_bytes()), expected, "{rules}");
        assert_eq!(gateway.word(&request(":path: /")), if expected == "+" { "+" } else { "missing" });
    }
    check(&json!([]), "waits");
    check(&json!([{"name": "r", "action": "allow"}]), "waits");
    check(&json!([{"name": "r", "action": "allow", "token": "none"}]), "+");
    check(
        &json!([{"name": "d", "action": "deny", "claims": admin(), "match": {"path": {"exact": "/other"}}},
                {"name": "r", "action": "allow", "token": "none"}]),
        "+",
    );
}

/// A token without a `kid`.
fn nameless(key: &str) -> String {
    sign(br#"{"alg": "HS256"}"#, json!({"exp": NOW + 60}).to_string().as_bytes(), key)
}

#[test]
fn what_is_waited_for() {
    let gateway = Gateway::with(&json!({}), &json!({}));
    gateway.may_wait.set(true);
    let wanted = |token: &str| match gateway.decide(&bearer(token.as_bytes())).outcome {
        Outcome::NoKey(unverified) => Some((unverified.provider(), unverified.missing().clone())),
        _ => None,
    };
    assert_eq!(wanted(&token_of("other", "{}")), Some((0, Missing::Key("other".to_owned()))));
    // A key without a `kid`, or another key with this `kid`, may be the signer.
    let is_signer = |missing| matches!(missing, Some((0, Missing::Signer(_))));
    let (unnamed, reused) = (nameless("other"), sign(br#"{"alg": "HS256", "kid": "k"}"#, b"{}", "other"));
    assert!(is_signer(wanted(&unnamed)) && is_signer(wanted(&reused)));
    assert!(is_signer(wanted(&forged(&token(&json!({}))))));
    assert_eq!(wanted(&unnamed), wanted(&unnamed));
    assert_ne!(wanted(&unnamed), wanted(&reused));
    // The set has no key for the algorithm.
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    gateway.rotate(0, Some(&json!([edwards])));
    assert!(is_signer(wanted(&nameless("k"))));
    gateway.rotate(0, None);
    assert_eq!(wanted(&token(&json!({}))), Some((0, Missing::Set)));
    // A token that is refused without keys does not wait.
    assert_eq!(wanted("a.b.c"), None);
    let other = sign(br#"{"alg": "RS256", "kid": "k"}"#, b"{}", "k");
    assert_eq!(wanted(&other), None);
}

/// Keys in the config never change.
#[test]
fn nobody_waits_for_an_inline_set() {
    let gateway = Gateway::with(&json!({}), &json!({}));
    gateway.may_wait.set(true);
    gateway.may_change.set(false);
    for (token, checks, expected) in [
        (token_of("other", "{}"), 0, "unknown_key"),
        (nameless("other"), 1, "bad_signature"),
        (forged(&token(&json!({}))), 1, "bad_signature"),
    ] {
        gateway.checks.set(0);
        assert_eq!(gateway.judge(token.as_bytes()), expected);
        assert_eq!(gateway.checks.get(), checks);
    }
}

/// However often a waiting request is evaluated, its signature is checked once per key set.
#[test]
fn signatures_are_checked_again_only_with_another_set() {
    for (header, expected) in [
        (&br#"{"alg": "HS256"}"#[..], "bad_signature"),
        (br#"{"alg": "HS256", "kid": "k"}"#, "bad_signature"),
        // Keys without a `kid`.
        (br#"{"alg": "HS256", "kid": "other"}"#, "unknown_key"),
    ] {
        let gateway = Gateway::with(&json!({}), &json!({"default": "allow"}));
        let is_other = expected == "unknown_key";
        let keys = |names: &[&str]| {
            let keys = names.iter().map(|name| {
                let mut key = secret(name);
                if is_other {
                    key.as_object_mut().unwrap().remove("kid");
                } else {
                    key["kid"] = json!("k");
                }
                key
            });
            Json::Array(keys.collect())
        };
        gateway.rotate(0, Some(&keys(&["a"])));
        let payload = json!({"exp": NOW + 60}).to_string();
        let headers = bearer(sign(header, payload.as_bytes(), "b").as_bytes());
        let look = |may_wait, before: Option<&Rc<Unverified>>| {
            gateway.may_wait.set(may_wait);
            gateway.checks.set(0);
            let outcome = gateway.decide_again(&headers, before).outcome;
            (outcome, gateway.checks.get())
        };
        let (Outcome::NoKey(before), 1) = look(true, None) else { panic!("{expected}") };
        for _ in 0..3 {
            assert!(matches!(look(true, Some(&before)), (Outcome::NoKey(_), 0)));
        }
        let (Outcome::Refused(refusal), 0) = look(false, Some(&before)) else { panic!("{expected}") };
        assert_eq!(refusal.reason.label, expected);
        // The result applies to this token only.
        let other = bearer(sign(header, b"{}", "c").as_bytes());
        gateway.checks.set(0);
        gateway.decide_again(&other, Some(&before));
        assert_eq!(gateway.checks.get(), 1);
        gateway.rotate(0, Some(&keys(&["c"])));
        let (Outcome::NoKey(before), 1) = look(true, Some(&before)) else { panic!("{expected}") };
        gateway.rotate(0, Some(&keys(&["b", "c"])));
        assert!(matches!(look(true, Some(&before)), (Outcome::Allowed, 1)));
    }
}

/// A shadow rule does not wait for keys; it is counted as if the keys were not coming.
#[test]
fn a_rule_in_shadow_mode_does_not_wait() {
    let gateway = Gateway::with(
        &json!({}),
        &json!({"rules": [
            {"name": "tried", "action": "allow", "token": "optional", "mode": "shadow"},
            {"name": "open", "action": "allow", "token": "none"},
        ]}),
    );
    for may_wait in [true, false] {
        gateway.may_wait.set(may_wait);
        for token in [forged(&token(&json!({}))), nameless("other"), token_of("other", "{}")] {
            let decision = gateway.decide(&bearer(token.as_bytes()));
            assert_eq!((decision.rule, decision.shadow), (Some(1), vec![0]), "{may_wait:?}");
        }
    }
}

/// The decision's label, as it appears in the access log.
#[test]
fn a_decision_in_a_few_words() {
    let top = json!({"rules": [{"name": "r", "action": "allow", "claims": admin()},
                               {"name": "d", "action": "deny", "claims": guest()}]});
    let gateway = Gateway::with(&json!({}), &top);
    let say = |gateway: &Gateway, claims: &Json| {
        let headers = bearer(token(claims).as_bytes());
        let decision = gateway.decide(&headers);
        let verdict = gateway.policy.verdict(&headers, &decision).unwrap();
        let shadow = gateway.policy.config().settings.mode == Mode::Shadow;
        match (verdict.refusal, verdict.decision) {
            // No verdict is asked for before the wait is over. If it were, the request would be refused.
            (Some(refusal), _) if matches!(decision.outcome, Outcome::NoKey(_)) => {
                assert!(refusal.is_final && verdict.request.is_empty());
                "waiting".to_owned()
            }
            // The adapter adds the prefix.
            (Some(refusal), _) if shadow => {
                format!("shadow_denied{{{}}}", refusal.details.subject.unwrap_or_default())
            }
            (Some(refusal), _) => refusal.details.to_string(),
            (None, Some(decision)) => decision.label.to_string(),
            (None, None) => "nothing".to_owned(),
        }
    };
    assert_eq!(say(&gateway, &json!({"role": "admin"})), "allowed{r}");
    assert_eq!(say(&gateway, &json!({"role": "guest"})), "jwt_authz{denied_by:d}");
    assert_eq!(say(&gateway, &json!({"exp": 1})), "jwt_authz{expired}");
    let open = Gateway::with(&json!({}), &json!({"default": "allow"}));
    assert_eq!(say(&open, &json!({})), "allowed");
    let mut shadow = top;
    shadow["mode"] = json!("shadow");
    let shadow = Gateway::with(&json!({}), &shadow);
    assert_eq!(say(&shadow, &json!({"role": "admin"})), "allowed{r}");
    assert_eq!(say(&shadow, &json!({"role": "guest"})), "shadow_denied{denied_by:d}");
    assert_eq!(say(&shadow, &json!({"role": "user"})), "shadow_denied{no_rule}");
    shadow.may_wait.set(true);
    shadow.rotate(0, None);
    assert_eq!(say(&shadow, &json!({})), "waiting");
}

/// A gateway with slow checks and `keys` keys without a `kid`.
fn slow(keys: usize) -> Gateway {
    let gateway = Gateway::with(&json!({}), &json!({"default": "allow", "token_cache": {"entries": 0}}));
    let names: Vec<Json> = (0..keys).map(|key| secret(&format!("k{key}"))).collect();
    gateway.rotate(0, Some(&Json::Array(names)));
    gateway.is_slow.set(true);
    gateway
}

/// A token that was not tried on all keys may be valid: it is refused with 503, and a retry tries the next keys.
#[test]
fn slow_checks_are_made_on_two_keys_at_once() {
    let gateway = slow(8);
    let check = |token: &str, expected: &str, checks: usize| {
        gateway.checks.set(0);
        assert_eq!(gateway.judge(token.as_bytes()), expected);
        assert_eq!(gateway.checks.get(), checks);
    };
    let forged = nameless("other");
    check(&forged, "overloaded", 2);
    check(&forged, "overloaded", 2);
    check(&forged, "overloaded", 2);
    check(&forged, "bad_signature", 2);
    check(&forged, "bad_signature", 0);
    let good = nameless("k5");
    check(&good, "overloaded", 2);
    check(&good, "overloaded", 2);
    check(&good, "+", 2);
    check(&good, "+", 1);
    // The key that verified the previous token, and another one.
    check(&nameless("k0"), "overloaded", 2);
    check(&nameless("k5"), "+", 1);
    // A key named by `kid` is tried at once.
    check(&token_of("k3", &json!({"exp": NOW + 60}).to_string()), "+", 1);
    check(&sign(br#"{"alg": "HS256", "kid": "k3"}"#, b"{}", "other"), "bad_signature", 1);
}

#[test]
fn two_slow_keys_and_eight_fast_ones_are_tried_at_once() {
    for (keys, is_slow) in [(2, true), (8, false)] {
        let gateway = slow(keys);
        gateway.is_slow.set(is_slow);
        assert_eq!(gateway.judge(nameless("other").as_bytes()), "bad_signature");
        assert_eq!(gateway.checks.get(), keys);
        assert_eq!(gateway.judge(nameless(&format!("k{}", keys - 1)).as_bytes()), "+");
    }
}

/// A request that waited for a new key is tried on it first.
#[test]
fn a_new_key_among_many_slow_ones() {
    let gateway = slow(7);
    gateway.may_wait.set(true);
    let headers = bearer(nameless("k7").as_bytes());
    let Outcome::NoKey(before) = gateway.decide(&headers).outcome else { panic!("it does not wait") };
    assert_eq!(gateway.checks.get(), 2);
    assert!(matches!(gateway.decide_again(&headers, Some(&before)).outcome, Outcome::NoKey(_)));
    assert_eq!(gateway.checks.get(), 2);
    let names: Vec<Json> = (0..8).map(|key| secret(&format!("k{key}"))).collect();
    gateway.reuse(0, &Json::Array(names));
    assert!(matches!(gateway.decide_again(&headers, Some(&before)).outcome, Outcome::Allowed));
}
