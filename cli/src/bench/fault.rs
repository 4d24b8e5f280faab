//! The fault filter beside Envoy's `fault` and beside modules that do nothing. No rule is for any request: this is what all
//! traffic pays for the few requests that are faulted.

use std::path::Path;

use serde_json::{Value, json};

use super::rows::{ANSWERED, Row, wasm};
use crate::module;

/// A header that no request has.
pub(super) const HEADER: &str = "x-test-fault";

/// The rows, in the order of the table.
pub(crate) fn rows(filter: &Path, _folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let ours = |name, config| wasm(name, filter, config).of_filter();
    let by = |matches: Value| {
        json!({"rules": [{
            "name": "chaos", "match": matches,
            "delay": {"percentage": 50, "fixed": "5s"}, "abort": {"percentage": 10, "status": 503},
        }]})
    };
    let by_header = by(json!({"headers": [{"name": HEADER, "exact": "inject"}]}));
    let with_budget = with(&by_header, "", "budget", json!({"percentage": 10}));
    let in_flight = with(&by_header, "/rules/0", "in_flight", json!({"at_least": 1_000_000}));
    Ok(vec![
        Row::new(ANSWERED.bare, Vec::new()),
        wasm(ANSWERED.noop, &noop, &json!({})),
        native(),
        ours("rule by header", &by_header),
        ours("rule by path", &by(json!({"path": {"prefix": "/search/"}}))),
        ours("by header, with a budget", &with_budget),
        ours("by header and requests in flight", &in_flight),
    ])
}

/// A config with one more field, in the object at this pointer.
fn with(config: &Value, place: &str, name: &str, value: Value) -> Value {
    let mut config = config.clone();
    let object = config.pointer_mut(place).and_then(Value::as_object_mut);
    if let Some(object) = object {
        object.insert(name.to_owned(), value);
    }
    config
}

/// Envoy's filter, for requests with a header.
pub(super) fn native() -> Row {
    let filter = json!({
        "name": "envoy.filters.http.fault",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "delay": {"fixed_delay": "5s", "percentage": {"numerator": 50}},
            "abort": {"http_status": 503, "percentage": {"numerator": 10}},
            "headers": [{"name": HEADER, "string_match": {"exact": "inject"}}],
        },
    });
    Row::new("native fault", vec![filter])
}
