//! Placement 2: the proxy writes B3 as a traceparent itself, before its tracer reads it.

use super::proxy::{Config, Traced};
use super::{
    B3, B3_MULTI, SPAN, TRACE, W3C, assert_child_of_the_client, assert_new_trace, assert_unsampled, values,
};

/// A client in several headers of B3.
fn multi<'a>(trace: &'a str, span: &'a str, rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("x-b3-traceid", trace), ("x-b3-spanid", span)], rest].concat()
}

#[tokio::test]
async fn a_b3_client_is_the_parent_of_the_tracers_span() {
    let traced = Traced::start(Config::of("tracer")).await;
    for rest in [
        &[("x-b3-sampled", "1")][..],
        &[("x-b3-sampled", "true")],
        &[("x-b3-flags", "1")],
        &[("x-b3-parentspanid", "0000000000000001"), ("x-b3-sampled", "1")],
        // The decision is left to this proxy.
        &[],
    ] {
        assert_child_of_the_client(&traced.send(&multi(TRACE, SPAN, rest)).await.1);
    }
    let (_, span) = traced.send(&multi("a3ce929d0e0e4736", SPAN, &[])).await;
    assert_eq!([span.trace, span.parent], ["0000000000000000a3ce929d0e0e4736", SPAN]);
}

#[tokio::test]
async fn other_clients_are_treated_as_before() {
    let traced = Traced::start(Config::of("tracer")).await;
    assert_child_of_the_client(&traced.send(W3C).await.1);
    // The client's traceparent counts.
    let other = multi("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", &[]);
    assert_child_of_the_client(&traced.send(&[W3C, &other].concat()).await.1);
    assert_new_trace(&traced.send(&[]).await.1);
}

/// Envoy's tracer makes no span for a traceparent that it cannot read, so there must be none.
#[tokio::test]
async fn b3_that_is_no_context_becomes_no_traceparent() {
    let traced = Traced::start(Config::of("tracer")).await;
    let upper = TRACE.to_uppercase();
    let long = format!("{TRACE}00");
    let zeros = "0".repeat(32);
    let clients = [
        // A decision alone is not kept.
        vec![("x-b3-sampled", "0")],
        vec![("x-b3-traceid", TRACE)],
        vec![("x-b3-spanid", SPAN)],
        multi("zz", SPAN, &[]),
        multi(&upper, SPAN, &[]),
        multi(&long, SPAN, &[]),
        multi(&zeros, SPAN, &[]),
        multi(TRACE, &zeros[..16], &[]),
        multi(TRACE, "00f067aa0ba902", &[]),
        multi(TRACE, SPAN, &[("x-b3-traceid", TRACE)]),
        // The client's own of the header that the mutation uses.
        vec![("x-b3-as-traceparent", W3C[0].1)],
    ];
    for client in clients {
        let (answer, span) = traced.send(&client).await;
        assert_new_trace(&span);
        assert_eq!(values(&answer.text(), "x-b3-as-traceparent"), [""; 0], "{client:?}");
    }
}

#[tokio::test]
async fn a_decision_of_b3_is_kept() {
    let traced = Traced::start(Config::of("tracer")).await;
    for sampled in ["0", "false"] {
        let answer = traced.proxy.send(&multi(TRACE, SPAN, &[("x-b3-sampled", sampled)])).await;
        assert_unsampled(&answer.text());
    }
    // The first span that arrives is that of the last request.
    assert_new_trace(&traced.send(&[]).await.1);
}

/// What this is for.
#[tokio::test]
async fn without_the_mutation_a_b3_client_loses_its_trace() {
    let traced = Traced::start(Config::of("tracer").without(0, "early_header_mutation_extensions")).await;
    for client in [B3_MULTI, B3] {
        assert_new_trace(&traced.send(client).await.1);
    }
}
