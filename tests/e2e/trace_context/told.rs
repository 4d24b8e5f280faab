//! What clients and the access log are told.

use super::{FORMATS, TRACEPARENT, logged, setup, told};
use e2e::{Plugin, get, with};
use mesh_filters::http::{Protocol, send};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};

#[tokio::test]
async fn clients_are_told_the_trace_on_every_response() {
    let config = json!({"response": {"header": "x-trace-id"}});
    let limit = json!({"limits": [{"name": "l", "key": [{"header": "x-key"}], "on_missing_key": "deny",
        "rate": {"requests": 1, "per": "1h"}}]});
    let route = |path: &str, action: Value| with(json!({"match": {"path": path}}), action);
    let limited = setup(config.clone()).plugins(&[Plugin::new(RATE_LIMIT, limit)]);
    let gateway = setup(config)
        .route(route("/direct", json!({"direct_response": {"status": 403}})))
        .route(route("/redirect", json!({"redirect": {"path_redirect": "/"}})))
        .route(route("/dead", json!({"route": {"cluster": "dead"}})))
        .route(route("/nowhere", json!({"route": {"cluster_header": "x-nowhere"}})))
        .beside("limited", limited)
        .start()
        .await;
    let lie = ("x-answer", "x-trace-id=lie");
    for (listener, path, headers, status) in [
        ("gateway", "/", &[lie][..], 200),
        ("gateway", "/", &[("x-status", "404"), lie, lie], 404),
        ("gateway", "/", &[("x-status", "500")], 500),
        ("gateway", "/direct", &[], 403),
        ("gateway", "/redirect", &[], 301),
        ("gateway", "/dead", &[], 503),
        ("gateway", "/nowhere", &[], 503),
        ("limited", "/", &[("x-key", "k")], 200),
        ("limited", "/", &[("x-key", "k")], 429),
        ("limited", "/", &[], 400),
    ] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        let with = [&[TRACEPARENT][..], headers].concat();
        let answer = send(address, Protocol::Http1, get(path, &with)).await.unwrap();
        assert_eq!(answer.status, status, "{listener} {path}");
        assert_eq!(told(&answer).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"), "{listener} {path}");
    }
    // A request without a trace has none to tell, and the upstream's own header is the upstream's.
    for (path, headers, expected) in
        [("/", &[lie][..], Some("lie")), ("/", &[], None), ("/direct", &[], None)]
    {
        let answer = gateway.send(get(path, headers)).await;
        assert_eq!(told(&answer).as_deref(), expected, "{path}");
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn the_access_log_has_the_trace_and_the_decision() {
    let log_all = json!({"decision_log": "all", "log_trace_id": true, "extract": FORMATS});
    let correlate = setup(with(log_all.clone(), json!({"correlate": {}})));
    let gateway = setup(json!({"extract": FORMATS}))
        .beside("all", setup(log_all.clone()))
        .beside("begin", setup(with(log_all.clone(), json!({"generate": {"when_missing": true}}))))
        .beside("inbound", correlate.clone().direction("INBOUND"))
        .beside("outbound", correlate.direction("OUTBOUND"))
        .start()
        .await;
    let check = async |listener: &str,
                       path: &str,
                       headers: &[(&str, &str)],
                       decision: &str,
                       trace_id: Option<&str>| {
        gateway.send_to(listener, get(path, headers)).await;
        let found = logged(&gateway, path).await;
        assert_eq!(found.decision, decision, "{path}");
        match trace_id {
            Some(trace_id) => assert_eq!(found.trace_id, trace_id, "{path}"),
            None => assert!(
                found.trace_id.len() == 32 && found.trace_id.chars().all(|digit| digit.is_ascii_hexdigit()),
                "{path}: {found:?}"
            ),
        }
    };
    let (example, b3) = ("4bf92f3577b34da6a3ce929d0e0e4736", ("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1"));
    let zero = ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01");
    let id = ("x-request-id", "an id");
    check("all", "/w3c", &[TRACEPARENT], "extracted{w3c}", Some(example)).await;
    check("all", "/b3", &[b3], "extracted{b3}", Some("0000000000000000a3ce929d0e0e4736")).await;
    check(
        "all",
        "/gcp",
        &[("x-cloud-trace-context", "105445AA7843BC8BF206B12000100000")],
        "extracted{gcp}",
        Some("105445aa7843bc8bf206b12000100000"),
    )
    .await;
    check("all", "/missing", &[], "missing", Some("-")).await;
    check("all", "/decision", &[("b3", "0")], "missing", Some("-")).await;
    check("all", "/invalid", &[zero], "invalid{w3c}:zero_id", Some("-")).await;
    check("all", "/beside", &[zero, b3], "extracted{b3}", Some("0000000000000000a3ce929d0e0e4736")).await;
    check("begin", "/generated", &[], "generated", None).await;
    check("begin", "/replaced", &[zero], "generated", None).await;
    check("inbound", "/inbound", &[TRACEPARENT, id], "extracted{w3c}", Some(example)).await;
    check("outbound", "/outbound", &[id], "correlated", Some(example)).await;
    check("outbound", "/own", &[b3, id], "extracted{b3}", Some("0000000000000000a3ce929d0e0e4736")).await;
    // By default, what is notable only.
    check("gateway", "/quiet", &[TRACEPARENT], "-", Some("-")).await;
    check("gateway", "/quiet-missing", &[], "-", Some("-")).await;
    check("gateway", "/notable", &[("b3", "x")], "invalid{b3}:sampling", Some("-")).await;
    gateway.assert_no_trap().await;
}
