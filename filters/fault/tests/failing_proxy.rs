//! A proxy whose calls fail: nothing happens then, it is counted, and the request goes on.

use fault::filter::FaultFilter;
use mesh_host::testing::{Fate, Proxy};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MODES: [&str; 3] = ["enforce", "shadow", "off"];

/// Every host function that the filter may call on a stream, but `increment_metric`: a gauge that misses a change is wrong.
const FUNCTIONS: [&str; 19] = [
    "add_header_map_value",
    "clock_time_get",
    "continue_stream",
    "get_buffer_bytes",
    "get_header_map_pairs",
    "get_header_map_value",
    "get_log_level",
    "get_metric",
    "get_property",
    "get_shared_data",
    "log",
    "random_get",
    "remove_header_map_value",
    "replace_header_map_value",
    "set_buffer_bytes",
    "set_effective_context",
    "set_property",
    "set_shared_data",
    "set_tick_period_milliseconds",
];

/// Without these, what waits cannot go on. A client that leaves ends it.
const RELEASE: [&str; 4] =
    ["clock_time_get", "continue_stream", "set_effective_context", "set_tick_period_milliseconds"];

const ACTIVE: &str = "mesh_filters.fault.active";
const IN_FLIGHT: &str = "mesh_filters.fault.plugin=.=test;.;in_flight";

fn start(config: &str) -> Proxy<FaultFilter> {
    let proxy = Proxy::start(config);
    proxy.host().set_property(&["response", "code_details"], "via_upstream");
    proxy
}

fn failed(proxy: &Proxy<FaultFilter>) -> i64 {
    proxy.host().metric("mesh_filters.fault.failed")
}

/// All that a request and its response can get.
fn everything(mode: &str, faults: &str) -> String {
    format!(
        r#"{{"mode": "{mode}", "decision_log": "all", "expires_at": "2100-01-01T00:00:00Z", "trigger": {{"secret": "12345678"}},
            "exclude": {{"path": {{"exact": "/health"}}}}, "client_ip": {{"trusted_hops": 1}},
            "cohort": {{"by": [{{"header": "absent"}}]}}, "rules": [
            {{"name": "shadow", "mode": "shadow", "match": {{"client_ip": ["198.51.100.0/24"]}}, {faults}}},
            {{"name": "all", "in_flight": {{"below": 1000}}, {faults}}}]}}"#
    )
}

const FAULTS: [&str; 2] = [
    r#""delay": {"percentage": 99.9999, "fixed": "100ms"},
        "response": {"percentage": 99.9999, "status": 502, "delay": {"fixed": "100ms"}, "remove_headers": ["etag"], "truncate_body": 7},
        "throttle": {"percentage": 99.9999, "bytes_per_second": 50}"#,
    r#""delay": {"percentage": 99.9999, "fixed": "100ms"}, "abort": {"percentage": 99.9999, "status": 503}"#,
];

/// A request with all of its parts. `fails(step)` is called before each of 8 steps.
fn pass(proxy: &Proxy<FaultFilter>, fails: impl Fn(usize)) {
    fails(0);
    let stream = proxy.open(&[(":path", "/"), (":method", "POST"), ("x-forwarded-for", "198.51.100.7")]);
    fails(1);
    stream.body(b"0123456789", false);
    stream.trailers(&[("x-end", "1")]);
    fails(2);
    proxy.advance(SECOND);
    fails(3);
    if stream.reply().is_none() {
        stream.respond(&[(":status", "200"), ("content-length", "20"), ("etag", "1")]);
        fails(4);
        proxy.advance(SECOND);
        stream.response_body(b"0123456789", false);
        fails(5);
        stream.response_body(b"0123456789", false);
        stream.response_trailers(&[("x-end", "1")]);
        fails(6);
        proxy.advance(SECOND);
    }
    fails(7);
    stream.end();
}

/// Whatever fails, from any moment on, for the rest of the stream or for one step: nothing panics, and once the proxy works
/// again, nothing is held and nothing is in flight.
#[test]
fn whatever_fails_places_return() {
    for function in FUNCTIONS {
        for mode in MODES {
            for faults in FAULTS {
                for from in 0..8 {
                    for steps in [1, 8] {
                        let proxy = start(&everything(mode, faults));
                        pass(&proxy, |step| {
                            if step == from {
                                proxy.host().fail(function);
                            } else if step >= from + steps {
                                proxy.host().repair(function);
                            }
                        });
                        proxy.host().repair(function);
                        proxy.advance(SECOND * 10);
                        let left = [ACTIVE, IN_FLIGHT].map(|gauge| proxy.host().metric(gauge));
                        assert_eq!(left, [0, 0], "{function} {mode} from {from} for {steps}\n{faults}");
                        // The timer runs only while something waits.
                        assert_eq!(proxy.host().timer(), None, "{function} {mode} from {from} for {steps}");
                    }
                }
            }
        }
    }
}

