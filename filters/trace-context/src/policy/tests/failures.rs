//! A proxy that fails: the request passes untouched.

use super::*;

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

#[test]
fn without_shared_data_nothing_is_correlated() {
    for direction in ["inbound", "outbound"] {
        let gateway = Gateway::new(&format!(r#"{{"correlate": {{"direction": "{direction}"}}}}"#));
        gateway.host.borrow_mut().has_store = false;
        check_failed(&gateway, "x-request-id: 1; b3: <t>-<s>-1");
        // A request without an id needs none.
        assert_eq!(label(&gateway.decide("b3: <t>-<s>-1")), "extracted{b3}");
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
