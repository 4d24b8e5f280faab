//! The host calls of typical requests, by phase. A change that adds one costs every request: it must be worth it.

use crate::blocks::{authorization, jwt_authz, suite};
use mesh_host::testing::Fate;
use serde_json::{Value, json};
use std::time::Duration;

/// The recommended chain, each filter active.
fn five() -> Vec<Value> {
    vec![
        json!({"trace_context": {"generate": {"when_missing": true}}}),
        jwt_authz(),
        json!({"rate_limit": {"limits": [
            {"name": "per-user", "key": [{"claim": "sub"}], "rate": {"requests": 1_000_000, "per": "1s"}},
        ]}}),
        json!({"canary": {"output": {"header": "x-variant"}, "split": {
            "name": "s", "sticky": [{"claim": "sub"}],
            "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}],
        }}}),
        json!({"fault": {"rules": [{
            "name": "chaos", "match": {"headers": [{"name": "x-test-fault", "exact": "inject"}]},
            "abort": {"percentage": 100, "status": 503},
        }]}}),
    ]
}

/// One map, one bucket, one header, and the counters: nothing for the entry of each filter.
const CALLS: &str = "request headers: 2 clock_time_get, 1 get_header_map_pairs, 1 get_shared_data, 6 increment_metric, \
                     1 replace_header_map_value, 1 set_shared_data [2 buffers]\n\
                     response headers: 2 add_header_map_value, 1 get_header_map_value, 2 remove_header_map_value [1 buffer]\n";

/// `expected`: the calls of a request with a token and of its response, once the worker has seen one before.
#[track_caller]
fn check(blocks: &[Value], expected: &str) {
    let proxy = suite(blocks);
    let authorization = authorization("alice");
    let headers = [
        (":method", "GET"),
        (":path", "/api/items?page=2"),
        (":authority", "api.example.com"),
        (":scheme", "https"),
        ("user-agent", "Mozilla/5.0"),
        ("accept", "application/json"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("authorization", &authorization),
    ];
    for is_first in [true, false] {
        proxy.host().reset_counts();
        let stream = proxy.request(&headers);
        assert_eq!(stream.fate(), Fate::Continued);
        stream.respond(&[(":status", "200")]);
        stream.end();
        if !is_first {
            assert_eq!(proxy.host().counts(), expected);
        }
    }
}

#[test]
fn five_filters() {
    check(&five(), CALLS);
}

/// The headers are there already, so the match of a route costs no call.
#[test]
fn five_filters_with_routes() {
    let mut blocks = five();
    for block in &mut blocks {
        let config = block.as_object().unwrap().values().next().unwrap().clone();
        let mut config = config.as_object().unwrap().clone();
        config.remove("providers");
        config.remove("output");
        block["routes"] = json!([{"name": "r", "match": {"path": {"prefix": "/api/"}}, "config": config}]);
    }
    check(&blocks, CALLS);
}

/// While a request waits, the module keeps none of its headers.
#[test]
fn a_block_behind_a_delay_fetches_the_headers_again() {
    let delay = json!({"fault": {"rules": [{"name": "slow", "delay": {"percentage": 100, "fixed": "1s"}}]}});
    let canary = json!({"canary": {"default": "v1", "output": {"header": "x-variant"}}});
    let proxy = suite(&[delay, canary]);
    let stream = proxy.request(&[(":method", "GET"), (":path", "/"), ("x-variant", "spoofed")]);
    assert_eq!(stream.fate(), Fate::Waiting);
    proxy.host().reset_counts();
    proxy.advance(Duration::from_secs(1));
    assert_eq!(stream.fate(), Fate::Continued);
    assert!(proxy.host().counts().contains("tick: "), "{}", proxy.host().counts());
    assert!(proxy.host().counts().contains("1 get_header_map_pairs"), "{}", proxy.host().counts());
    stream.end();
}

#[test]
fn blocks_that_are_off() {
    let off = json!({"mode": "off"});
    check(&[json!({"rate_limit": off}), json!({"fault": off}), json!({"trace_context": off})], "");
}
