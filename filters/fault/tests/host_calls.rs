//! The host calls of typical requests. A change that adds one costs every request: it must be worth it.

use fault::filter::FaultFilter;
use mesh_host::testing::{Proxy, Stream};
use std::time::Duration;

type FaultStream<'a> = Stream<'a, FaultFilter>;

/// About what a browser sends.
const HEADERS: [(&str, &str); 10] = [
    (":method", "GET"),
    (":path", "/search?q=1"),
    (":authority", "shop.example.com"),
    (":scheme", "https"),
    ("user-agent", "Mozilla/5.0"),
    ("accept", "text/html"),
    ("accept-language", "en"),
    ("x-user-id", "alice"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-request-id", "5f1f3c5a"),
];

/// `expected`: the calls of a request and of what `act` does with it, once the worker has seen a request before.
#[track_caller]
fn check_with(
    more: &[(&str, &str)],
    config: &str,
    act: impl Fn(&Proxy<FaultFilter>, &FaultStream<'_>),
    expected: &str,
) {
    let proxy = Proxy::<FaultFilter>::start(&format!("{{{config}}}"));
    proxy.host().set_property(&["response", "code_details"], "via_upstream");
    let headers: Vec<_> = HEADERS.iter().chain(more).copied().collect();
    for is_first in [true, false] {
        proxy.host().reset_counts();
        let stream = proxy.request(&headers);
        act(&proxy, &stream);
        stream.end();
        if !is_first {
            assert_eq!(proxy.host().counts(), expected, "{config}");
        }
    }
}

fn answer(_: &Proxy<FaultFilter>, stream: &FaultStream<'_>) {
    stream.respond(&[(":status", "200"), ("content-length", "1000")]);
    stream.response_body(&[b'x'; 500], false);
    stream.response_body(&[b'x'; 500], true);
}

/// After its delay.
fn answer_later(proxy: &Proxy<FaultFilter>, stream: &FaultStream<'_>) {
    proxy.advance(Duration::from_millis(100));
    answer(proxy, stream);
    proxy.advance(Duration::from_millis(100));
}

#[track_caller]
fn check(config: &str, expected: &str) {
    check_with(&[], config, answer, expected);
}

/// A rule for all requests.
fn rule(fields: &str) -> String {
    format!(r#""rules": [{{"name": "r", {fields}}}]"#)
}

const ABORT: &str = r#""abort": {"percentage": 50, "status": 503}"#;
const NEVER: &str = r#""abort": {"percentage": 0.0001, "status": 503}"#;

#[test]
fn no_rule_at_all() {
    check("", "");
}

#[test]
fn no_rule_by_a_header() {
    check(
        &rule(&format!(r#""match": {{"headers": [{{"name": "x-test", "exact": "1"}}]}}, {ABORT}"#)),
        "request headers: 1 get_header_map_value\n",
    );
}

#[test]
fn no_rule_by_a_path() {
    check(
        &rule(&format!(r#""match": {{"path": {{"prefix": "/orders"}}}}, {ABORT}"#)),
        "request headers: 1 get_header_map_pairs [1 buffer]\n",
    );
}

#[test]
fn a_rule_whose_dice_say_no() {
    check(&rule(NEVER), "request headers: 1 get_header_map_pairs, 1 random_get [1 buffer]\n");
}

#[test]
fn a_rule_whose_cohort_says_no() {
    check(
        &format!(r#"{}, "cohort": {{"by": [{{"header": "x-user-id"}}]}}"#, rule(NEVER)),
        "request headers: 1 get_header_map_pairs [1 buffer]\n",
    );
}

#[test]
fn a_delay() {
    check_with(
        &[],
        &rule(r#""delay": {"percentage": 100, "fixed": "100ms"}"#),
        answer_later,
        "request headers: 2 clock_time_get, 1 get_header_map_pairs, 1 get_shared_data, 2 increment_metric, \
         1 set_property, 1 set_shared_data, 1 set_tick_period_milliseconds [2 buffers]\n\
         response headers: 1 add_header_map_value\n\
         tick: 1 add_header_map_value, 2 clock_time_get, 1 continue_stream, 1 get_property, \
         1 get_shared_data, 1 increment_metric, 1 set_effective_context, 1 set_shared_data, \
         1 set_tick_period_milliseconds [1 buffer]\n",
    );
}

#[test]
fn an_abort() {
    check_with(
        &[],
        &rule(r#""abort": {"percentage": 100, "status": 503}"#),
        |_, _| (),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 increment_metric, \
         1 send_local_response, 1 set_property [1 buffer]\n",
    );
}

#[test]
fn a_changed_response() {
    check(
        &rule(r#""response": {"percentage": 100, "status": 502}"#),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs [1 buffer]\n\
         response headers: 1 add_header_map_value, 1 clock_time_get, 3 get_header_map_value, \
         1 get_property, 1 increment_metric, 1 replace_header_map_value, 1 set_property [3 buffers]\n",
    );
}

#[test]
fn a_response_that_is_cut() {
    check(
        &rule(r#""response": {"percentage": 100, "truncate_body": 600}"#),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs [1 buffer]\n\
         response headers: 1 add_header_map_value, 1 clock_time_get, 3 get_header_map_value, \
         1 get_property, 1 increment_metric, 1 remove_header_map_value, 1 set_property [3 buffers]\n\
         response body: 1 get_buffer_bytes, 1 set_buffer_bytes [1 buffer]\n",
    );
}

#[test]
fn a_response_that_waits() {
    check_with(
        &[],
        &rule(r#""response": {"percentage": 100, "delay": {"fixed": "100ms"}}"#),
        answer_later,
        "request headers: 1 clock_time_get, 1 get_header_map_pairs [1 buffer]\n\
         response headers: 1 add_header_map_value, 2 clock_time_get, 3 get_header_map_value, \
         1 get_property, 1 get_shared_data, 2 increment_metric, 1 set_property, 1 set_shared_data, \
         1 set_tick_period_milliseconds [4 buffers]\n\
         tick: 2 clock_time_get, 1 continue_stream, 1 get_shared_data, 1 increment_metric, \
         1 set_effective_context, 1 set_shared_data, 1 set_tick_period_milliseconds [1 buffer]\n",
    );
}

#[test]
fn a_throttle() {
    check_with(
        &[],
        &rule(r#""throttle": {"percentage": 100, "bytes_per_second": 10000}"#),
        answer_later,
        "request headers: 1 clock_time_get, 1 get_header_map_pairs [1 buffer]\n\
         response headers: 1 add_header_map_value, 2 clock_time_get, 3 get_header_map_value, \
         1 get_property, 1 get_shared_data, 2 increment_metric, 1 set_property, \
         1 set_shared_data [4 buffers]\n\
         response body: 2 clock_time_get, 1 set_tick_period_milliseconds\n\
         tick: 3 clock_time_get, 1 continue_stream, 1 get_shared_data, 1 increment_metric, \
         1 set_effective_context, 1 set_shared_data, 2 set_tick_period_milliseconds [1 buffer]\n",
    );
}

#[test]
fn requests_in_flight() {
    check(
        &rule(&format!(r#""in_flight": {{"at_least": 50}}, {ABORT}"#)),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 get_metric, \
         2 increment_metric [1 buffer]\n\
         delete: 1 clock_time_get, 2 increment_metric\n",
    );
}

#[test]
fn a_trigger_that_nobody_asks() {
    check(r#""trigger": {"secret": "12345678"}"#, "request headers: 1 get_header_map_pairs [1 buffer]\n");
}

#[test]
fn a_trigger() {
    check_with(
        &[("x-fault", "delay=100ms"), ("x-fault-key", "12345678")],
        r#""trigger": {"secret": "12345678"}"#,
        answer_later,
        "request headers: 2 clock_time_get, 1 get_header_map_pairs, 1 get_shared_data, 2 increment_metric, \
         2 remove_header_map_value, 1 set_property, 1 set_shared_data, \
         1 set_tick_period_milliseconds [2 buffers]\n\
         response headers: 1 add_header_map_value\n\
         tick: 1 add_header_map_value, 2 clock_time_get, 1 continue_stream, 1 get_property, \
         1 get_shared_data, 1 increment_metric, 1 set_effective_context, 1 set_shared_data, \
         1 set_tick_period_milliseconds [1 buffer]\n",
    );
}

#[test]
fn a_budget_and_a_time() {
    check(
        &format!(r#"{}, "budget": {{"percentage": 10}}, "expires_at": "2100-01-01T00:00:00Z""#, rule(NEVER)),
        "request headers: 1 clock_time_get, 1 get_header_map_pairs, 1 random_get [1 buffer]\n",
    );
}

#[test]
fn shadow() {
    check(
        &format!(r#""mode": "shadow", {}"#, rule(r#""abort": {"percentage": 100, "status": 503}"#)),
        "request headers: 1 get_header_map_pairs, 1 increment_metric, 1 set_property [1 buffer]\n",
    );
}

#[test]
fn off() {
    check(&format!(r#""mode": "off", {}"#, rule(ABORT)), "");
}

/// What a worker does while it holds something, every two seconds, and once more when it has nothing left.
#[test]
fn places_that_are_kept() {
    let proxy = Proxy::<FaultFilter>::start(&format!(
        "{{{}}}",
        rule(r#""delay": {"percentage": 100, "fixed": "1m"}"#)
    ));
    let stream = proxy.request(&HEADERS);
    let calls_of = |time: Duration| {
        proxy.host().reset_counts();
        proxy.advance(time);
        proxy.host().counts()
    };
    const TWO: Duration = Duration::from_secs(2);
    assert_eq!(
        calls_of(TWO),
        "tick: 2 clock_time_get, 1 get_shared_data, 1 set_shared_data, \
         1 set_tick_period_milliseconds [1 buffer]\n"
    );
    stream.end();
    assert_eq!(
        calls_of(TWO),
        "tick: 2 clock_time_get, 1 get_shared_data, 1 set_shared_data, \
         1 set_tick_period_milliseconds [1 buffer]\n"
    );
    assert_eq!(
        calls_of(TWO * 3),
        "tick: 2 clock_time_get, 1 get_shared_data, 1 set_tick_period_milliseconds [1 buffer]\n"
    );
    // Nothing happens afterwards.
    assert_eq!((calls_of(TWO * 100), proxy.host().timer()), (String::new(), None));
}
