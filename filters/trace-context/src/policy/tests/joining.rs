//! What of an entry a call gets: what it lacks.

use super::*;

/// A call of an application that was sent these headers, and what its upstream gets.
#[track_caller]
fn check_joined(top: &str, inbound: &str, calls: &[(&str, &str)]) {
    let config = |direction: &str| {
        format!(
            r#"{{"correlate": {{"direction": "{direction}",
                "carry": ["traceparent", "tracestate", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "baggage", "v"]}}{top}}}"#
        )
    };
    let gateway = Gateway::new(&config("inbound"));
    drop(gateway.decide(&format!("x-request-id: 1; {inbound}")));
    let outbound = gateway.beside(&config("outbound"));
    for (call, expected) in calls {
        let with_id = |headers: &str| {
            if headers.is_empty() {
                "x-request-id: 1".to_owned()
            } else {
                format!("x-request-id: 1; {headers}")
            }
        };
        assert_eq!(outbound.send(&with_id(call)), sorted(&with_id(expected)), "{call}");
    }
}

#[test]
fn what_the_request_has_stays() {
    check_joined(
        "",
        "traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2; v: v2",
        &[
            ("", "traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2; v: v2"),
            ("v: v1", "traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: b=2; v: v1"),
            ("baggage: own=1", "traceparent: 00-<t>-<s>-01; tracestate: a=1; baggage: own=1; v: v2"),
            ("traceparent: 00-<other>-<s>-00", "traceparent: 00-<other>-<s>-00; baggage: b=2; v: v2"),
            // In another format.
            ("b3: <other>-<s>-0", "b3: <other>-<s>-0; traceparent: 00-<other>-<s>-00; baggage: b=2; v: v2"),
        ],
    );
}

/// Headers of the application that are no context must not become a part of one.
#[test]
fn what_is_no_context_gives_way() {
    let w3c = "traceparent: 00-<t>-<s>-01";
    check_joined(
        "",
        w3c,
        &[
            ("traceparent: nonsense", w3c),
            ("tracestate: own=1", w3c),
            ("traceparent: nonsense; tracestate: own=1", w3c),
            ("traceparent: 00-<t>-<s>-00; traceparent: 00-<t>-<s>-00", w3c),
        ],
    );
    let b3 = "x-b3-traceid: <t>; x-b3-spanid: <s>; x-b3-sampled: 0";
    check_joined(
        r#", "inject": []"#,
        b3,
        &[
            ("x-b3-flags: 1", b3),
            ("x-b3-sampled: 1", b3),
            ("x-b3-parentspanid: <s>", b3),
            ("x-b3-traceid: <other>; x-b3-flags: 1", b3),
        ],
    );
}

