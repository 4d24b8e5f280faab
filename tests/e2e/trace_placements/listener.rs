//! Placement 2: what is left for the filter in the listener of a proxy with a tracer.

use super::proxy::{Config, Traced};
use super::{B3, TRACE, W3C, assert_child_of_the_client, assert_new_trace, values};
use e2e::eventually;

#[tokio::test]
async fn the_filter_logs_tells_and_filters_baggage_beside_a_tracer() {
    let traced = Traced::start(Config::of("tracer")).await;
    let more =
        [("tracestate", "vendor=1"), ("baggage", "tenant=a,user=b,mesh-route=c"), ("x-mesh-variant", "v2")];
    let (answer, span) = traced.send(&[W3C, &more].concat()).await;
    assert_child_of_the_client(&span);
    assert_eq!(answer.header("x-trace-id").as_deref(), Some(TRACE));
    for (name, expected) in
        [("baggage", "tenant=a,mesh-route=c"), ("tracestate", "vendor=1"), ("x-mesh-variant", "v2")]
    {
        assert_eq!(values(&answer.text(), name), [expected]);
    }
    eventually("the access log", || async { traced.proxy.0.log().contains(&format!("\n200 {TRACE} ")) })
        .await;
}

/// The filter does not know a trace that the tracer begins, and invents none.
#[tokio::test]
async fn the_tracer_begins_traces() {
    let traced = Traced::start(Config::of("tracer")).await;
    for client in [&[][..], B3] {
        let (answer, span) = traced.send(client).await;
        assert_new_trace(&span);
        assert_eq!(answer.header("x-trace-id"), None);
    }
}
