//! The trace-context filter under load: chains that are not mixed up, and a table that does not grow.

mod chains;
mod memory;

use e2e::{Gateway, Setup};
use mesh_filters::registry::TRACE_CONTEXT;
use serde_json::Value;

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[e2e::Plugin::new(TRACE_CONTEXT, config)])
}

/// The value of one of the filter's metrics.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    gateway.metric(&format!("trace_context.{name}")).await
}
