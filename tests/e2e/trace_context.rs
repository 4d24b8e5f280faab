//! The trace-context filter: traces as upstreams, clients, the access log and counters see them.

mod conversions;
mod hostile;

use e2e::{Gateway, Plugin, Setup, eventually, with};
use mesh_filters::registry::TRACE_CONTEXT;
use serde_json::Value;

/// The names that the config has for the formats.
const FORMATS: [&str; 7] = ["w3c", "b3", "b3-multi", "jaeger", "datadog", "xray", "gcp"];

/// Beginnings of the names of all headers that tell of a trace.
const NAMES: [&str; 17] = [
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
    "sw8",
    "uberctx-",
    "jaeger-debug-id",
    "x-client-trace-id",
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