/// A request goes on, unless the proxy lacks what lets it go on.
#[test]
fn whatever_fails_a_request_goes_on() {
    for function in FUNCTIONS {
        for mode in MODES {
            let proxy = start(&everything(mode, FAULTS[0]));
            proxy.host().fail(function);
            let stream =
                proxy.open(&[(":path", "/"), (":method", "POST"), ("x-forwarded-for", "198.51.100.7")]);
            proxy.advance(SECOND);
            let may_wait = mode == "enforce" && RELEASE.contains(&function);
            assert!(stream.fate() == Fate::Continued || may_wait, "{function} {mode}");
            if stream.fate() == Fate::Continued {
                assert!(stream.trailers(&[("x-fault-key", "1")]), "{function} {mode}");
                stream.respond(&[(":status", "200"), ("content-length", "10")]);
                stream.response_body(b"0123456789", true);
                proxy.advance(SECOND);
                assert!(!stream.response_waits() || may_wait, "{function} {mode}");
            }
            stream.end();
        }
    }
}

/// What becomes of a request: `delay`, `abort`, or `-` if it goes on at once; the label in the access log; how many failures
/// are counted.
#[track_caller]
fn check(function: &'static str, config: &str, expected: (&str, &str, i64)) {
    let proxy = start(&format!("{{{config}}}"));
    proxy.host().fail(function);
    let stream = proxy.request(&[(":path", "/"), (":method", "GET"), ("x-user-id", "alice")]);
    let fate = match stream.fate() {
        Fate::Continued => "-",
        Fate::Waiting => "delay",
        Fate::Replied => "abort",
        Fate::Closed => "closed",
    };
    let label = stream.filter_state("fault_decision").unwrap_or_else(|| "-".to_owned());
    assert_eq!((fate, label.as_str(), failed(&proxy)), expected, "{function} {config}");
    stream.end();
    proxy.advance(SECOND);
    assert_eq!(proxy.host().metric(ACTIVE), 0, "{function} {config}");
}

const DELAY: &str = r#""rules": [{"name": "r", "delay": {"percentage": 100, "fixed": "1s"}}]"#;
const ABORT: &str = r#""rules": [{"name": "r", "abort": {"percentage": 100, "status": 503}}]"#;
const HALF: &str = r#""rules": [{"name": "r", "abort": {"percentage": 99.9999, "status": 503}}]"#;

