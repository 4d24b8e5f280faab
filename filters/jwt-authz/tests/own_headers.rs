//! Headers that only the filter may set are removed before anything reads the request.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is its purpose")]

use jwt_authz::filter::JwtAuthz;
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};

/// `rules` decide on a request from 10.0.0.1 with these headers; `header` takes a claim.
#[track_caller]
fn check(header: &str, rules: &Value, headers: &[(&str, &str)], fate: Fate) {
    let key = json!({"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"});
    let config = json!({
        "client_ip": {"trusted_hops": 1}, "default": "allow", "rules": rules,
        "providers": [{
            "name": "main", "algorithms": ["HS256"], "jwks": {"inline": {"keys": [key]}},
            "claims_to_headers": [{"claim": "c", "header": header}],
        }],
    });
    let proxy = Proxy::<JwtAuthz>::start(&config.to_string());
    proxy.host().set_property(&["source", "address"], "10.0.0.1:1000");
    let all: Vec<_> = [(":path", "/"), (":authority", "a.example")].iter().chain(headers).copied().collect();
    let stream = proxy.request(&all);
    assert_eq!(stream.fate(), fate, "{header} {headers:?}");
    let left = stream.request_headers();
    assert!(!left.iter().any(|(name, _)| name.replace('_', "-") == header.replace('_', "-")), "{left:?}");
}

#[test]
fn rules_do_not_see_what_only_the_filter_may_set() {
    let rules = json!([{"name": "r", "action": "deny",
        "match": {"headers": [{"name": "x-claim", "present": true}]}}]);
    for spelling in ["x-claim", "x_claim"] {
        check("x-claim", &rules, &[(":method", "GET"), (spelling, "a")], Fate::Continued);
    }
}

/// The peer's address counts where the header that would have the client's is removed.
#[test]
fn a_removed_address_does_not_hide_the_peer() {
    let rules = json!([{"name": "r", "action": "deny", "match": {"client_ip": ["10.0.0.0/8"]}}]);
    for header in ["x-forwarded-for", "x_forwarded_for"] {
        check(header, &rules, &[(":method", "GET"), ("x-forwarded-for", "192.0.2.1")], Fate::Replied);
    }
}

/// Without its `origin` a request is not a preflight.
#[test]
fn a_removed_origin_makes_no_preflight() {
    let rules = json!([{"name": "r", "action": "deny"}]);
    let preflight =
        [(":method", "OPTIONS"), ("origin", "https://a.example"), ("access-control-request-method", "PUT")];
    check("origin", &rules, &preflight, Fate::Replied);
}

#[test]
fn a_name_that_cannot_be_removed_is_refused() {
    check("x-claim", &json!([]), &[(":method", "GET"), ("x claim", "a")], Fate::Replied);
}
