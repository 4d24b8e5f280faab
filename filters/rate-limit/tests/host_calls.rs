//! The host calls of typical requests. A change that adds one costs every request: it must be worth it.

use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};
use rate_limit::policy::Policy;

/// About what a browser sends.
const HEADERS: [(&str, &str); 9] = [
    (":method", "GET"),
    (":path", "/api/items?page=2"),
    (":authority", "api.example.com"),
    (":scheme", "https"),
    ("user-agent", "Mozilla/5.0"),
    ("accept", "application/json"),
    ("x-api-key", "0123456789abcdef"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-request-id", "5f1f3c5a"),
];

/// `expected`: the calls of a request that is admitted, and of its response.
#[track_caller]
fn check(config: &str, expected: &str) {
    let proxy = Proxy::<PolicyFilter<Policy>>::start(config);
    // The first request creates records.
    proxy.request(&HEADERS).end();
    proxy.host().reset_counts();
    let stream = proxy.request(&HEADERS);
    assert_eq!(stream.fate(), Fate::Continued);
    stream.respond(&[(":status", "200")]);
    stream.end();
    assert_eq!(proxy.host().counts(), expected);
}

#[test]
fn one_global_limit() {
    check(
        r#"{"limits": [{"name": "l", "rate": {"requests": 1000, "per": "1s"}}], "response_headers": []}"#,
        "request headers: 1 clock_time_get, 1 get_header_map_value, 1 get_shared_data, 1 increment_metric, \
         1 set_shared_data [1 buffer]\n",
    );
}

#[test]
fn per_client_with_defaults() {
    check(
        r#"{"limits": [{"name": "l", "key": ["client_ip"], "rate": {"requests": 1000, "per": "1s"}}]}"#,
        "request headers: 1 clock_time_get, 1 get_header_map_value, 1 get_property, 1 get_shared_data, \
         1 increment_metric, 1 set_shared_data [2 buffers]\n\
         response headers: 2 add_header_map_value, 2 remove_header_map_value\n",
    );
}

#[test]
fn per_client_behind_a_proxy() {
    check(
        r#"{"client_ip": {"trusted_hops": 1},
            "limits": [{"name": "l", "key": ["client_ip"], "rate": {"requests": 1000, "per": "1s"}}]}"#,
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_shared_data, 1 increment_metric, \
         1 set_shared_data [2 buffers]\n\
         response headers: 2 add_header_map_value, 2 remove_header_map_value\n",
    );
}

#[test]
fn per_api_key_on_a_path() {
    check(
        r#"{"limits": [{"name": "l", "match": {"path": {"prefix": "/api/"}}, "key": [{"header": "x-api-key"}],
            "rate": {"requests": 1000, "per": "1s"}}], "response_headers": []}"#,
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_shared_data, 1 increment_metric, \
         1 set_shared_data [2 buffers]\n",
    );
}

#[test]
fn off() {
    check(r#"{"mode": "off", "limits": [{"name": "l", "rate": {"requests": 1000, "per": "1s"}}]}"#, "");
}

/// The peer's address is read only if the header does not hold the client's.
#[test]
fn per_client_where_a_proxy_is_missing() {
    check(
        r#"{"client_ip": {"trusted_hops": 2},
            "limits": [{"name": "l", "key": ["client_ip"], "rate": {"requests": 1000, "per": "1s"}}],
            "response_headers": []}"#,
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_property, 1 get_shared_data, \
         2 increment_metric, 1 set_shared_data [3 buffers]\n",
    );
}