#[test]
fn without_what_a_decision_needs_nothing_happens() {
    check("get_header_map_pairs", DELAY, ("-", "error", 1));
    check("random_get", HALF, ("-", "error", 1));
    check("random_get", ABORT, ("abort", "abort{r}", 0));
    let cohort = format!(r#"{HALF}, "cohort": {{"by": [{{"header": "x-user-id"}}]}}"#);
    check("random_get", &cohort, ("abort", "abort{r}", 0));
    let random = r#""rules": [{"name": "r", "delay": {"percentage": 100, "distribution": {"exponential": {"mean": "1s"}}}}]"#;
    check("random_get", random, ("-", "error", 1));
    check("clock_time_get", DELAY, ("-", "error", 1));
    check("clock_time_get", &format!(r#"{ABORT}, "budget": {{"percentage": 50}}"#), ("-", "error", 1));
    check("clock_time_get", &format!(r#"{ABORT}, "expires_at": "2100-01-01T00:00:00Z""#), ("-", "-", 0));
    let by_network = r#""rules": [{"name": "r", "match": {"client_ip": ["192.0.2.0/24"]}, "abort": {"percentage": 100, "status": 503}}]"#;
    check("get_property", by_network, ("-", "error", 1));
    check("get_shared_data", DELAY, ("-", "error", 1));
    check("set_shared_data", DELAY, ("-", "error", 1));
    let in_flight =
        r#""rules": [{"name": "r", "in_flight": {"below": 9}, "abort": {"percentage": 100, "status": 503}}]"#;
    check("get_shared_data", in_flight, ("-", "-", 1));
    check("get_metric", in_flight, ("-", "-", 1));
    check("clock_time_get", in_flight, ("-", "-", 1));
}

#[test]
fn what_nobody_decides_by_changes_nothing() {
    for function in ["get_metric", "log", "get_log_level", "get_header_map_value"] {
        check(function, DELAY, ("delay", "delay{r}", 0));
    }
    check("set_property", DELAY, ("delay", "-", 0));
    check("increment_metric", ABORT, ("abort", "abort{r}", 0));
    check("get_shared_data", ABORT, ("abort", "abort{r}", 0));
}

/// The request lacks the headers of the rules, so far as the proxy can tell: it looks at all of them.
#[test]
fn a_header_that_cannot_be_asked_for_is_no_reason_to_pass() {
    let by_header = r#""rules": [{"name": "r", "match": {"headers": [{"name": "x-user-id", "exact": "alice"}]},
        "abort": {"percentage": 100, "status": 503}}]"#;
    check("get_header_map_value", by_header, ("abort", "abort{r}", 0));
}

/// The marker cannot be added after the delay.
#[test]
fn a_request_that_cannot_be_marked_goes_on() {
    let proxy = start(&format!("{{{DELAY}}}"));
    let stream = proxy.request(&[(":path", "/")]);
    proxy.host().fail("add_header_map_value");
    proxy.advance(SECOND);
    assert_eq!((stream.fate(), failed(&proxy)), (Fate::Continued, 1));
    proxy.host().repair("add_header_map_value");
    stream.respond(&[(":status", "200")]);
    assert!(!stream.response_waits());
    stream.end();
    assert_eq!(proxy.host().metric(ACTIVE), 0);
}

/// What the client gets of a response of 10 bytes once time has passed: status, body; and how many failures are counted.
#[track_caller]
fn check_response(function: &'static str, fields: &str, expected: (&str, &str, i64)) {
    let proxy = start(&format!(r#"{{"rules": [{{"name": "r", {fields}}}]}}"#));
    let stream = proxy.request(&[(":path", "/")]);
    proxy.host().fail(function);
    stream.respond(&[(":status", "200"), ("content-length", "10")]);
    stream.response_body(b"0123456789", true);
    proxy.host().repair(function);
    proxy.advance(SECOND * 2);
    let headers = stream.response_headers();
    let status = headers.iter().find(|(name, _)| name == ":status").unwrap().1.clone();
    assert_eq!(
        (status.as_str(), stream.sent_body(true).as_str(), failed(&proxy)),
        expected,
        "{function} {fields}"
    );
    assert!(!stream.response_waits() && stream.is_complete(true), "{function} {fields}");
    assert_eq!(proxy.host().metric(ACTIVE), 0, "{function} {fields}");
    stream.end();
}

#[test]
fn a_response_that_cannot_be_read_or_held_goes_on() {
    const WHOLE: &str = "0123456789";
    let all =
        r#""response": {"percentage": 100, "status": 502, "delay": {"fixed": "1s"}, "truncate_body": 3}"#;
    for function in
        ["get_property", "get_header_map_value", "clock_time_get", "get_shared_data", "set_shared_data"]
    {
        check_response(function, all, ("200", WHOLE, 1));
    }
    let throttle = r#""throttle": {"percentage": 100, "bytes_per_second": 10}"#;
    for function in
        ["get_property", "get_header_map_value", "clock_time_get", "get_shared_data", "set_shared_data"]
    {
        check_response(function, throttle, ("200", WHOLE, 1));
    }
    // Headers that cannot be changed are told of in the log.
    check_response(
        "replace_header_map_value",
        r#""response": {"percentage": 100, "status": 502}"#,
        ("200", WHOLE, 0),
    );
    check_response(
        "get_buffer_bytes",
        r#""response": {"percentage": 100, "truncate_body": 3}"#,
        ("200", WHOLE, 1),
    );
    check_response(
        "set_buffer_bytes",
        r#""response": {"percentage": 100, "truncate_body": 3}"#,
        ("200", WHOLE, 1),
    );
}

/// Nothing of the config needs more than random numbers, once.
#[test]
fn a_config_starts_in_a_proxy_that_fails() {
    for function in [
        "define_metric",
        "get_shared_data",
        "set_shared_data",
        "clock_time_get",
        "get_property",
        "set_tick_period_milliseconds",
    ] {
        let proxy = Proxy::<FaultFilter>::new();
        proxy.host().fail(function);
        proxy.configure(&format!("{{{ABORT}}}")).unwrap_or_else(|log| panic!("{function} {log:?}"));
        proxy.host().repair(function);
        let stream = proxy.request(&[(":path", "/")]);
        assert_eq!(stream.reply().unwrap().details, "fault_injected{r}", "{function}");
        stream.end();
    }
    let proxy = Proxy::<FaultFilter>::new();
    proxy.host().fail("random_get");
    let log = proxy.configure("{}").unwrap_err();
    assert!(log.last().unwrap().contains("the proxy gives no random numbers"), "{log:?}");
    proxy.host().repair("random_get");
    proxy.configure("{}").unwrap();
}
