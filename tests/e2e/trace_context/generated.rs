//! Requests that belong to no trace.

use super::{FORMATS, TRACEPARENT, one, parent, setup, told, traces};
use e2e::{get, received};
use serde_json::json;

/// Whether a share of so many quarters samples this id: OpenTelemetry's threshold on the last 56 bits.
fn is_sampled(trace: &str, quarters: u64) -> bool {
    let last = u64::from_str_radix(&trace[18..], 16).unwrap();
    last >= (4 - quarters) << 54
}

#[tokio::test]
async fn a_missing_trace_begins() {
    const REQUESTS: usize = 60;
    let sampling = |quarters: u64| {
        let generate = json!({"when_missing": true, "sampling_percentage": 25 * quarters});
        setup(json!({"generate": generate, "inject": ["w3c", "b3"], "response": {"header": "x-trace-id"}}))
    };
    let mut all = sampling(0);
    for quarters in 1..=4 {
        all = all.beside(&quarters.to_string(), sampling(quarters));
    }
    let gateway = all.start().await;
    for quarters in 0..=4 {
        let listener = if quarters == 0 { "gateway".to_owned() } else { quarters.to_string() };
        let mut sampled = 0;
        for _ in 0..REQUESTS {
            let answer = gateway.send_to(&listener, get("/", &[("tracestate", "a=1")])).await;
            let [trace, span, flags] = parent(&answer);
            let expected = is_sampled(&trace, quarters);
            sampled += usize::from(expected);
            assert_eq!(flags, if expected { "03" } else { "02" }, "{trace}");
            assert_eq!(one(&answer, "b3"), format!("{trace}-{span}-{}", u8::from(expected)));
            assert_eq!(received(&answer.text(), "tracestate"), []);
            assert_eq!(told(&answer), Some(trace));
        }
        // By chance, this fails once in a million times at most.
        let expected = REQUESTS * quarters as usize / 4;
        assert!(sampled.abs_diff(expected) <= 22, "{sampled} of {REQUESTS} at {quarters}/4");
    }
    // A decision without ids is that of the new trace.
    for (listener, sent, flags) in [("gateway", "1", "03"), ("4", "0", "02"), ("gateway", "d", "03")] {
        let answer = gateway.send_to(listener, get("/", &[("b3", sent)])).await;
        let [trace, span, found] = parent(&answer);
        assert_eq!((one(&answer, "b3"), &*found), (format!("{trace}-{span}-{sent}"), flags));
        let sent = if sent == "d" { ("x-b3-flags", "1") } else { ("x-b3-sampled", sent) };
        let answer = gateway.send_to(listener, get("/", &[sent])).await;
        assert_eq!(parent(&answer)[2], flags, "{sent:?}");
    }
    // A trace that is there is not sampled anew.
    for listener in ["gateway", "4"] {
        let answer = gateway.send_to(listener, get("/", &[TRACEPARENT])).await;
        assert_eq!(one(&answer, "traceparent"), TRACEPARENT.1);
        assert_eq!(told(&answer).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_decision_without_a_trace_invents_nothing() {
    let gateway = setup(json!({"inject": FORMATS, "response": {"header": "x-trace-id"}})).start().await;
    for (name, value) in [("b3", "0"), ("b3", "1"), ("b3", "d"), ("x-b3-sampled", "0"), ("x-b3-flags", "1")] {
        let answer = gateway.send(get("/", &[(name, value)])).await;
        assert_eq!((traces(&answer.text()), told(&answer)), (vec![&*format!("{name}: {value}")], None));
    }
    let answer = gateway.send(get("/", &[])).await;
    assert_eq!((traces(&answer.text()), told(&answer)), (vec![], None));
}
