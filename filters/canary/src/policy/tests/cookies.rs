//! Identities that the filter assigns.

use super::gateway::{Told, value};
use super::{Gateway, label};

/// A split of many variants by a header or a cookie, which is assigned. `top`: what else the config has.
fn config(top: &str) -> String {
    let variants: Vec<_> = (0..32).map(|index| format!(r#"{{"name": "v{index}", "weight": 1}}"#)).collect();
    format!(
        r#"{{"split": {{"name": "s", "sticky": [{{"header": "user"}}, {{"cookie": "uid"}}],
            "assign_cookie": {{"name": "uid", "max_age": "30d"}}, "variants": [{}]}}{top}}}"#,
        variants.join(", ")
    )
}

fn variant<'a>(verdict: &Told<'a>) -> &'a str {
    verdict.decision.as_ref().unwrap().label.result.unwrap()
}

#[test]
fn a_new_user_gets_a_cookie_that_keeps_the_variant() {
    for seed in 0..50 {
        let gateway = Gateway::new(&config(""));
        gateway.seed(seed);
        let first = gateway.decide(":path: /");
        let cookie = value(&first.response, "set-cookie");
        let (identity, attributes) = cookie.strip_prefix("uid=").unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax");
        // 128 random bits.
        assert!(
            identity.len() == 32 && identity.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_eq!(gateway.host.borrow().asked, [2, 0, 0, 0]);
        assert_eq!(gateway.counted(&first), ["decisions split s", "identity_missing s"]);
        let next = gateway.decide(&format!("cookie: a=b;uid={identity}"));
        assert_eq!(variant(&next), variant(&first));
        assert_eq!(value(&next.response, "set-cookie"), "-");
        assert_eq!(gateway.counted(&next), ["decisions split s"]);
    }
}

#[test]
fn each_new_user_gets_another_cookie() {
    let gateway = Gateway::new(&config(""));
    let cookies: std::collections::BTreeSet<_> =
        (0..100).map(|_| value(&gateway.decide("").response, "set-cookie")).collect();
    assert_eq!(cookies.len(), 100);
    let variants: std::collections::BTreeSet<_> = (0..1000).map(|_| variant(&gateway.decide(""))).collect();
    assert_eq!(variants.len(), 32);
}

/// Whether a new user gets a cookie. Without one the variant is random, as the identity is missing in any case.
#[track_caller]
fn check(top: &str, headers: &str, expected_label: &str, is_set: bool) {
    let gateway = Gateway::new(&config(top));
    let verdict = gateway.decide(headers);
    let label = label(&verdict);
    assert_eq!(label.split(':').next(), Some(expected_label), "{headers}");
    assert_eq!(value(&verdict.response, "set-cookie") != "-", is_set, "{headers}");
}

const PREFLIGHT: &str =
    ":method: OPTIONS; origin: https://a.example; access-control-request-method: PUT; :path: /";

#[test]
fn a_user_with_an_identity_gets_no_cookie() {
    check("", "user: alice", "split{s}", false);
    check("", "cookie: uid=1", "split{s}", false);
}

#[test]
fn a_bad_cookie_is_replaced() {
    check("", "cookie: uid=", "split{s}", true);
    check("", "cookie: uid=1;uid=2", "split{s}", true);
    check("", &format!("cookie: uid={}", "a".repeat(1025)), "split{s}", true);
}

#[test]
fn a_client_of_grpc_gets_no_cookie() {
    check("", "content-type: application/grpc", "split{s}", false);
    check("", "content-type: application/grpc+proto", "split{s}", false);
    check("", "content-type: application/grpc-web", "split{s}", true);
}

#[test]
fn a_preflight_gets_no_cookie() {
    check("", PREFLIGHT, "split{s}", false);
    check("", ":method: OPTIONS; origin: https://a.example", "split{s}", true);
    let gateway = Gateway::new(&config(""));
    let verdict = gateway.decide(PREFLIGHT);
    assert_eq!(gateway.counted(&verdict), ["decisions split s", "identity_missing s"]);
}

#[test]
fn where_the_split_does_not_decide_there_is_no_cookie() {
    let rule = r#", "rules": [{"name": "r", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v1"}]"#;
    check(rule, "a: 1", "rule{r}", false);
    check(rule, "b: 1", "split{s}", true);
    check(r#", "trusted_override": {"header": "o", "match": {}}"#, "o: v1", "override", false);
    check(r#", "mode": "shadow""#, "", "shadow{s}", false);
}

/// The upstream may set cookies of its own.
#[test]
fn a_cookie_is_added_to_the_upstream_s() {
    use mesh_policy::effects::Edit;
    let gateway = Gateway::new(&config(r#", "output": {"header": "h", "response_header": "r"}"#));
    let verdict = gateway.decide("");
    let kinds: Vec<_> = verdict.response.iter().map(|edit| matches!(edit, Edit::Add(..))).collect();
    assert_eq!(kinds, [false, true]);
}
