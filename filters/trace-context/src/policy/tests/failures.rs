//! A proxy that fails: what can be done is done, and counted as failed.

use super::gateway::parsed;
use super::*;
use mesh_policy::effects::Edit;
use mesh_policy::headers::HeaderName;
use mesh_policy::policy::Policy as _;

#[track_caller]
fn check_failed(gateway: &Gateway, request: &str) {
    let verdict = gateway.decide(request);
    assert!(verdict.request.is_empty() && verdict.response.is_empty() && verdict.refusal.is_none());
    assert_eq!((gateway.counted(&verdict), label(&verdict)), (vec!["failed".to_owned()], "error".to_owned()));
    assert!(verdict.decision.unwrap().is_notable);
}

#[test]
fn without_random_numbers_no_trace_begins() {
    for fields in [r#""generate": {"when_missing": true}"#, r#""boundary": "restart""#] {
        let gateway = Gateway::new(&format!("{{{fields}}}"));
        gateway.host.borrow_mut().has_random = false;
        check_failed(&gateway, "traceparent: nonsense; baggage: a=1");
    }
    // A trace that came needs none.
    let gateway = Gateway::new(r#"{"generate": {"when_missing": true}}"#);
    gateway.host.borrow_mut().has_random = false;
    assert_eq!(label(&gateway.decide("traceparent: 00-<t>-<s>-01")), "extracted{w3c}");
}

/// A request with a name that cannot be removed, or without the shared data that it needs: what the upstream gets of it, and
/// what is counted beside the failure.
#[track_caller]
fn check_partly(gateway: &Gateway, request: &str, expected: &str, expected_label: &str, counts: &[&str]) {
    let verdict = gateway.decide(request);
    assert_eq!(sent(request, &verdict.request), sorted(expected), "{request}");
    assert_eq!(label(&verdict), expected_label, "{request}");
    let mut counted = gateway.counted(&verdict);
    counted.retain(|count| count != "failed");
    assert_eq!(counted, counts, "{request}");
    assert_eq!(gateway.counted(&verdict).len(), counts.len() + 1, "{request} is counted as failed once");
}

/// Otherwise a client could evade the rest by loading the table.
#[test]
fn without_shared_data_only_correlation_is_missing() {
    for direction in ["inbound", "outbound"] {
        let gateway = |fields: &str| {
            let correlate = format!(r#""correlate": {{"direction": "{direction}"}}"#);
            let gateway = Gateway::new(&format!("{{{correlate}{fields}}}"));
            gateway.host.borrow_mut().has_store = false;
            gateway
        };
        let request = "x-request-id: 1; b3: <t>-<s>-1; baggage: k=evil";
        let read = ["extracted b3", "converted b3 w3c"];
        check_partly(
            &gateway(""),
            request,
            &format!("{request}; traceparent: 00-<t>-<s>-01"),
            "extracted{b3}",
            &read,
        );
        check_partly(
            &gateway(r#", "boundary": "restart""#),
            request,
            "x-request-id: 1; traceparent: 00-<new>-<new s>-02",
            "generated",
            &["generated"],
        );
        check_partly(
            &gateway(r#", "baggage": {"set": [{"key": "k", "from": {"constant": "v"}}]}"#),
            request,
            "x-request-id: 1; b3: <t>-<s>-1; baggage: k=v; traceparent: 00-<t>-<s>-01",
            "extracted{b3}",
            &["baggage_dropped replaced", read[0], read[1]],
        );
        // A request without an id needs none.
        let gateway = gateway("");
        assert_eq!(gateway.counted(&gateway.decide("b3: <t>-<s>-1")), read);
    }
}

/// Its bytes are no header name, so the proxy does not know it.
#[test]
fn a_name_that_cannot_be_removed_stays_alone() {
    let odd = "x-b3 traceid: <t>";
    let request = format!("{odd}; traceparent: 00-<t>-<s>-01; x_b3_spanid: <s>; sw8: a; baggage: a=1");
    check_partly(&Gateway::new(r#"{"boundary": "strip"}"#), &request, odd, "stripped", &[]);
    check_partly(
        &Gateway::new(r#"{"boundary": "restart"}"#),
        &request,
        &format!("{odd}; sw8: a; traceparent: 00-<new>-<new s>-02"),
        "generated",
        &["generated"],
    );
    for boundary in ["strip", "restart"] {
        let gateway = Gateway::new(&format!(r#"{{"boundary": "{boundary}"}}"#));
        let edits = gateway.policy.edit_trailers(&parsed(&format!("{odd}; b3: 0"))).0;
        assert_eq!(edits, [Edit::Remove(HeaderName::from_static("b3"))]);
    }
}

#[test]
fn damaged_records_are_empty() {
    let inbound = Gateway::new(r#"{"correlate": {"direction": "inbound"}}"#);
    let outbound = inbound.beside(r#"{"correlate": {"direction": "outbound"}}"#);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    assert_eq!(label(&outbound.decide("x-request-id: 1")), "correlated");
    let damage = |(_, value): (&Vec<u8>, &mut Vec<u8>)| *value = vec![7; 99];
    inbound.host.borrow_mut().store.records.iter_mut().for_each(damage);
    assert_eq!(label(&outbound.decide("x-request-id: 1")), "missing");
}
