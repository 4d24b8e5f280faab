//! Blocks with routes.

mod canary;
mod fault;
mod jwt_authz;
mod rate_limit;
mod trace_context;
mod undecided;

use crate::blocks::{request, status, suite};
use mesh_host::testing::Proxy;
use serde_json::{Value, json};
use suite::filter::SuiteFilter;

/// Upstreams may read this path as `/a/b`, which a route for `/a/` has, or as one below the root.
const UNDECIDED: &str = "/a%2fb";

/// A block with a route for each of these prefixes of a path.
fn routed(mut block: Value, routes: &[(&str, Value)]) -> Value {
    let routes = routes.iter().enumerate().map(|(index, (prefix, config))| {
        json!({"name": format!("r{index}"), "match": {"path": {"prefix": prefix}}, "config": config})
    });
    block["routes"] = routes.collect();
    block
}

/// A block that answers with 500, on the route `/a` with 501 and on `/b` with 502. The route `/a/b` is behind `/a`, so it never
/// decides.
fn answering() -> Proxy<SuiteFilter> {
    let answer =
        |status: u16| json!({"rules": [{"name": "r", "abort": {"percentage": 100, "status": status}}]});
    suite(&[routed(
        json!({"fault": answer(500)}),
        &[("/a", answer(501)), ("/b", answer(502)), ("/a/b", answer(503))],
    )])
}

#[test]
fn the_first_route_that_matches_decides() {
    let proxy = answering();
    for (target, expected) in [("/", 500), ("/a", 501), ("/b?c", 502), ("/a/b", 501), ("/c", 500)] {
        assert_eq!(status(&proxy, target, &[]), expected, "{target}");
    }
}

/// To the upstream it may be another path.
#[test]
fn a_route_that_may_match_does_not_hold() {
    let proxy = answering();
    for (target, expected) in [("/c/%2e%2e/a", 500), ("/x/..%2fb", 500), ("/a/%2e%2e/b", 500)] {
        assert_eq!(status(&proxy, target, &[]), expected, "{target}");
    }
}

/// The header that the block in front has written is read.
#[test]
fn a_route_matches_the_request_as_it_is_at_the_filter_s_turn() {
    let canary = json!({"canary": {"output": {"header": "x-variant"}, "default": "v1"}});
    let answer = json!({"rules": [{"name": "r", "abort": {"percentage": 100, "status": 418}}]});
    let by_variant =
        json!({"name": "r", "match": {"headers": [{"name": "x-variant", "exact": "v1"}]}, "config": answer});
    let block = json!({"fault": {}, "routes": [by_variant]});
    assert_eq!(status(&suite(&[canary.clone(), block.clone()]), "/", &[]), 418);
    assert_eq!(status(&suite(&[block, canary]), "/", &[]), 0);
}

#[test]
fn the_log_names_blocks_and_routes() {
    let block = routed(json!({"fault": {}, "name": "by-user"}), &[("/a", json!({})), ("/b", json!({}))]);
    let proxy = suite(&[json!({"fault": {}}), block]);
    let log = proxy.host().log().join("\n");
    assert!(log.contains("accepted: mode enforce"), "{log}");
    assert!(log.contains("accepted: block by-user, mode enforce"), "{log}");
    assert!(log.ends_with(", 2 routes: r0, r1"), "{log}");
}