#[test]
fn what_gives_way_is_counted() {
    let inbound = Gateway::new(r#"{"correlate": {"direction": "inbound"}}"#);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    let outbound = inbound.beside(r#"{"correlate": {"direction": "outbound"}}"#);
    let verdict = outbound.decide("x-request-id: 1; traceparent: nonsense; b3: nonsense");
    assert_eq!(
        outbound.counted(&verdict),
        ["correlated hit", "invalid w3c version", "extracted w3c", "invalid b3 sampling"]
    );
    assert_eq!(label(&verdict), "correlated");
}

/// What the call has sent and what was stored for it are invalid for the same reason.
#[test]
fn what_is_invalid_twice_is_counted_at_once() {
    let correlate = |direction: &str| {
        format!(r#""correlate": {{"direction": "{direction}", "carry": ["traceparent", "tracestate"]}}"#)
    };
    let inbound = Gateway::new(&format!(r#"{{"extract": [], "inject": [], {}}}"#, correlate("inbound")));
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01; tracestate: a"));
    let outbound = inbound.beside(&format!("{{{}}}", correlate("outbound")));
    let verdict = outbound.decide("x-request-id: 1; traceparent: 00-<t>_<s>-01");
    assert_eq!(outbound.counted(&verdict), ["correlated hit", "2 invalid w3c grammar", "extracted w3c"]);
}

#[test]
fn what_is_carried_is_converted_and_filtered() {
    check_joined(
        r#", "inject": ["w3c", "b3"], "baggage": {"allow": ["b"]}"#,
        "traceparent: 00-<t>-<s>-01; baggage: a=1,b=2",
        &[("", "traceparent: 00-<t>-<s>-01; b3: <t>-<s>-1; baggage: b=2")],
    );
}

#[test]
fn what_is_carried_and_changed_is_set_once() {
    let inbound = Gateway::new(r#"{"correlate": {"direction": "inbound"}}"#);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01; baggage: a=1,b=2"));
    let outbound = inbound.beside(r#"{"correlate": {"direction": "outbound"}, "baggage": {"allow": ["b"]}}"#);
    let expected = [expand("add traceparent: 00-<t>-<s>-01"), "set baggage: b=2".to_owned()];
    assert_eq!(edits(&outbound.decide("x-request-id: 1")), expected);
    let restart = inbound.beside(r#"{"correlate": {"direction": "outbound"}, "boundary": "restart"}"#);
    let expected = [expand("set traceparent: 00-<new>-<new s>-02")];
    assert_eq!(edits(&restart.decide("x-request-id: 1")), expected);
}

/// The inbound side has set it. The call of the application has no tenant of its own.
#[test]
fn a_member_that_was_set_and_is_carried_stays() {
    let check = |baggage: &str, inbound: &str, call: &str, expected: &str, counts: &[&str]| {
        let config = |direction: &str| {
            format!(r#"{{"correlate": {{"direction": "{direction}"}}, "baggage": {{{baggage}}}}}"#)
        };
        let inbound_side = Gateway::new(&config("inbound"));
        drop(inbound_side.decide(&format!("x-request-id: 1; {inbound}")));
        let mut outbound = inbound_side.beside(&config("outbound"));
        outbound.has_claims = false;
        let call = format!("x-request-id: 1; {call}");
        let verdict = outbound.decide(&call);
        assert_eq!(sent(&call, &verdict.request), sorted(&format!("{call}; {expected}")), "{baggage} {call}");
        assert_eq!(outbound.counted(&verdict), counts, "{baggage} {call}");
    };
    let hit = &["correlated hit"][..];
    for (from, request) in [
        (r#"{"header": "x-tenant"}"#, "x-tenant: acme; baggage: tenant=evil,a=1"),
        (r#"{"claim": "tenant"}"#, "baggage: a=1"),
    ] {
        let set = format!(r#""set": [{{"key": "tenant", "from": {from}}}]"#);
        check(&set, request, "", "baggage: tenant=acme,a=1", hit);
        // Also if a client may not send it.
        let allow = format!(r#""allow": ["a"], {set}"#);
        check(&allow, request, "", "baggage: tenant=acme,a=1", hit);
    }
    // A value of the call replaces it.
    let set = r#""set": [{"key": "tenant", "from": {"header": "x-tenant"}}]"#;
    let replaced = &["correlated hit", "baggage_dropped replaced"];
    check(set, "x-tenant: acme", "x-tenant: other", "baggage: tenant=other", replaced);
}

/// The application's own members are those of a client.
#[test]
fn an_application_cannot_set_a_member_of_the_filter() {
    let config = |direction: &str| {
        format!(
            r#"{{"correlate": {{"direction": "{direction}"}},
                "baggage": {{"set": [{{"key": "tenant", "from": {{"header": "x-tenant"}}}}]}}}}"#
        )
    };
    let inbound = Gateway::new(&config("inbound"));
    drop(inbound.decide("x-request-id: 1; x-tenant: acme"));
    let outbound = inbound.beside(&config("outbound"));
    let call = "x-request-id: 1; baggage: tenant=own,a=1";
    assert_eq!(outbound.send(call), sorted("x-request-id: 1; baggage: a=1"));
}

/// They would name the inbound span. What is no trace is still lacking.
#[test]
fn a_call_with_a_context_gets_no_trace_of_another_tracer() {
    let carry = r#""carry": ["traceparent", "baggage", "x-mesh-variant", "x-ot-span-context", "ot-tracer-traceid",
        "ot-baggage-user", "grpc-trace-bin", "sw8", "sw8-correlation"]"#;
    let inbound = Gateway::new(&format!(r#"{{"correlate": {{"direction": "inbound", {carry}}}}}"#));
    let traces = "x-ot-span-context: 1; ot-tracer-traceid: 2; grpc-trace-bin: 3; sw8: 4";
    let others = "baggage: a=1; x-mesh-variant: v2; ot-baggage-user: 5; sw8-correlation: 6";
    drop(inbound.decide(&format!("x-request-id: 1; traceparent: 00-<t>-<s>-01; {traces}; {others}")));
    let outbound = inbound.beside(&format!(r#"{{"correlate": {{"direction": "outbound", {carry}}}}}"#));
    let check = |call: &str, expected: &str| assert_eq!(outbound.send(call), sorted(expected), "{call}");
    check("x-request-id: 1", &format!("x-request-id: 1; traceparent: 00-<t>-<s>-01; {traces}; {others}"));
    for own in ["traceparent: 00-<other>-<s>-00", "traceparent: 00-<other>-<s>-00; b3: <other>-<s>-0"] {
        let own = format!("x-request-id: 1; {own}");
        check(&own, &format!("{own}; {others}"));
    }
    // Its own one stays.
    let (_, rest) = traces.split_once("; ").unwrap();
    check(
        "x-request-id: 1; x-ot-span-context: own",
        &format!("x-request-id: 1; x-ot-span-context: own; traceparent: 00-<t>-<s>-01; {rest}; {others}"),
    );
}

/// A config that carries less than the one that stored.
#[test]
fn only_headers_of_this_config_are_carried() {
    let inbound = Gateway::new(r#"{"correlate": {"direction": "inbound", "carry": ["traceparent", "v"]}}"#);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01; v: v2"));
    let outbound = inbound.beside(r#"{"correlate": {"direction": "outbound", "carry": ["v"]}}"#);
    assert_eq!(outbound.send("x-request-id: 1"), sorted("x-request-id: 1; v: v2"));
    // No trace was carried.
    assert_eq!(label(&outbound.decide("x-request-id: 1")), "missing");
}
