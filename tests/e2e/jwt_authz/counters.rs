//! Counters and log lines.

use super::{bearer, config, inline, plugin, provider, setup, status};
use e2e::{Algorithm, Key, Setup, Token, get, key_set};
use serde_json::json;

#[tokio::test]
async fn where_each_algorithm_is_checked() {
    let keys = json!({"inline": key_set(&[("a", Key::RSA_A), ("d", Key::ED25519_A)])});
    let plugin = plugin(config(provider(keys, json!({"algorithms": ["RS256", "EdDSA"]})), json!({})));
    for (plugin, rsa) in [(plugin.clone(), 1), (plugin.without(&["proxy_call_foreign_function"]), 0)] {
        let gateway = Setup::default().plugins(&[plugin]).start().await;
        assert_eq!(gateway.metric("jwt_authz.algorithm=.=RS256;.;in_host").await, rsa);
        assert_eq!(gateway.metric("jwt_authz.algorithm=.=EdDSA;.;in_host").await, 0);
    }
}

#[tokio::test]
async fn decisions_and_remembered_tokens() {
    let rules = json!({"rules": [
        {"name": "guests", "action": "deny", "claims": [{"claim": "role", "equals": "guest"}]},
        {"name": "tried", "action": "deny", "mode": "shadow", "claims": [{"claim": "role", "equals": "user"}]},
        {"name": "users", "action": "allow", "claims": [{"claim": "role", "in": ["user", "guest"]}]},
    ]});
    // Each worker has its own cache.
    let gateway =
        setup(config(provider(inline(&[("a", Key::RSA_A)]), json!({})), rules)).workers(1).start().await;
    let of = |role: &str| Token::good(Algorithm::Rs256).claim("role", role).sign();
    let (user, guest, other) = (of("user"), of("guest"), of("other"));
    for (token, expected) in [(&user, 200), (&user, 200), (&guest, 403), (&guest, 403), (&other, 403)] {
        assert_eq!(status(&gateway, token).await, expected);
    }
    gateway.send(get("/", &[])).await;
    for (name, expected) in [
        ("allowed", 2),
        ("rule=.=users;.;rule_allowed", 2),
        ("rule=.=guests;.;rule_denied", 2),
        ("rule=.=tried;.;rule_shadow_denied", 2),
        ("reason=.=denied_by;.;denied", 2),
        ("reason=.=no_rule;.;denied", 1),
        ("reason=.=missing;.;denied", 1),
        ("cache_miss", 3),
        ("cache_hit", 2),
        ("provider=.=main;.;keys", 1),
        ("provider=.=main;.;keys_skipped", 0),
    ] {
        assert_eq!(gateway.metric(&format!("jwt_authz.{name}")).await, expected, "{name}");
    }
}

#[tokio::test]
async fn claims_that_no_header_can_take_are_counted() {
    let extra = json!({"claims_to_headers": [{"claim": "roles", "header": "x-roles"}]});
    let gateway = setup(config(provider(inline(&[("a", Key::RSA_A)]), extra), json!({}))).start().await;
    let token = Token::good(Algorithm::Rs256).claim("roles", json!(["a", "b,admin"])).sign();
    let headers = [("authorization", &*bearer(&token)), ("x-roles", "root")];
    let answer = gateway.send(get("/", &headers)).await;
    assert!(!answer.text().contains("x-roles"), "{}", answer.text());
    assert_eq!(gateway.metric("jwt_authz.claims_left_out").await, 1);
}
