//! The host calls of typical requests. A change that adds one costs every request: it must be worth it.

use canary::policy::Policy;
use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};

/// About what a browser sends.
const HEADERS: [(&str, &str); 10] = [
    (":method", "GET"),
    (":path", "/checkout/cart?page=2"),
    (":authority", "shop.example.com"),
    (":scheme", "https"),
    ("user-agent", "Mozilla/5.0"),
    ("accept", "text/html"),
    ("canary", "true"),
    ("x-user-id", "alice"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-request-id", "5f1f3c5a"),
];

const RULE: &str = r#""rules": [{"name": "r", "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2"}]"#;
const SPLIT: &str = r#""split": {"name": "s", "sticky": [{"header": "x-user-id"}],
    "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]}"#;
const NEW_USERS: &str = r#""split": {"name": "s", "sticky": [{"cookie": "uid"}], "assign_cookie": {"name": "uid"},
    "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]}"#;
const GUARD: &str = r#""guard": {"variant": "v2", "max_error_percentage": 5}"#;
const ROLLOUT: &str =
    r#""rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 10}]}"#;

/// `expected`: the calls of a request and of its response, once the worker has seen a request before. `own`: headers that
/// only the filter may set.
#[track_caller]
fn check_with(own: &[(&str, &str)], config: &str, expected: &str) {
    let proxy = Proxy::<PolicyFilter<Policy>>::start(&format!("{{{config}}}"));
    proxy.host().add_foreign("clear_route_cache", |_| Ok(Vec::new()));
    let headers: Vec<_> = HEADERS.iter().chain(own).copied().collect();
    for is_first in [true, false] {
        proxy.host().reset_counts();
        let stream = proxy.request(&headers);
        assert_eq!(stream.fate(), Fate::Continued);
        stream.respond(&[(":status", "200")]);
        stream.end();
        if !is_first {
            assert_eq!(proxy.host().counts(), expected, "{config}");
        }
    }
}

#[track_caller]
fn check(config: &str, expected: &str) {
    check_with(&[], config, expected);
}

#[test]
fn nothing_to_decide() {
    check("", "request headers: 1 get_header_map_pairs, 1 increment_metric [1 buffer]\n");
}

#[test]
fn a_rule_by_header() {
    check(
        RULE,
        "request headers: 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_client_s_own_header() {
    check_with(
        &[("x-mesh-variant", "v2")],
        RULE,
        "request headers: 1 get_header_map_pairs, 2 increment_metric, 1 remove_header_map_value, \
         1 replace_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_sticky_split() {
    check(
        SPLIT,
        "request headers: 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 get_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_new_user() {
    check(
        NEW_USERS,
        "request headers: 1 get_header_map_pairs, 2 increment_metric, 2 random_get, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 add_header_map_value, 1 get_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_rollout() {
    check(
        &format!("{SPLIT}, {ROLLOUT}"),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 get_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_guard() {
    check(
        &format!("{SPLIT}, {GUARD}"),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 clock_time_get, 1 get_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_guard_and_a_rollout() {
    check(
        &format!("{SPLIT}, {ROLLOUT}, {GUARD}"),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 clock_time_get, 1 get_header_map_value [1 buffer]\n",
    );
}

#[test]
fn filter_state() {
    check(
        &format!(r#""output": {{"filter_state": "variant"}}, {RULE}"#),
        "request headers: 1 call_foreign_function, 1 get_header_map_pairs, 1 increment_metric, \
         1 set_property [1 buffer]\n",
    );
}

/// The edit of the header makes the proxy select the route again, so that no call asks for it.
#[test]
fn filter_state_and_a_header() {
    check(
        &format!(r#""output": {{"header": "x-mesh-variant", "filter_state": "variant"}}, {RULE}"#),
        "request headers: 1 get_header_map_pairs, 1 increment_metric, 1 replace_header_map_value, \
         1 set_property [1 buffer]\n",
    );
}

#[test]
fn a_response_header() {
    check(
        &format!(r#""output": {{"header": "x-mesh-variant", "response_header": "x-served"}}, {RULE}"#),
        "request headers: 1 get_header_map_pairs, 1 increment_metric, \
         1 replace_header_map_value [1 buffer]\n\
         response headers: 1 add_header_map_value, 1 remove_header_map_value\n",
    );
}

#[test]
fn a_decision_in_the_access_log() {
    check(
        &format!(r#""decision_log": "all", {RULE}"#),
        "request headers: 1 get_header_map_pairs, 1 increment_metric, 1 replace_header_map_value, \
         1 set_property [1 buffer]\n",
    );
}

#[test]
fn shadow() {
    check(
        &format!(r#""mode": "shadow", {SPLIT}"#),
        "request headers: 1 get_header_map_pairs, 1 increment_metric [1 buffer]\n",
    );
}

#[test]
fn off() {
    check(&format!(r#""mode": "off", {SPLIT}"#), "request headers: 1 get_header_map_pairs [1 buffer]\n");
}
