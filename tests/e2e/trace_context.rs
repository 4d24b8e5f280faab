//! The trace-context filter: traces as upstreams, clients, the access log and counters see them.

mod attempts;
mod boundaries;
mod chain;
mod conflicts;
mod conversions;
mod correlation;
mod failures;
mod generated;
mod hostile;
mod invalid;
mod shadow;
mod told;
mod w3c_suite;

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, eventually, get, received};
use mesh_filters::http::{HeaderName, HeaderValue, Request, Response};
use mesh_filters::registry::TRACE_CONTEXT;
use serde_json::Value;

/// The names that the config has for the formats.
const FORMATS: [&str; 7] = ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"];

/// Beginnings of the names of all headers that tell of a trace.
const NAMES: [&str; 20] = [
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-",
    "uber-trace-id",
    "x-datadog-",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "baggage",
    "x-ot-span-context",
    "ot-tracer-",
    "ot-baggage-",
    "grpc-trace-bin",
    "grpc-tags-bin",
    "sw8",
    "uberctx-",
    "jaeger-debug-id",
    "jaeger-baggage",
    "correlation-context",
    "x-client-trace-id",
];

const TRACEPARENT: (&str, &str) = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

/// A trace in every format, in spellings that upstreams may read as these headers.
const EVERYTHING: [(&str, &str); 31] = [
    TRACEPARENT,
    ("tracestate", "congo=t61rcWkgMzE"),
    ("trace_parent", "kept: no upstream reads it as traceparent"),
    ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
    ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("X-B3-SpanId", "00f067aa0ba902b7"),
    ("x-b3-parentspanid", "00f067aa0ba902b7"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "1"),
    ("x_b3_traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("x.b3.spanid", "00f067aa0ba902b7"),
    ("uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1"),
    ("uber_trace_id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1"),
    ("x-datadog-trace-id", "1"),
    ("x-datadog-parent-id", "1"),
    ("x_datadog_sampling_priority", "1"),
    ("x-datadog-origin", "rum"),
    ("x-datadog-tags", "_dd.p.dm=-4"),
    ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ("X_Amzn_Trace_Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ("x-cloud-trace_context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ("x-datadog-delegate", "a"),
    ("jaeger-debug-id", "a"),
    ("uberctx-user", "a"),
    ("ot-baggage-user", "a"),
    ("baggage", "locale=de,user=bob"),
    ("baggage", "user=eve"),
    ("Baggage", "a=1"),
    ("x-other", "kept"),
    ("x-request-id", "kept"),
];

/// Formats that pass untouched, but for `strip`.
const OTHERS: [(&str, &str); 10] = [
    ("x-ot-span-context", "a"),
    ("x_ot_span_context", "a"),
    ("ot-tracer-traceid", "a"),
    ("ot-tracer-spanid", "a"),
    ("grpc-trace-bin", "AAA="),
    ("grpc-tags-bin", "AAA="),
    ("sw8", "1-a-b"),
    ("sw8-correlation", "a"),
    ("correlation-context", "a=1"),
    ("x-client-trace-id", "a"),
];

fn plugin(config: Value) -> Plugin {
    Plugin::new(TRACE_CONTEXT, config)
}

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[plugin(config)])
}

/// Name and value of a line `name: value`.
fn pair(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(": ").unwrap_or_else(|| panic!("{line}"))
}

/// Names and values of lines.
fn pairs(lines: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    lines.iter().copied().map(pair).collect()
}

/// The lines, among those with which the upstream reports a request, that tell of a trace. Sorted; those of one name are in
/// their order.
fn traces(text: &str) -> Vec<&str> {
    let is_of_trace = |line: &&str| {
        let name = line.split_once(": ").map_or("", |(name, _)| name).replace(['_', '.'], "-");
        NAMES.iter().any(|beginning| name.to_ascii_lowercase().starts_with(beginning))
    };
    let mut found: Vec<_> = text.lines().filter(is_of_trace).collect();
    found.sort_by_key(|line| line.split_once(": ").map(|(name, _)| name));
    found
}

/// The value of one of the filter's metrics.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    gateway.metric(&format!("trace_context.{name}")).await
}

/// What the access log has of a request.
#[derive(Debug, PartialEq, Eq)]
struct Logged {
    decision: String,
    trace_id: String,
}

/// The entry of the request with this path, which occurs once.
async fn logged(gateway: &Gateway, path: &str) -> Logged {
    let find = || {
        let text = gateway.access_log();
        // The last line may be incomplete.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut entries = lines.map(|line| line.trim_end().split(' ').collect::<Vec<_>>());
        let entry = entries.find(|parts| parts.first() == Some(&path))?;
        let [.., decision, trace_id, _fault] = entry[..] else { panic!("{entry:?}") };
        Some(Logged { decision: decision.into(), trace_id: trace_id.into() })
    };
    eventually(path, || async { find().is_some() }).await;
    find().unwrap()
}

/// The trace id that a client was told, if it was.
fn told(answer: &Response) -> Option<String> {
    assert!(answer.count("x-trace-id") <= 1, "{answer:?}");
    answer.header("x-trace-id")
}

/// The one value of a header that the upstream has received.
#[track_caller]
fn one(answer: &Response, name: &str) -> String {
    match &received(&answer.text(), name)[..] {
        [(found, value)] if found == name => value.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

/// The ids and the flags of the upstream's `traceparent`.
#[track_caller]
fn parent(answer: &Response) -> [String; 3] {
    let value = one(answer, "traceparent");
    let fields: Vec<_> = value.split('-').collect();
    let ["00", trace, span, flags] = fields[..] else { panic!("{value}") };
    assert!(trace.len() == 32 && span.len() == 16 && flags.len() == 2, "{value}");
    [trace, span, flags].map(str::to_owned)
}

/// Number of headers of a format that were invalid for this reason.
async fn invalid(gateway: &Gateway, format: &str, reason: &str) -> u64 {
    metric(gateway, &format!("format=.={format};.;reason=.={reason};.;invalid")).await
}

/// A GET request with these bytes.
fn raw(path: &str, headers: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = get(path, &[]);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    request
}
