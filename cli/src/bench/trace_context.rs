//! The trace-context filter beside modules that do nothing.
//!
//! Envoy has no filter of its own that converts trace headers. Each row is compared with rows that send the same headers, since
//! each header costs the proxy something.

use std::path::Path;

use serde_json::{Value, json};

use super::rows::{ANSWERED, Base, Row, wasm};
use crate::module;

pub(super) const TRACEPARENT: (&str, &str) =
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

/// What a B3 client sends.
const B3: [(&str, &str); 3] = [
    ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("x-b3-spanid", "00f067aa0ba902b7"),
    ("x-b3-sampled", "1"),
];

/// The base of rows whose requests have a `traceparent`.
const WITH_TRACEPARENT: Base =
    Base { bare: "traceparent, no filter", noop: "traceparent, Wasm does nothing" };
/// The base of rows whose requests have B3 headers.
const WITH_B3: Base = Base { bare: "b3-multi, no filter", noop: "b3-multi, Wasm does nothing" };

/// The rows, in the order of the table.
pub(crate) fn rows(filter: &Path, _folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let ours = |name, config: &Value| wasm(name, filter, config).of_filter();
    let nothing = json!({});
    let generating = json!({"generate": {"when_missing": true, "sampling_percentage": 1}});
    let baggage = json!({
        "generate": {"when_missing": true},
        "baggage": {"allow": ["tenant"], "set": [{"key": "tenant", "from": {"header": "x-api-key"}}]},
    });
    Ok(vec![
        Row::new(ANSWERED.bare, Vec::new()),
        wasm(ANSWERED.noop, &noop, &nothing),
        ours("no trace", &nothing),
        ours("generated", &generating),
        ours("generated, with baggage", &baggage),
        with_traceparent(Row::new(WITH_TRACEPARENT.bare, Vec::new())),
        with_traceparent(wasm(WITH_TRACEPARENT.noop, &noop, &nothing)),
        with_traceparent(ours("pass-through of traceparent", &nothing)),
        with_b3(Row::new(WITH_B3.bare, Vec::new())),
        with_b3(wasm(WITH_B3.noop, &noop, &nothing)),
        with_b3(ours("b3-multi to w3c", &nothing)),
    ])
}

fn with_traceparent(row: Row) -> Row {
    let (name, value) = TRACEPARENT;
    row.with_header(name, value).compared_with(WITH_TRACEPARENT)
}

fn with_b3(row: Row) -> Row {
    let row = row.compared_with(WITH_B3);
    B3.into_iter().fold(row, |row, (name, value)| row.with_header(name, value))
}
