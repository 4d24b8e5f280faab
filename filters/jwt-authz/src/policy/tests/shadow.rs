//! Shadow rules that would have decided.

use super::super::Outcome;
use super::gateway::{Gateway, bearer, forged, request, token, token_of};
use mesh_policy::headers::Headers;
use serde_json::{Value as Json, json};

/// `expected` is the outcome, `shadow` the shadow rules that would have decided.
#[track_caller]
fn check(rules: &Json, headers: &Headers, expected: &str, shadow: &[usize]) {
    let gateway = Gateway::with(&json!({}), &json!({"rules": rules}));
    assert_eq!(gateway.word(headers), expected, "{rules}");
    assert_eq!(gateway.decide(headers).shadow, shadow, "{rules}");
}

#[test]
fn a_shadow_rule_is_counted_and_does_not_decide() {
    let good = bearer(token(&json!({})).as_bytes());
    let bad = bearer(forged(&token(&json!({}))).as_bytes());
    let none = request(":path: /");
    let deny = json!({"name": "d", "action": "deny", "mode": "shadow"});
    let allow = json!({"name": "a", "action": "allow", "mode": "shadow"});
    let open = json!({"name": "open", "action": "allow", "token": "none"});
    check(&json!([deny]), &good, "no_rule", &[0]);
    check(&json!([deny, open]), &good, "+", &[0]);
    check(&json!([open, deny]), &none, "+", &[1]);
    check(&json!([allow]), &good, "no_rule", &[0]);
    check(&json!([allow]), &none, "missing", &[]);
    check(&json!([allow, deny]), &good, "no_rule", &[1, 0]);
    // Rules after the deciding one are not counted.
    check(&json!([open, allow]), &good, "+", &[]);
    // A rule with an optional token would have refused a bad one.
    let optional = json!({"name": "o", "action": "allow", "token": "optional", "mode": "shadow"});
    check(&json!([optional, open]), &bad, "+", &[0]);
    check(&json!([optional, open]), &none, "+", &[0]);
}

#[test]
fn a_rule_that_is_off_is_not_there() {
    let good = bearer(token(&json!({})).as_bytes());
    check(&json!([{"name": "d", "action": "deny", "mode": "off"}]), &good, "no_rule", &[]);
    check(&json!([{"name": "a", "action": "allow", "mode": "off"}]), &good, "no_rule", &[]);
}

/// A shadow rule does not decide, so no request waits for it.
#[test]
fn a_shadow_rule_makes_no_request_wait() {
    let rules = json!([{"name": "s", "action": "deny", "claims": {"claim": "a", "equals": 1}, "mode": "shadow"},
                       {"name": "open", "action": "allow", "token": "none"}]);
    let gateway = Gateway::with(&json!({}), &json!({"rules": rules}));
    gateway.may_wait.set(true);
    assert_eq!(gateway.judge(token_of("other", "{}").as_bytes()), "+");
    gateway.rotate(0, None);
    assert_eq!(gateway.judge(token(&json!({"a": 1})).as_bytes()), "+");
}

/// The filter's mode changes the effects, not the decision.
#[test]
fn the_mode_of_the_filter_changes_no_decision() {
    for mode in ["enforce", "shadow", "off"] {
        let gateway = Gateway::with(&json!({}), &json!({"mode": mode}));
        assert!(matches!(gateway.decide(&request(":path: /")).outcome, Outcome::Refused(_)), "{mode}");
    }
}
