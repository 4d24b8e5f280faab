//! Placement 4: the filter in a cluster converts what the tracer has written, for each attempt.

use super::proxy::{Config, Traced};
use super::{
    B3, B3_MULTI, SPAN, TRACE, W3C, assert_child_of_the_client, assert_new_trace, assert_unsampled,
    traceparent, values,
};
use e2e::Span;

/// The context of a request in all formats that the upstream gets.
fn context(request: &str) -> [Vec<String>; 5] {
    ["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"].map(|name| values(request, name))
}

fn expected(span: &Span) -> [Vec<String>; 5] {
    let b3 = format!("{}-{}-1", span.trace, span.id);
    [traceparent(span), b3, span.trace.clone(), span.id.clone(), "1".to_owned()].map(|value| vec![value])
}

/// The spans of a request with this many attempts: the request's, then those of the attempts as they arrive.
async fn spans(traced: &Traced, attempts: usize) -> (Span, Vec<Span>) {
    let mut spans = traced.collector.take(attempts + 1).await;
    let at = spans.iter().position(|span| spans.iter().all(|other| other.id != span.parent)).unwrap();
    let whole = spans.remove(at);
    assert!(spans.iter().all(|span| span.trace == whole.trace && span.parent == whole.id), "{spans:?}");
    (whole, spans)
}

#[tokio::test]
async fn a_b3_upstream_gets_the_ids_of_the_exported_span() {
    let traced = Traced::start(Config::of("upstream")).await;
    let answer = traced.proxy.send(W3C).await;
    let (whole, attempts) = spans(&traced, 1).await;
    assert_child_of_the_client(&whole);
    assert_eq!(context(&answer.text()), expected(&attempts[0]));
    // What names the client's span gives way.
    let answer = traced.proxy.send(&[W3C, B3, B3_MULTI].concat()).await;
    let (whole, attempts) = spans(&traced, 1).await;
    assert_child_of_the_client(&whole);
    assert_eq!(context(&answer.text()), expected(&attempts[0]));
    // The tracer does not read B3, and the upstream gets no other trace than the tracer's.
    for client in [&[][..], B3, B3_MULTI] {
        let answer = traced.proxy.send(client).await;
        let (whole, attempts) = spans(&traced, 1).await;
        assert_new_trace(&whole);
        assert_eq!(context(&answer.text()), expected(&attempts[0]), "{client:?}");
    }
}

#[tokio::test]
async fn each_attempt_is_converted() {
    let traced = Traced::start(Config::of("upstream")).await;
    traced.upstream.keep_heads();
    let answer = traced.proxy.send(&[W3C, &[("x-status", "503")]].concat()).await;
    assert_eq!(answer.status, 503);
    let (whole, attempts) = spans(&traced, 3).await;
    assert_child_of_the_client(&whole);
    let heads = traced.upstream.heads();
    assert_eq!(heads.len(), 3);
    for head in &heads {
        let found = context(head);
        assert_eq!(attempts.iter().filter(|span| expected(span) == found).count(), 1, "{attempts:?}: {head}");
    }
    let [first, second, third] = [0, 1, 2].map(|attempt| context(&heads[attempt]));
    assert!(first != second && second != third && third != first);
}

/// Without a span for each attempt, all attempts are children of the request's span.
#[tokio::test]
async fn attempts_may_share_the_span_of_the_request() {
    let mut config = Config::of("upstream");
    assert!(config.manager(0)["tracing"].as_object_mut().unwrap().remove("spawn_upstream_span").is_some());
    let traced = Traced::start(config).await;
    traced.upstream.keep_heads();
    traced.proxy.send(&[W3C, &[("x-status", "503")]].concat()).await;
    let span = traced.collector.next().await;
    assert_child_of_the_client(&span);
    assert_eq!(
        traced.upstream.heads().iter().map(|head| context(head)).collect::<Vec<_>>(),
        vec![expected(&span); 3]
    );
}

#[tokio::test]
async fn a_decision_reaches_the_b3_upstream() {
    let traced = Traced::start(Config::of("upstream")).await;
    let answer = traced.proxy.send(&[("traceparent", &format!("00-{TRACE}-{SPAN}-00"))]).await.text();
    assert_unsampled(&answer);
    assert_eq!([values(&answer, "x-b3-traceid"), values(&answer, "x-b3-sampled")], [[TRACE], ["0"]]);
}
