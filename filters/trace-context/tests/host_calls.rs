//! The host calls of typical requests. A change that adds one costs every request: it must be worth it.

use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};
use trace_context::policy::Policy;

/// About what a browser sends.
const HEADERS: [(&str, &str); 10] = [
    (":method", "GET"),
    (":path", "/checkout/cart?page=2"),
    (":authority", "shop.example.com"),
    (":scheme", "https"),
    ("user-agent", "Mozilla/5.0"),
    ("accept", "text/html"),
    ("accept-language", "en"),
    ("x-tenant", "acme"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-request-id", "5f1f3c5a"),
];

const W3C: [(&str, &str); 1] = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
const B3_MULTI: [(&str, &str); 3] = [
    ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("x-b3-spanid", "00f067aa0ba902b7"),
    ("x-b3-sampled", "1"),
];

const CORRELATE: &str = r#""correlate": {}"#;
/// What the proxy says of a listener, see `envoy.config.core.v3.TrafficDirection`.
const INBOUND: u8 = 1;
const OUTBOUND: u8 = 2;

fn set_direction(proxy: &Proxy<PolicyFilter<Policy>>, direction: u8) {
    let number = format!("{}\0\0\0\0\0\0\0", char::from(direction));
    proxy.host().set_property(&["xds", "listener_direction"], &number);
}

/// A listener of this direction.
fn start(direction: u8, config: &str) -> Proxy<PolicyFilter<Policy>> {
    let proxy = Proxy::start(&format!("{{{config}}}"));
    set_direction(&proxy, direction);
    proxy
}

/// The calls of a request with these headers and of its response.
#[track_caller]
fn counted(proxy: &Proxy<PolicyFilter<Policy>>, trace: &[(&str, &str)]) -> String {
    let headers: Vec<_> = HEADERS.iter().chain(trace).copied().collect();
    proxy.host().reset_counts();
    let stream = proxy.request(&headers);
    assert_eq!(stream.fate(), Fate::Continued);
    stream.respond(&[(":status", "200")]);
    stream.end();
    proxy.host().counts()
}

/// `expected`: the calls, once the worker has seen a request before.
#[track_caller]
fn check_in(direction: u8, trace: &[(&str, &str)], config: &str, expected: &str) {
    let proxy = start(direction, config);
    counted(&proxy, trace);
    assert_eq!(counted(&proxy, trace), expected, "{config}");
}

#[track_caller]
fn check(trace: &[(&str, &str)], config: &str, expected: &str) {
    check_in(0, trace, config, expected);
}

#[test]
fn no_trace() {
    check(&[], "", "request headers: 1 get_header_map_pairs [1 buffer]\n");
}

#[test]
fn a_traceparent_that_passes() {
    let expected = "request headers: 1 get_header_map_pairs, 1 increment_metric [1 buffer]\n";
    check(&W3C, "", expected);
    let generate = r#""generate": {"when_missing": true,
        "sampling_rules": [{"match": {"path": {"prefix": "/pay"}}, "sampling_percentage": 100}]}"#;
    check(&W3C, generate, expected);
}

#[test]
fn a_conversion() {
    check(
        &B3_MULTI,
        "",
        "request headers: 1 get_header_map_pairs, 2 increment_metric, 1 replace_header_map_value [1 buffer]\n",
    );
}

#[test]
fn a_new_trace() {
    check(
        &[],
        r#""generate": {"when_missing": true}"#,
        "request headers: 1 get_header_map_pairs, 1 increment_metric, 3 random_get, \
         1 replace_header_map_value [1 buffer]\n",
    );
}

#[test]
fn the_trace_id_for_clients_and_logs() {
    check(
        &W3C,
        r#""response": {"header": "x-trace-id"}"#,
        "request headers: 1 get_header_map_pairs, 1 increment_metric [1 buffer]\n\
         response headers: 1 add_header_map_value, 1 remove_header_map_value\n",
    );
    check(
        &W3C,
        r#""log_trace_id": true"#,
        "request headers: 1 get_header_map_pairs, 1 increment_metric, 1 set_property [1 buffer]\n",
    );
}

/// Whatever a client has put there.
#[test]
fn baggage() {
    let config = r#""baggage": {"allow": ["b"], "set": [{"key": "tenant", "from": {"header": "x-tenant"}}]}"#;
    let expected = "request headers: 1 get_header_map_pairs, 1 increment_metric, 1 replace_header_map_value [1 buffer]\n";
    for number in [1, 500] {
        check(&[("baggage", &("a=1,".repeat(number) + "b=2"))], config, expected);
    }
    // Each reason is counted once.
    let expected = "request headers: 1 get_header_map_pairs, 2 increment_metric, 1 replace_header_map_value [1 buffer]\n";
    check(&[("baggage", &("b=2".to_owned() + &",a=1".repeat(10_000)))], config, expected);
}

#[test]
fn restart_and_strip() {
    let restarted = "request headers: 1 get_header_map_pairs, 1 increment_metric, 3 random_get, \
                     1 replace_header_map_value [1 buffer]\n";
    check(&W3C, r#""boundary": "restart""#, restarted);
    let stripped = "request headers: 1 get_header_map_pairs, 3 remove_header_map_value [1 buffer]\n";
    check(&B3_MULTI, r#""boundary": "strip""#, stripped);
}

#[test]
fn the_inbound_side() {
    let stored = "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_property, 1 get_shared_data, \
                  1 increment_metric, 1 set_shared_data [3 buffers]\n";
    check_in(INBOUND, &W3C, CORRELATE, stored);
    let nothing = "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_property, \
                   1 get_shared_data [2 buffers]\n";
    check_in(INBOUND, &[], CORRELATE, nothing);
}

#[test]
fn the_outbound_side() {
    let missed = "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_property, 1 get_shared_data, \
                  1 increment_metric [2 buffers]\n";
    check_in(OUTBOUND, &[], CORRELATE, missed);
    let hit = "request headers: 1 add_header_map_value, 1 clock_time_get, 1 get_header_map_pairs, 1 get_property, \
               1 get_shared_data, 2 increment_metric [3 buffers]\n";
    let proxy = start(INBOUND, CORRELATE);
    counted(&proxy, &W3C);
    set_direction(&proxy, OUTBOUND);
    assert_eq!(counted(&proxy, &[]), hit);
}

#[test]
fn neither_side() {
    let nothing = "request headers: 1 get_header_map_pairs, 1 get_property, 2 increment_metric [2 buffers]\n";
    check_in(0, &W3C, CORRELATE, nothing);
}
