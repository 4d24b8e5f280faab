//! Placement 1, in front of placement 2: what the gateway converts, the tracer behind it joins.

use super::proxy::{Config, Proxy};
use super::{
    B3, B3_MULTI, SPAN, TRACE, W3C, assert_child_of_the_client, assert_new_trace, assert_unsampled,
    traceparent, values,
};
use e2e::{Collector, Upstream};

/// A gateway, behind it a proxy with a tracer that reads W3C only, behind that an upstream.
struct Chain {
    gateway: Proxy,
    traced: Proxy,
    _upstream: Upstream,
    collector: Collector,
}

async fn chain(gateway: Config) -> Chain {
    let collector = Collector::start().await;
    let upstream = Upstream::start().await;
    let traced = Config::of("tracer").without(0, "early_header_mutation_extensions").collector(&collector);
    let traced = traced.cluster("app", upstream.address()).start().await;
    let gateway = gateway.cluster("app", traced.address("gateway").await).start().await;
    Chain { gateway, traced, _upstream: upstream, collector }
}

#[tokio::test]
async fn a_client_of_any_format_is_the_parent_of_the_tracers_span() {
    let chain = chain(Config::of("gateway")).await;
    let clients: [&[(&str, &str)]; 7] = [
        B3,
        B3_MULTI,
        W3C,
        &[("uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1")],
        &[
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
            ("x-datadog-sampling-priority", "1"),
            ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
        ],
        &[("x-amzn-trace-id", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1")],
        &[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1")],
    ];
    for client in clients {
        let answer = chain.gateway.send(client).await;
        let span = chain.collector.next().await;
        assert_child_of_the_client(&span);
        assert_eq!(values(&answer.text(), "traceparent"), [traceparent(&span)], "{client:?}");
        assert_eq!(answer.header("x-trace-id").as_deref(), Some(TRACE), "{client:?}");
    }
}

/// A decision survives, and a request without a trace begins one at the tracer.
#[tokio::test]
async fn the_tracer_reports_what_is_sampled() {
    let chain = chain(Config::of("gateway")).await;
    let b3 = format!("{TRACE}-{SPAN}-0");
    let answer = chain.gateway.send(&[("b3", &b3)]).await;
    assert_unsampled(&answer.text());
    let answer = chain.gateway.send(&[]).await;
    // The first span that arrives is that of the second request.
    let span = chain.collector.next().await;
    assert_new_trace(&span);
    assert_eq!(values(&answer.text(), "traceparent"), [traceparent(&span)]);
}

/// Envoy's tracer makes no span for a `traceparent` that it cannot read. The filter removes it.
#[tokio::test]
async fn a_client_cannot_hide_from_the_tracer() {
    let chain = chain(Config::of("gateway")).await;
    let unreadable = [("traceparent", "00-unreadable")];
    assert_eq!(values(&chain.traced.send(&unreadable).await.text(), "traceparent"), ["00-unreadable"]);
    let answer = chain.gateway.send(&unreadable).await;
    // The first span that arrives is that of the second request.
    let span = chain.collector.next().await;
    assert_new_trace(&span);
    assert_eq!(values(&answer.text(), "traceparent"), [traceparent(&span)]);
}

/// The filter makes the difference.
#[tokio::test]
async fn without_the_filter_a_b3_client_loses_its_trace() {
    let chain = chain(Config::of("gateway").without_filter(0)).await;
    for client in [B3, B3_MULTI] {
        let answer = chain.gateway.send(client).await;
        let span = chain.collector.next().await;
        assert_new_trace(&span);
        assert_eq!(values(&answer.text(), "traceparent"), [traceparent(&span)]);
    }
    chain.gateway.send(W3C).await;
    assert_child_of_the_client(&chain.collector.next().await);
}
