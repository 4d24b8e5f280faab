//! The configs of the trace-context filter beside Envoy's own tracer, in real proxies that export to a real collector.

mod application;
mod attempts;
mod early;
mod in_front;
mod listener;
mod proxy;
mod sidecar;

use e2e::{Span, received};

/// The client's trace and span.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// The client in W3C Trace Context and in both forms of B3.
const W3C: &[(&str, &str)] = &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
const B3: &[(&str, &str)] = &[("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")];
const B3_MULTI: &[(&str, &str)] = &[
    ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("x-b3-spanid", "00f067aa0ba902b7"),
    ("x-b3-sampled", "1"),
];

/// The values of a header in the text of a request.
fn values(request: &str, name: &str) -> Vec<String> {
    received(request, name).into_iter().map(|(_, value)| value).collect()
}

/// The `traceparent` of a span that is sampled.
fn traceparent(span: &Span) -> String {
    format!("00-{}-{}-01", span.trace, span.id)
}

/// The span is a child of the client's.
#[track_caller]
fn assert_child_of_the_client(span: &Span) {
    assert_eq!([&span.trace, &span.parent], [TRACE, SPAN], "{span:?}");
}

/// The span is the first of a trace of its own.
#[track_caller]
fn assert_new_trace(span: &Span) {
    assert!(span.trace != TRACE && span.parent.is_empty(), "{span:?}");
}

/// The request is in the client's trace, as a child of the client's span, and not sampled.
#[track_caller]
fn assert_unsampled(request: &str) {
    let [sent] = <[String; 1]>::try_from(values(request, "traceparent")).unwrap();
    let span = sent.strip_prefix(&format!("00-{TRACE}-")).and_then(|rest| rest.strip_suffix("-00"));
    assert!(span.is_some_and(|span| span.len() == 16 && span != SPAN), "{sent}");
}
