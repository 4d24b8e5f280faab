//! Requests, responses and bodies that are held. The clock stands still unless a test moves it.

use fault::filter::FaultFilter;
use mesh_host::testing::{Fate, Proxy, Stream};
use std::time::Duration;

type FaultStream<'a> = Stream<'a, FaultFilter>;

const NANO: Duration = Duration::from_nanos(1);
const MS: Duration = Duration::from_millis(1);
const ACTIVE: &str = "mesh_filters.fault.active";

/// A config with one rule for all requests.
fn rule(fields: &str) -> Proxy<FaultFilter> {
    start(&format!(r#"{{"rules": [{{"name": "r", {fields}}}]}}"#))
}

fn start(config: &str) -> Proxy<FaultFilter> {
    let proxy = Proxy::start(config);
    proxy.host().set_property(&["response", "code_details"], "via_upstream");
    proxy
}

fn request(proxy: &Proxy<FaultFilter>) -> FaultStream<'_> {
    proxy.request(&[(":method", "GET"), (":path", "/")])
}

fn respond(stream: &FaultStream<'_>) {
    stream.respond(&[(":status", "200"), ("content-length", "10"), ("etag", "1")]);
}

fn header(headers: &[(String, String)], name: &str) -> String {
    let values: Vec<_> =
        headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect();
    values.join(", ")
}

fn label(stream: &FaultStream<'_>) -> String {
    stream.filter_state("fault_decision").unwrap_or_default()
}

fn faults(proxy: &Proxy<FaultFilter>, kind: &str) -> i64 {
    proxy.host().metric(&format!("mesh_filters.fault.rule=.=r;.;kind=.={kind};.;faults"))
}

/// Waits until something happens, which is neither before `time` has passed nor later than a millisecond afterwards.
#[track_caller]
fn check_waits(proxy: &Proxy<FaultFilter>, time: Duration, has_happened: impl Fn() -> bool) {
    assert!(!has_happened(), "at once");
    proxy.advance(time - NANO);
    assert!(!has_happened(), "early");
    proxy.advance(MS);
    assert!(has_happened(), "late");
}

#[test]
fn a_delay_is_never_early() {
    for (fixed, time) in [
        ("1ms", MS),
        ("1500us", Duration::from_micros(1500)),
        ("1ms1ns", MS + NANO),
        ("100ms", MS * 100),
        ("5m", Duration::from_secs(300)),
    ] {
        let proxy = rule(&format!(r#""delay": {{"percentage": 100, "fixed": "{fixed}"}}"#));
        // The timer is already running, for another request.
        let first = request(&proxy);
        proxy.advance(Duration::from_nanos(999_983));
        let second = request(&proxy);
        check_waits(&proxy, time, || second.fate() == Fate::Continued);
        assert_eq!(first.fate(), Fate::Continued);
        first.end();
        second.end();
    }
}

#[test]
fn a_delayed_request_goes_on_whole_and_marked() {
    let proxy = rule(r#""delay": {"percentage": 100, "fixed": "1s"}"#);
    let stream = proxy.open(&[(":method", "POST"), (":path", "/")]);
    assert_eq!((stream.fate(), label(&stream).as_str()), (Fate::Waiting, "delay{r}"));
    assert!(!stream.body(b"01234", false) && !stream.body(b"56789", false));
    assert!(!stream.trailers(&[("x-end", "1")]));
    assert_eq!((stream.sent_body(false).as_str(), faults(&proxy, "delay")), ("", 1));
    proxy.advance(Duration::from_secs(1));
    assert_eq!((stream.fate(), stream.sent_body(false).as_str()), (Fate::Continued, "0123456789"));
    assert!(stream.is_complete(false));
    assert_eq!(header(&stream.request_headers(), "x-mesh-fault"), "r");
    respond(&stream);
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    assert_eq!(label(&stream), "delay{r}");
    stream.end();
}

/// What changes in a request's headers stays for later attempts.
#[test]
fn in_a_cluster_s_chain_a_request_is_not_marked() {
    let proxy = rule(r#""delay": {"percentage": 100, "fixed": "1s"}"#);
    proxy.host().set_property(&["upstream", "address"], "10.0.0.1:80");
    let stream = request(&proxy);
    proxy.advance(Duration::from_secs(1));
    assert_eq!(stream.fate(), Fate::Continued);
    assert_eq!(header(&stream.request_headers(), "x-mesh-fault"), "");
    respond(&stream);
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    stream.end();
}

#[test]
fn an_abort_comes_behind_the_delay() {
    let proxy =
        rule(r#""delay": {"percentage": 100, "fixed": "1s"}, "abort": {"percentage": 100, "status": 418}"#);
    let stream = request(&proxy);
    check_waits(&proxy, Duration::from_secs(1), || stream.reply().is_some());
    let reply = stream.reply().unwrap();
    assert_eq!((reply.status, reply.details.as_str()), (418, "fault_injected{r}"));
    assert_eq!(label(&stream), "delay{r}+abort{r}");
    assert_eq!([faults(&proxy, "delay"), faults(&proxy, "abort")], [1, 1]);
    // The reply passes the filter, and is not faulted again.
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    assert!(!stream.response_waits() && stream.is_complete(true));
    assert_eq!(proxy.host().metric(ACTIVE), 0);
    stream.end();
}

#[test]
fn a_response_waits_whole() {
    let proxy = rule(
        r#""response": {"percentage": 100, "delay": {"fixed": "1s"}, "status": 502, "remove_headers": ["etag"]}"#,
    );
    let stream = request(&proxy);
    assert_eq!(stream.fate(), Fate::Continued);
    proxy.advance(MS * 300);
    respond(&stream);
    assert!(!stream.response_body(b"0123456789", false) && !stream.response_trailers(&[("x-end", "1")]));
    check_waits(&proxy, Duration::from_secs(1), || !stream.response_waits());
    assert_eq!((stream.sent_body(true).as_str(), stream.is_complete(true)), ("0123456789", true));
    let headers = stream.response_headers();
    let found = [":status", "etag", "content-length", "x-mesh-fault"].map(|name| header(&headers, name));
    assert_eq!(found, ["502", "", "10", "r"]);
    assert_eq!((label(&stream).as_str(), faults(&proxy, "response")), ("response{r}", 1));
    stream.end();
}

/// An upstream that takes `upstream` and a delay of 500 ms that counts from the request: how long the response waits.
#[track_caller]
fn check_from_request(upstream: Duration, waits: Duration) {
    let proxy =
        rule(r#""response": {"percentage": 100, "delay": {"fixed": "500ms", "counted_from": "request"}}"#);
    let stream = request(&proxy);
    proxy.advance(upstream);
    respond(&stream);
    if waits == Duration::ZERO {
        assert!(!stream.response_waits());
    } else {
        check_waits(&proxy, waits, || !stream.response_waits());
    }
    let expected = if waits == Duration::ZERO { "" } else { "r" };
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), expected);
    assert_eq!(faults(&proxy, "response"), i64::from(waits > Duration::ZERO));
    assert_eq!(proxy.host().metric(ACTIVE), 0);
    stream.end();
}

#[test]
fn time_that_counts_from_the_request_includes_the_upstream_s() {
    check_from_request(MS * 300, MS * 200);
    check_from_request(MS * 500 - NANO, NANO);
    check_from_request(MS * 500, Duration::ZERO);
    check_from_request(MS * 700, Duration::ZERO);
}

/// The request's own delay is a part of that time.
#[test]
fn a_delay_of_the_request_counts_from_its_arrival() {
    let proxy = rule(
        r#""delay": {"percentage": 100, "fixed": "200ms"},
            "response": {"percentage": 100, "delay": {"fixed": "500ms", "counted_from": "request"}}"#,
    );
    let stream = request(&proxy);
    proxy.advance(MS * 200);
    respond(&stream);
    check_waits(&proxy, MS * 300, || !stream.response_waits());
    assert_eq!(label(&stream), "delay{r}+response{r}");
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    stream.end();
}

#[test]
fn each_part_of_a_throttled_body_waits() {
    let proxy = rule(r#""throttle": {"percentage": 100, "bytes_per_second": 10}"#);
    let stream = request(&proxy);
    respond(&stream);
    assert!(!stream.response_waits());
    assert!(!stream.response_body(b"0123", false));
    assert_eq!(stream.held_body(true), "0123");
    check_waits(&proxy, MS * 400, || stream.sent_body(true) == "0123");
    // Later than its time would have been: it goes on at once.
    proxy.advance(MS * 600);
    assert!(stream.response_body(b"456789", false));
    assert_eq!(stream.sent_body(true), "0123456789");
    // All that is held goes on together, when the last part of it may.
    assert!(!stream.response_body(b"ab", false) && !stream.response_body(b"cd", false));
    assert!(!stream.response_trailers(&[("x-end", "1")]));
    proxy.advance(MS * 200);
    assert_eq!((stream.held_body(true).as_str(), stream.is_complete(true)), ("abcd", false));
    proxy.advance(MS * 200);
    assert_eq!((stream.sent_body(true).as_str(), stream.is_complete(true)), ("0123456789abcd", true));
    assert_eq!((label(&stream).as_str(), faults(&proxy, "throttle")), ("throttle{r}", 1));
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    stream.end();
}

/// Trailers behind a body that has gone on.
#[test]
fn trailers_wait_for_the_bytes_in_front() {
    let proxy = rule(r#""throttle": {"percentage": 100, "bytes_per_second": 10}"#);
    let stream = request(&proxy);
    respond(&stream);
    assert!(!stream.response_body(b"0123456789", false));
    assert!(!stream.response_trailers(&[("x-end", "1")]));
    check_waits(&proxy, Duration::from_secs(1), || stream.is_complete(true));
    stream.end();
    // Without a body there is nothing to wait for.
    let stream = request(&proxy);
    respond(&stream);
    assert!(stream.response_trailers(&[("x-end", "1")]));
    assert_eq!(proxy.host().metric(ACTIVE), 0);
    stream.end();
}

#[test]
fn a_throttle_counts_from_when_the_headers_go_on() {
    let proxy = rule(
        r#""response": {"percentage": 100, "delay": {"fixed": "1s"}},
            "throttle": {"percentage": 100, "bytes_per_second": 10}"#,
    );
    let stream = request(&proxy);
    respond(&stream);
    stream.response_body(b"0123456789", true);
    check_waits(&proxy, Duration::from_secs(2), || stream.is_complete(true));
    assert_eq!(label(&stream), "response{r}+throttle{r}");
    stream.end();
}

#[test]
fn a_response_without_a_body_is_not_slowed_down() {
    let proxy = rule(r#""throttle": {"percentage": 100, "bytes_per_second": 1}"#);
    let stream = request(&proxy);
    stream.respond_without_body(&[(":status", "200"), ("content-length", "1000")]);
    assert!(!stream.response_waits());
    assert_eq!((label(&stream).as_str(), faults(&proxy, "throttle")), ("", 0));
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "");
    stream.end();
}

/// The body that is left of these parts. `max`: the size to which it is cut.
#[track_caller]
fn check_cut(max: u32, parts: &[&str], expected: &str) {
    for has_trailers in [false, true] {
        let proxy = rule(&format!(r#""response": {{"percentage": 100, "truncate_body": {max}}}"#));
        let stream = request(&proxy);
        let length = parts.iter().map(|part| part.len()).sum::<usize>().to_string();
        stream.respond(&[(":status", "200"), ("content-length", &length)]);
        for (index, part) in parts.iter().enumerate() {
            assert!(stream.response_body(part.as_bytes(), !has_trailers && index + 1 == parts.len()));
        }
        if has_trailers {
            assert!(stream.response_trailers(&[("x-end", "1")]));
        }
        assert_eq!(
            (stream.sent_body(true).as_str(), stream.is_complete(true)),
            (expected, true),
            "{max} {parts:?}"
        );
        let length_left = if length.parse().is_ok_and(|length: usize| expected.len() < length) {
            ""
        } else {
            length.as_str()
        };
        assert_eq!(header(&stream.response_headers(), "content-length"), length_left);
        stream.end();
    }
}

#[test]
fn a_body_is_cut_wherever_its_parts_begin() {
    check_cut(10, &["0123456789"], "0123456789");
    check_cut(9, &["0123456789"], "012345678");
    check_cut(7, &["01234", "56789"], "0123456");
    check_cut(5, &["01234", "56789", "abc"], "01234");
    check_cut(5, &["0", "1", "2", "3", "4", "5", "6"], "01234");
    check_cut(0, &["01234", "56789"], "");
    check_cut(100, &["01234", "", "56789"], "0123456789");
}

#[test]
fn a_body_is_cut_before_it_is_slowed_down() {
    let proxy = rule(
        r#""response": {"percentage": 100, "truncate_body": 5},
            "throttle": {"percentage": 100, "bytes_per_second": 10}"#,
    );
    let stream = request(&proxy);
    respond(&stream);
    stream.response_body(b"0123456789", false);
    stream.response_body(b"0123456789", true);
    check_waits(&proxy, MS * 500, || stream.is_complete(true));
    assert_eq!(stream.sent_body(true), "01234");
    stream.end();
}

#[test]
fn a_status_without_content_loses_its_body() {
    for status in [204, 205, 304] {
        let proxy = rule(&format!(r#""response": {{"percentage": 100, "status": {status}}}"#));
        let stream = request(&proxy);
        respond(&stream);
        stream.response_body(b"0123456789", true);
        assert_eq!((stream.sent_body(true).as_str(), stream.is_complete(true)), ("", true), "{status}");
        let headers = stream.response_headers();
        assert_eq!(header(&headers, ":status"), status.to_string());
        assert!(["", "0"].contains(&header(&headers, "content-length").as_str()));
        stream.end();
    }
}

/// A response with these details, or status, or marker: whether it is changed.
#[track_caller]
fn check_changed(details: &str, headers: &[(&str, &str)], is_changed: bool) {
    for fields in [
        r#""response": {"percentage": 100, "status": 502}"#,
        r#""throttle": {"percentage": 100, "bytes_per_second": 10}"#,
    ] {
        let proxy = rule(fields);
        proxy.host().set_property(&["response", "code_details"], details);
        let stream = request(&proxy);
        stream.respond(headers);
        assert_eq!(!label(&stream).is_empty(), is_changed, "{details} {headers:?} {fields}");
        assert_eq!(stream.response_body(b"0123456789", true), !is_changed || fields.contains("status"));
        stream.end();
        assert_eq!(proxy.host().metric(ACTIVE), 0);
    }
}

#[test]
fn an_error_of_the_proxy_has_no_marker() {
    const OK: &[(&str, &str)] = &[(":status", "200")];
    check_changed("via_upstream", OK, true);
    check_changed("direct_response", OK, true);
    for details in ["no_healthy_upstream", "response_timeout", "route_not_found", "rate_limited{a}", ""] {
        check_changed(details, OK, false);
    }
    check_changed("via_upstream", &[(":status", "101")], false);
    check_changed("via_upstream", &[(":status", "200"), ("x-mesh-fault", "")], false);
    check_changed("via_upstream", &[(":status", "200"), ("x-mesh-fault", "other")], false);
}

/// A response to a request that still waits is not the upstream's.
#[test]
fn a_reply_to_a_request_that_waits_is_not_faulted() {
    let proxy = rule(
        r#""delay": {"percentage": 100, "fixed": "1s"},
            "response": {"percentage": 100, "status": 502, "delay": {"fixed": "1s"}},
            "throttle": {"percentage": 100, "bytes_per_second": 10}"#,
    );
    let stream = request(&proxy);
    respond(&stream);
    assert!(!stream.response_waits() && stream.response_body(b"0123456789", true));
    assert_eq!(header(&stream.response_headers(), ":status"), "200");
    stream.end();
    assert_eq!(proxy.host().metric(ACTIVE), 0);
}

/// The proxy has replied to the request with a timeout of its own, and its stream is not over yet.
#[test]
fn a_request_that_was_answered_waits_no_longer() {
    let proxy =
        rule(r#""delay": {"percentage": 100, "fixed": "5s"}, "abort": {"percentage": 100, "status": 503}"#);
    proxy.host().set_property(&["response", "code_details"], "stream_idle_timeout");
    let stream = request(&proxy);
    stream.respond(&[(":status", "504")]);
    assert_eq!(proxy.host().metric(ACTIVE), 0);
    proxy.advance(Duration::from_secs(5));
    assert!(stream.reply().is_none());
    assert_eq!([faults(&proxy, "delay"), faults(&proxy, "abort")], [1, 0]);
    assert_eq!(label(&stream), "delay{r}");
    assert_eq!(header(&stream.response_headers(), "x-mesh-fault"), "r");
    stream.end();
}

/// The request came in time, and its response does not.
#[test]
fn what_a_response_would_get_ends_with_the_config() {
    let response = r#""response": {"percentage": 100, "status": 502}, "throttle": {"percentage": 100, "bytes_per_second": 1}"#;
    for (seconds, expected) in [(9, "502 r"), (10, "200 ")] {
        let proxy = start(&format!(
            r#"{{"expires_at": "2027-01-15T08:00:10Z", "rules": [{{"name": "r", {response}}}]}}"#
        ));
        let stream = request(&proxy);
        proxy.advance(Duration::from_secs(seconds));
        respond(&stream);
        let [status, marker] =
            [":status", "x-mesh-fault"].map(|name| header(&stream.response_headers(), name));
        assert_eq!(format!("{status} {marker}"), expected);
        assert_eq!(proxy.host().metric("mesh_filters.fault.expired"), i64::from(seconds == 10));
        stream.end();
        assert_eq!(proxy.host().metric(ACTIVE), 0);
    }
}

/// In shadow nothing waits and nothing changes.
#[test]
fn in_shadow_nothing_happens() {
    let fields = r#""delay": {"percentage": 100, "fixed": "1s"}, "response": {"percentage": 100, "status": 502},
        "throttle": {"percentage": 100, "bytes_per_second": 1}"#;
    for config in [
        format!(r#"{{"mode": "shadow", "rules": [{{"name": "r", {fields}}}]}}"#),
        format!(r#"{{"rules": [{{"name": "r", "mode": "shadow", {fields}}}]}}"#),
    ] {
        let proxy = start(&config);
        let stream = request(&proxy);
        assert_eq!((stream.fate(), label(&stream).as_str()), (Fate::Continued, "shadow{r}"));
        respond(&stream);
        assert!(stream.response_body(b"0123456789", true));
        assert_eq!(stream.edits(), Vec::<String>::new());
        for kind in ["delay", "response", "throttle"] {
            let shadow = format!("mesh_filters.fault.rule=.=r;.;kind=.={kind};.;shadow");
            assert_eq!((proxy.host().metric(&shadow), faults(&proxy, kind)), (1, 0));
        }
        assert_eq!(proxy.host().metric(ACTIVE), 0);
        stream.end();
    }
}
