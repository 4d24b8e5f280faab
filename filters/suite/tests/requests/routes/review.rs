//! What a client must not get around by a request that is undecided between configs of a block.

use super::request;
use crate::blocks::{authorization, jwt_authz, rate_limit, suite};
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use std::time::Duration;
use suite::filter::SuiteFilter;

/// Upstreams may read this path as `/a/b`.
const UNDECIDED: &str = "/a%2fb";

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

/// What a route in shadow would have done takes nothing of the budget of those that do it.
#[test]
fn a_route_in_shadow_spends_no_budget() {
    let rules = json!([{"name": "down", "abort": {"percentage": 100, "status": 503}}]);
    let faulted = |own: &str, route: &str| {
        let own = json!({"mode": own, "budget": {"percentage": 50}, "rules": rules});
        let block = json!({"fault": own, "routes": [
            {"name": "a", "match": {"path": {"prefix": "/a"}}, "config": {"mode": route, "rules": rules}},
        ]});
        let proxy = suite(&[block]);
        let is_faulted = |path: &str| {
            let stream = proxy.request(&request(path, &[]));
            let is_faulted = stream.fate() == Fate::Replied;
            stream.end();
            is_faulted
        };
        (0..200).filter(|index| is_faulted(["/", "/a", "/a", "/a"][index % 4])).count()
    };
    assert_eq!(["off", "shadow", "enforce"].map(|route| faulted("enforce", route)), [25, 25, 100]);
    assert_eq!(["off", "shadow", "enforce"].map(|route| faulted("shadow", route)), [0, 0, 75]);
}

#[test]
fn a_gauge_shows_a_trip_that_only_routes_follow() {
    let variants = json!([{"name": "v1", "weight": 2}, {"name": "v2", "weight": 2}]);
    let split = json!({"name": "s", "sticky": [{"header": "user"}], "variants": variants});
    let mut guarded = split.clone();
    guarded["guard"] = json!({
        "variant": "v2", "baseline": "v1", "max_error_percentage": 50, "min_requests": 30, "window": "10s", "hold": "1m",
    });
    let config = json!({"filters": [{"canary": {"mode": "off", "splits": [guarded]}, "routes": [
        {"name": "a", "match": {"path": {"prefix": "/a"}}, "config": {"splits": [split]}},
    ]}]});
    let proxy = Proxy::<SuiteFilter>::start(&config.to_string());
    for user in 0..80 {
        let stream = proxy.request(&request("/a", &[("user", &user.to_string())]));
        stream.respond_without_body(&[(":status", "503")]);
        stream.end();
    }
    proxy.advance(Duration::from_secs(1));
    let tripped = || proxy.host().metric("mesh_filters.canary.split=.=s;.;tripped");
    assert_eq!(tripped(), 1);
    let next = config.to_string().replace(r#""mode":"off""#, r#""mode":"off","decision_log":"all""#);
    assert_ne!(next, config.to_string());
    proxy.configure(&next).unwrap();
    proxy.remove_previous_config();
    assert_eq!(tripped(), 1);
    proxy.advance(Duration::from_secs(10));
    assert_eq!(tripped(), 1);
    proxy.advance(Duration::from_secs(60));
    assert_eq!(tripped(), 0);
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

/// Requests of several routes that wait over a push, and are reset.
#[test]
fn nothing_is_held_for_requests_that_were_reset() {
    let delayed = json!({"rules": [
        {"name": "slow", "delay": {"percentage": 100, "fixed": "5s"}},
        {"name": "busy", "in_flight": {"at_least": 1000}, "abort": {"percentage": 100, "status": 503}},
    ]});
    let block = |own: &Value| {
        json!({"fault": own, "routes": [
            {"name": "a", "match": {"path": {"prefix": "/a/"}}, "config": delayed},
            {"name": "b", "match": {"path": {"prefix": "/b"}}, "config": {"mode": "off"}},
        ]})
    };
    let proxy = suite(&[block(&json!({}))]);
    let gauges = || {
        ["active", "plugin=.=test;.;in_flight"]
            .map(|name| proxy.host().metric(&format!("mesh_filters.fault.{name}")))
    };
    let before = ["/", "/a/", "/b", UNDECIDED].map(|path| proxy.request(&request(path, &[])));
    assert_eq!(gauges(), [1, 4], "{:#?}", proxy.host().metrics());
    proxy.configure(&json!({"filters": [block(&delayed)]}).to_string()).unwrap();
    let after = ["/", "/a/", "/b"].map(|path| proxy.request(&request(path, &[])));
    assert_eq!(gauges(), [3, 7]);
    before.into_iter().for_each(mesh_host::testing::Stream::end);
    proxy.remove_previous_config();
    assert_eq!(gauges(), [2, 3]);
    proxy.configure(&json!({"filters": [{"fault": {}}]}).to_string()).unwrap();
    after.into_iter().for_each(mesh_host::testing::Stream::end);
    proxy.advance(Duration::from_secs(9));
    assert_eq!(gauges(), [0, 0]);
}
