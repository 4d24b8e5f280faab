//! The calls of an application that forwards only the request id.

use super::*;
use std::time::Duration;

/// Both sides of an application in one proxy.
struct Sidecar {
    inbound: Gateway,
    outbound: Gateway,
}

impl Sidecar {
    /// Both have these fields of `correlate`, and those at the top.
    #[track_caller]
    fn new(correlate: &str, top: &str) -> Self {
        let config =
            |direction: &str| format!(r#"{{"correlate": {{"direction": "{direction}"{correlate}}}{top}}}"#);
        let inbound = Gateway::new(&config("inbound"));
        let outbound = inbound.beside(&config("outbound"));
        Self { inbound, outbound }
    }
}

/// A request to the application, a call that it makes, and what its upstream gets.
#[track_caller]
fn check_call(correlate: &str, calls: &[(&str, &str, &str)]) {
    for (request, call, expected) in calls {
        let Sidecar { inbound, outbound } = Sidecar::new(correlate, "");
        drop(inbound.decide(request));
        assert_eq!(outbound.send(call), sorted(expected), "{request} - {call}");
    }
}

#[test]
fn a_call_gets_the_headers_that_the_application_was_sent() {
    check_call(
        "",
        &[
            (
                "x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2; x-other: 3",
                "x-request-id: 1",
                "x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2",
            ),
            // Several headers stay several.
            (
                "x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a=1; tracestate: b=2",
                "x-request-id: 1",
                "x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a=1; tracestate: b=2",
            ),
            // What was written, not what came.
            (
                "x-request-id: 1; b3: <t>-<s>-1",
                "x-request-id: 1",
                "x-request-id: 1; traceparent: 00-<t>-<s>-01",
            ),
            ("x-request-id: 1; traceparent: nonsense; tracestate: a=1", "x-request-id: 1", "x-request-id: 1"),
        ],
    );
    check_call(
        r#", "by": "x-correlation-id", "carry": ["traceparent", "x-mesh-variant", "x-ot-span-context"]"#,
        &[(
            "x-correlation-id: 1; traceparent: 00-<t>-<s>-01; x-mesh-variant: v2; x-ot-span-context: z; baggage: a=1",
            "x-correlation-id: 1",
            "x-correlation-id: 1; traceparent: 00-<t>-<s>-01; x-mesh-variant: v2; x-ot-span-context: z",
        )],
    );
}

/// A header that is named in two cases is one header.
#[test]
fn a_header_is_carried_once() {
    check_call(
        r#", "carry": ["x-mesh-variant", "X-Mesh-Variant"]"#,
        &[("x-request-id: 1; x-mesh-variant: v2", "x-request-id: 1", "x-request-id: 1; x-mesh-variant: v2")],
    );
}

#[test]
fn generated_traces_and_baggage_that_is_set_are_carried() {
    let Sidecar { inbound, outbound } = Sidecar::new(
        "",
        r#", "generate": {"when_missing": true}, "baggage": {"set": [{"key": "k", "from": {"constant": "v"}}]}"#,
    );
    drop(inbound.decide("x-request-id: 1"));
    let call = outbound.decide("x-request-id: 1");
    assert_eq!(
        sent("x-request-id: 1", &call.request),
        sorted("x-request-id: 1; traceparent: 00-<new>-<new s>-02; baggage: k=v")
    );
    assert_eq!(label(&call), "correlated");
}

#[test]
fn the_id_is_compared_whole() {
    check_call(
        "",
        &[
            ("x-request-id: 1; traceparent: 00-<t>-<s>-01", "x-request-id: 11", "x-request-id: 11"),
            ("x-request-id: A; traceparent: 00-<t>-<s>-01", "x-request-id: a", "x-request-id: a"),
            ("x-request-id: 1; traceparent: 00-<t>-<s>-01", "", ""),
        ],
    );
}

#[test]
fn an_id_that_is_repeated_or_too_long_is_none() {
    let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
    for id in ["x-request-id: 1; x-request-id: 1", &format!("x-request-id: {too_long}"), "x-request-id: "] {
        let Sidecar { inbound, outbound } = Sidecar::new("", "");
        let before = inbound.host.borrow().asked;
        drop(inbound.decide(&format!("{id}; traceparent: 00-<t>-<s>-01")));
        drop(outbound.decide(id));
        assert_eq!(inbound.host.borrow().asked[1..], before[1..], "{id}");
    }
    let request = format!("x-request-id: {longest}; traceparent: 00-<t>-<s>-01");
    check_call("", &[(&request, &format!("x-request-id: {longest}"), &request)]);
}

#[test]
fn several_calls_read_an_entry_and_the_last_writer_wins() {
    let Sidecar { inbound, outbound } = Sidecar::new("", "");
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    for _ in 0..3 {
        assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    }
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<other>-<s>-00"));
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; traceparent: 00-<other>-<s>-00"));
}

#[test]
fn a_request_that_carries_nothing_ends_an_entry_of_its_id() {
    let Sidecar { inbound, outbound } = Sidecar::new("", "");
    let stored = |request: &str| {
        let before = inbound.host.borrow().asked;
        drop(inbound.decide(request));
        let after = inbound.host.borrow().asked;
        (after[1] - before[1], after[2] - before[2])
    };
    // Reads and writes.
    assert_eq!(stored("x-request-id: 1"), (1, 0));
    assert_eq!(stored("x-request-id: 1; traceparent: 00-<t>-<s>-01"), (1, 1));
    assert_eq!(stored("x-request-id: 2; baggage: a=1"), (1, 1));
    assert_eq!(stored("x-request-id: 1; traceparent: nonsense"), (1, 1));
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1"));
    assert_eq!(outbound.send("x-request-id: 2"), sorted("x-request-id: 2; baggage: a=1"));
    assert_eq!(stored("x-request-id: 1"), (1, 0));
}

#[test]
fn entries_expire() {
    let Sidecar { inbound, outbound } = Sidecar::new(r#", "ttl": "10s""#, "");
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    inbound.pass(Duration::from_millis(9999));
    assert_eq!(label(&outbound.decide("x-request-id: 1")), "correlated");
    inbound.pass(Duration::from_millis(1));
    assert_eq!(label(&outbound.decide("x-request-id: 1")), "missing");
}

#[test]
fn what_is_too_large_is_not_stored_and_counted() {
    let value = format!("x-request-id: 1; traceparent: 00-<t>-<s>-01; baggage: a={}", "x".repeat(60));
    let Sidecar { inbound, outbound } = Sidecar::new(r#", "max_value_bytes": 55"#, "");
    assert_eq!(inbound.counted(&inbound.decide(&value)), ["too_large", "extracted w3c"]);
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; traceparent: 00-<t>-<s>-01"));

    let Sidecar { inbound, outbound } = Sidecar::new(r#", "max_entry_bytes": 80"#, "");
    assert_eq!(inbound.counted(&inbound.decide(&value)), ["too_large", "extracted w3c"]);
    assert_eq!(outbound.counted(&outbound.decide("x-request-id: 1")), ["correlated miss"]);
}

#[test]
fn a_full_table_evicts_and_counts() {
    let Sidecar { inbound, .. } = Sidecar::new(r#", "capacity": 64"#, "");
    let evicted = |id: u32| {
        let request = format!("x-request-id: {id}; traceparent: 00-<t>-<s>-01");
        inbound.counted(&inbound.decide(&request)).iter().any(|count| count == "evicted")
    };
    assert!((0..8).all(|id| !evicted(id)));
    assert!((8..200).filter(|id| evicted(*id)).count() >= 200 - 8 - 64);
}

#[test]
fn hits_and_misses_are_counted() {
    let Sidecar { inbound, outbound } = Sidecar::new("", "");
    assert_eq!(
        inbound.counted(&inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01")),
        ["extracted w3c"]
    );
    let counted = |request| outbound.counted(&outbound.decide(request));
    assert_eq!(counted("x-request-id: 1"), ["correlated hit", "extracted w3c"]);
    assert_eq!(counted("x-request-id: 2"), ["correlated miss"]);
    assert_eq!(counted("traceparent: 00-<t>-<s>-01"), ["extracted w3c"]);
}

#[test]
fn the_tracer_s_headers_are_not_carried() {
    let Sidecar { inbound, outbound } = Sidecar::new(
        r#", "carry": ["traceparent", "tracestate", "baggage", "b3"]"#,
        r#", "native_tracer": ["w3c"], "inject": []"#,
    );
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2"));
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; baggage: b=2"));
}

/// The proxy tells the direction of each request.
#[test]
fn by_default_the_proxy_tells_the_side() {
    let mut inbound = Gateway::new(r#"{"correlate": {}}"#);
    inbound.direction = Some(1);
    let mut outbound = inbound.beside(r#"{"correlate": {}}"#);
    outbound.direction = Some(2);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
}

#[test]
fn where_it_does_not_tell_nothing_is_correlated() {
    for direction in [None, Some(0), Some(3), Some(u64::MAX)] {
        let mut gateway = Gateway::new(r#"{"correlate": {}}"#);
        gateway.direction = direction;
        let before = gateway.host.borrow().asked;
        let request = "x-request-id: 1; traceparent: 00-<t>-<s>-01";
        let verdict = gateway.decide(request);
        assert_eq!(gateway.counted(&verdict), ["no_direction", "extracted w3c"]);
        // Logged once, counted always.
        assert_eq!(verdict.warnings.len(), 1);
        let verdict = gateway.decide(request);
        assert_eq!((gateway.counted(&verdict).len(), verdict.warnings.len()), (2, 0));
        assert_eq!(gateway.host.borrow().asked[1..], before[1..]);
    }
    let gateway = Gateway::new(r#"{"correlate": {"direction": "inbound"}}"#);
    assert!(gateway.decide("x-request-id: 1").warnings.is_empty());
}
