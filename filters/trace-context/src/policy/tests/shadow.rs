//! In shadow everything is decided and counted, and nothing is written or stored.

use super::*;

#[test]
fn nothing_is_written() {
    for fields in [
        r#""inject": ["w3c", "b3"]"#,
        r#""boundary": "restart""#,
        r#""boundary": "strip""#,
        r#""generate": {"when_missing": true}"#,
        r#""baggage": {"allow": []}"#,
    ] {
        let gateway = Gateway::new(&format!(
            r#"{{"mode": "shadow", "response": {{"header": "x-trace-id"}}, "log_trace_id": true, {fields}}}"#
        ));
        for request in ["b3: <t>-<s>-1; baggage: a=1", "traceparent: nonsense", "baggage: a=1"] {
            let verdict = gateway.decide(request);
            assert!(verdict.request.is_empty() && verdict.response.is_empty(), "{fields} {request}");
            assert_eq!(verdict.logged, None);
        }
    }
}

#[test]
fn decisions_and_counts_are_the_same() {
    let fields = r#""generate": {"when_missing": true}, "baggage": {"allow": []}"#;
    let (real, shadow) =
        (Gateway::new(&format!("{{{fields}}}")), Gateway::new(&format!(r#"{{"mode": "shadow", {fields}}}"#)));
    for request in
        ["b3: <t>-<s>-1; baggage: a=1", "traceparent: nonsense", "", "traceparent: 00-<t>-<s>-01; b3: 1"]
    {
        let (real_verdict, verdict) = (real.decide(request), shadow.decide(request));
        assert_eq!(real.counted(&real_verdict), shadow.counted(&verdict), "{request}");
        assert_eq!(label(&real_verdict), label(&verdict), "{request}");
    }
}

#[test]
fn nothing_is_stored() {
    let shadow = Gateway::new(r#"{"mode": "shadow", "correlate": {"direction": "inbound"}}"#);
    let before = shadow.host.borrow().asked;
    drop(shadow.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    assert_eq!(shadow.host.borrow().asked[1..], before[1..]);
    assert_eq!(shadow.host.borrow().store.records.iter().count(), 0);
    let outbound = shadow.beside(r#"{"correlate": {"direction": "outbound"}}"#);
    assert_eq!(outbound.counted(&outbound.decide("x-request-id: 1")), ["correlated miss"]);
}

/// Not even what the table begins with, which the first config that is enforced stores.
#[test]
fn nothing_is_stored_with_the_config() {
    for mode in ["shadow", "off"] {
        let shadow =
            Gateway::new(&format!(r#"{{"mode": "{mode}", "correlate": {{"direction": "outbound"}}}}"#));
        assert_eq!(shadow.host.borrow().asked, [0; 3]);
        assert_eq!(shadow.counted(&shadow.decide("x-request-id: 1")), ["correlated miss"]);
        assert_eq!(shadow.host.borrow().asked[2], 0);
        let inbound = shadow.beside(r#"{"correlate": {"direction": "inbound"}}"#);
        drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
        assert_eq!(shadow.counted(&shadow.decide("x-request-id: 1")), ["correlated hit", "extracted w3c"]);
    }
}

#[test]
fn nothing_is_carried() {
    let inbound = Gateway::new(r#"{"correlate": {"direction": "inbound"}}"#);
    drop(inbound.decide("x-request-id: 1; traceparent: 00-<t>-<s>-01"));
    let shadow = inbound.beside(r#"{"mode": "shadow", "correlate": {"direction": "outbound"}}"#);
    let verdict = shadow.decide("x-request-id: 1");
    assert_eq!(verdict.request, []);
    assert_eq!(label(&verdict), "correlated");
    assert_eq!(shadow.counted(&verdict), ["correlated hit", "extracted w3c"]);
}
