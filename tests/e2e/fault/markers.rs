//! What was faulted once is not faulted again.

use super::{at_rest, faults, marked, marked_upstream, metric, plugin, rules, setup};
use e2e::{Gateway, Setup, get, timed};
use mesh_filters::http::{Protocol, send};
use serde_json::{Value, json};
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(150);

fn config(name: &str, extra: Value) -> Value {
    let everything = json!([{
        "name": name,
        "delay": {"percentage": 100, "fixed": "150ms"},
        "response": {"percentage": 100, "status": 502},
    }]);
    e2e::with(rules(everything), extra)
}

/// Two proxies in a row. The second is the upstream of the first.
async fn two(first: Value, second: Value) -> (Gateway, Gateway) {
    let second = setup(second).start().await;
    let next = json!({"match": {"prefix": "/"}, "route": {"cluster": "next", "timeout": "60s"}});
    let first = setup(first).cluster("next", second.address).route(next).start().await;
    (first, second)
}

#[tokio::test]
async fn two_proxies_in_a_row_make_one_fault() {
    let aborting = rules(json!([{"name": "second", "abort": {"percentage": 100, "status": 503}}]));
    for second in [config("second", json!({})), aborting] {
        let (first, second) = two(config("first", json!({})), second).await;
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let (took, answer) = timed(send(first.address, protocol, get("/", &[]))).await;
            let answer = answer.unwrap();
            assert!(took >= DELAY, "{took:?}");
            assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("first")));
            assert_eq!(marked_upstream(&answer).as_deref(), Some("first"));
        }
        for kind in ["delay", "response"] {
            assert_eq!(faults(&first, "first", kind).await, 2, "{kind}");
        }
        assert_eq!(metric(&second, "marked").await, 2);
        for kind in ["delay", "response", "abort"] {
            assert_eq!(faults(&second, "second", kind).await, 0, "{kind}");
        }
        at_rest(&second).await;
    }
}

/// The second proxy faults the response: the first leaves it alone.
#[tokio::test]
async fn a_marked_response_is_not_faulted() {
    let only = |name: &str, extra: Value| {
        let rule = json!([{
            "name": name,
            "response": {"percentage": 100, "status": if name == "first" { 500 } else { 502 }},
            "throttle": {"percentage": 100, "bytes_per_second": 1_000_000},
        }]);
        e2e::with(rules(rule), extra)
    };
    let (first, second) = two(only("first", json!({})), only("second", json!({}))).await;
    let answer = first.send(get("/", &[])).await;
    assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("second")));
    for kind in ["response", "throttle"] {
        assert_eq!(faults(&first, "first", kind).await, 0, "{kind}");
        assert_eq!(faults(&second, "second", kind).await, 1, "{kind}");
    }
    at_rest(&first).await;

    let stacked = json!({"stack": true});
    let (first, _second) = two(only("first", stacked.clone()), only("second", stacked)).await;
    let answer = first.send(get("/", &[])).await;
    assert_eq!(answer.status, 500);
    let markers: Vec<_> = answer.headers.get_all(super::MARKER).iter().collect();
    assert_eq!(markers, ["second", "first"]);
}

#[tokio::test]
async fn stacked_faults_add_up() {
    let stacked = json!({"stack": true});
    let (first, second) = two(config("first", stacked.clone()), config("second", stacked)).await;
    let (took, answer) = timed(first.send(get("/", &[]))).await;
    assert!(took >= 2 * DELAY, "{took:?}");
    assert_eq!(answer.status, 502);
    let received: Vec<_> =
        e2e::received(&answer.text(), super::MARKER).into_iter().map(|(_, value)| value).collect();
    assert_eq!(received, ["first", "second"]);
    assert_eq!(metric(&second, "marked").await, 0);
}

/// Clients can mark their requests, which the README says how to prevent.
#[tokio::test]
async fn the_markers_are_the_configs() {
    let markers = |request: &str, response: &str| json!({"marker": {"request_header": request, "response_header": response}});
    let gateway = setup(config("own", markers("x-chaos", "x-chaos-too")))
        .beside("none", Setup::default().plugins(&[plugin(config("none", markers("", "")))]))
        .start()
        .await;
    let answer = gateway.send(get("/", &[(super::MARKER, "spoofed")])).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-chaos-too").as_deref()), (502, Some("own")));
    assert_eq!(e2e::received(&answer.text(), "x-chaos"), [("x-chaos".to_owned(), "own".to_owned())]);
    assert_eq!(marked(&answer), None);
    let answer = gateway.send(get("/", &[("x-chaos", "spoofed")])).await;
    assert_eq!((answer.status.as_u16(), answer.count("x-chaos-too")), (200, 0));

    for spoofed in [&[][..], &[(super::MARKER, "spoofed")]] {
        let answer = gateway.send_to("none", get("/", spoofed)).await;
        assert_eq!((answer.status.as_u16(), answer.count(super::MARKER)), (502, 0));
        assert_eq!(marked_upstream(&answer).is_some(), !spoofed.is_empty());
    }
    gateway.assert_no_trap().await;
}
