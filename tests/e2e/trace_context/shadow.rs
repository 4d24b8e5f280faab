//! A filter that only counts.

use super::{EVERYTHING, FORMATS, TRACEPARENT, metric, one, setup, told};
use e2e::{Setup, eventually, get};
use mesh_filters::http::Response;
use serde_json::json;

#[tokio::test]
async fn shadow_writes_nothing_and_counts() {
    let config = |boundary: &str, mode: &str| {
        json!({"mode": mode, "boundary": boundary, "extract": FORMATS, "inject": FORMATS, "log_trace_id": true,
            "generate": {"when_missing": true}, "decision_log": "all", "response": {"header": "x-trace-id"},
            "baggage": {"allow": ["locale"], "set": [{"key": "a", "from": {"constant": "b"}}]},
            "correlate": {"carry": ["traceparent", "baggage", "b3"]}})
    };
    let mut all = Setup::default();
    for mode in ["shadow", "off"] {
        for boundary in ["continue", "restart", "strip"] {
            let setup = setup(config(boundary, mode)).direction("INBOUND");
            all = all.beside(&format!("{boundary}-{mode}"), setup);
        }
    }
    let enforced = setup(config("continue", "enforce"));
    let gateway = all
        .beside("outbound", enforced.clone().direction("OUTBOUND"))
        .beside("inbound", enforced.direction("INBOUND"))
        .start()
        .await;
    let requests: [&[(&str, &str)]; 5] = [
        &EVERYTHING,
        &[TRACEPARENT, ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0")],
        &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"), ("tracestate", "a=1")],
        &[("baggage", "user=bob")],
        &[],
    ];
    let lines = |answer: &Response| {
        let text = answer.text();
        let lines = text.lines().filter(|line| !line.starts_with("x-request-id: ")).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    for (number, headers) in requests.into_iter().enumerate() {
        let headers = [headers, &[("host", "a")]].concat();
        let path = |listener: &str| format!("/{listener}/{number}");
        for mode in ["shadow", "off"] {
            for boundary in ["continue", "restart", "strip"] {
                let listener = format!("{boundary}-{mode}");
                let path = path(&listener);
                let answer = gateway.send_to(&listener, get(&path, &headers)).await;
                let expected = gateway.send(get(&path, &headers)).await;
                assert_eq!(lines(&answer), lines(&expected), "{path}");
                assert_eq!(told(&answer), None, "{path}");
            }
        }
    }
    let decision = async |listener: &str, number| {
        // The bare listener has logged the same path.
        let path = format!("/{listener}/{number}");
        let text = || gateway.access_log();
        eventually(&path, || async {
            text().lines().filter(|line| line.starts_with(&format!("{path} "))).count() == 2
        })
        .await;
        let text = text();
        let decisions: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with(&format!("{path} ")))
            .filter_map(|line| line.split(' ').rev().nth(2).map(str::to_owned))
            .collect();
        decisions.into_iter().find(|decision| decision != "-")
    };
    assert_eq!(decision("continue-shadow", 1).await.as_deref(), Some("extracted{w3c}"));
    assert_eq!(decision("restart-shadow", 1).await.as_deref(), Some("generated"));
    assert_eq!(decision("strip-shadow", 1).await.as_deref(), Some("stripped"));
    assert_eq!(decision("continue-off", 1).await, None);
    assert_eq!(metric(&gateway, "format=.=w3c;.;extracted").await, 2);
    assert_eq!(metric(&gateway, "format=.=b3;.;conflict").await, 1);
    assert_eq!(metric(&gateway, "format=.=w3c;.;reason=.=zero_id;.;invalid").await, 1);
    assert!(metric(&gateway, "generated").await >= 5);
    // Nothing was stored, either.
    let id = ("x-request-id", "an id");
    let call = async || gateway.send_to("outbound", get("/", &[id])).await;
    gateway.send_to("continue-shadow", get("/", &[TRACEPARENT, id])).await;
    assert_ne!(one(&call().await, "traceparent"), TRACEPARENT.1);
    assert_eq!(metric(&gateway, "result=.=miss;.;correlated").await, 1);
    gateway.send_to("inbound", get("/", &[TRACEPARENT, id])).await;
    assert_eq!(one(&call().await, "traceparent"), TRACEPARENT.1);
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
