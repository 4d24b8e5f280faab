//! The trace-context filter: traces as upstreams, clients, the access log and counters see them.

mod conversions;

use e2e::{Gateway, Plugin, Setup};
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
