//! What a client must not get around by a request that is undecided between configs of a block.

use super::{UNDECIDED, request};
use crate::blocks::{authorization, jwt_authz, rate_limit, suite};
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use suite::filter::SuiteFilter;

fn by_address(name: &str, requests: u32, trusted_hops: u32) -> Value {
    json!({
        "client_ip": {"trusted_hops": trusted_hops},
        "limits": [{"name": name, "key": ["client_ip"], "rate": {"requests": requests, "per": "1h"}}],
    })
}

/// Each config finds the address in another place, and a request that is charged by both has both.
#[test]
fn each_config_finds_the_address_in_its_own_place() {
    for (own, route) in [(0, 1), (1, 0)] {
        let block = json!({"rate_limit": by_address("own", 1, own), "routes": [
            {"name": "a", "match": {"path": {"prefix": "/a/"}}, "config": by_address("a", 1, route)},
        ]});
        let proxy = suite(&[block]);
        proxy.host().set_property(&["source", "address"], "192.0.2.1:80");
        let details = |path: &str, forwarded: &str| {
            let stream = proxy.request(&request(path, &[("x-forwarded-for", forwarded)]));
            let details = stream.reply().map_or_else(|| "+".to_owned(), |reply| reply.details);
            stream.end();
            details
        };
        let by_source = if own == 0 { "rate_limited{own}" } else { "rate_limited{a}" };
        assert_eq!(details(UNDECIDED, "198.51.100.1"), "+");
        assert_eq!(details(UNDECIDED, "198.51.100.2"), by_source, "{own} {route}");
    }
}

/// A block that lets in only users at one host, and looks at no token elsewhere.
fn users_at_one_host() -> Value {
    let mut block = jwt_authz();
    let config = json!({"rules": [{"name": "r", "action": "allow"}]});
    block["jwt_authz"].as_object_mut().unwrap().remove("default");
    block["jwt_authz"]["rules"] = json!([]);
    block["jwt_authz"]["mode"] = json!("off");
    block["jwt_authz"]["providers"][0]["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    block["routes"] = json!([{"name": "api", "match": {"hosts": ["api.example"]}, "config": config}]);
    block
}

fn fates(proxy: &Proxy<SuiteFilter>, authority: &str) -> [Fate; 2] {
    let token = authorization("alice");
    [0; 2].map(|_| {
        let stream = proxy.request(&[
            (":method", "GET"),
            (":path", "/"),
            (":authority", authority),
            ("authorization", token.as_str()),
        ]);
        let fate = stream.fate();
        stream.end();
        fate
    })
}

/// An authority with a port may be the route's host, and a user has a limit there.
#[test]
fn a_request_that_may_be_a_route_s_has_its_claims() {
    let proxy = suite(&[users_at_one_host(), rate_limit(&json!({"claim": "sub"}))]);
    for authority in ["api.example", "api.example:443", "api.example."] {
        assert_eq!(fates(&proxy, authority)[1], Fate::Replied, "{authority}");
    }
}

#[test]
fn trailers_hold_no_token_of_an_undecided_request() {
    let proxy = suite(&[users_at_one_host()]);
    let token = authorization("alice");
    for authority in ["api.example", "api.example:443"] {
        let stream = proxy.open(&[
            (":method", "GET"),
            (":path", "/"),
            (":authority", authority),
            ("authorization", &token),
        ]);
        assert!(stream.trailers(&[("authorization", &token), ("x-kept", "1")]));
        assert_eq!(stream.request_trailers(), [("x-kept".to_owned(), "1".to_owned())], "{authority}");
        stream.end();
    }
}
