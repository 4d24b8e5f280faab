//! What the proxy does itself to a request that is delayed: its timeouts, and an upstream that is not there.

use super::{at_rest, faults, logged, marked, rules, setup};
use e2e::{Gateway, get, timed};
use mesh_filters::http::{Protocol, send};
use serde_json::{Value, json};
use std::time::Duration;

const DELAY: Duration = Duration::from_secs(2);

async fn delaying(fixed: &str, route: Value) -> Gateway {
    let rule = json!({"name": "r", "delay": {"percentage": 100, "fixed": fixed}});
    setup(rules(json!([rule]))).route(json!({"match": {"prefix": "/"}, "route": route})).start().await
}

/// As with Envoy's own filter.
#[tokio::test]
async fn a_route_s_timeout_begins_after_the_delay() {
    let gateway = delaying("2s", json!({"cluster": "upstream", "timeout": "1.5s"})).await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let (took, answer) = timed(send(gateway.address, protocol, get("/", &[]))).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (200, Some("r")), "{protocol:?}");
        assert!(took >= DELAY, "{took:?}");
        // And it holds then.
        let answer = send(gateway.address, protocol, get("/", &[("x-slow", "10000")])).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (504, Some("r")), "{protocol:?}");
    }
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

/// The reply is due to the delay, so it has the marker; the request is not resumed later.
#[tokio::test]
async fn an_idle_timeout_ends_a_delay() {
    let route = json!({"cluster": "upstream", "timeout": "30s", "idle_timeout": "0.4s"});
    let gateway = delaying("30s", route).await;
    for (count, protocol) in (1..).zip([Protocol::Http1, Protocol::Http2]) {
        let path = format!("/{count}");
        let answer = send(gateway.address, protocol, get(&path, &[])).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (504, Some("r")), "{protocol:?}");
        let logged = logged(&gateway, &path).await;
        assert_eq!((logged.details.as_str(), logged.decision.as_str()), ("stream_idle_timeout", "delay{r}"));
        assert_eq!(faults(&gateway, "r", "delay").await, count);
    }
    at_rest(&gateway).await;
    assert_eq!(gateway.stat("cluster.upstream.upstream_rq_total").await, 0);
    gateway.assert_no_trap().await;
}

/// It was delayed: the marker says so, and the details say that the upstream failed.
#[tokio::test]
async fn an_upstream_that_is_not_there_after_a_delay() {
    let gateway = delaying("100ms", json!({"cluster": "dead"})).await;
    let answer = gateway.send(get("/dead", &[])).await;
    assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (503, Some("r")));
    let logged = logged(&gateway, "/dead").await;
    assert!(logged.details.starts_with("upstream_reset_before_response_started"), "{}", logged.details);
    assert_eq!(logged.decision, "delay{r}");
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}
