//! The listeners that are compared.

use std::path::Path;

use serde_json::{Value, json};

use super::connection_manager::connection_manager;
use super::upstream;

/// What a row is compared with: two rows that do as much, by their names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    /// The row without any filter. What others add is their difference to it.
    pub(super) bare: &'static str,
    /// The row with a module that does nothing.
    pub(super) noop: &'static str,
}

/// The base of rows whose route answers.
pub(super) const ANSWERED: Base = Base { bare: "no filter", noop: "Wasm, does nothing" };
/// The base of rows that route to a cluster.
pub(super) const ROUTED: Base = Base { bare: "routed, no filter", noop: "routed, Wasm does nothing" };

/// Makes the rows of a filter's bench, in the order of the table: its module, and an empty folder for
/// modules that are built for the bench only.
pub(crate) type Rows = fn(module: &Path, folder: &Path) -> anyhow::Result<Vec<Row>>;

/// A listener with its filters, and what is sent to it.
pub(crate) struct Row {
    /// The name of the listener.
    pub(super) name: String,
    filters: Vec<Value>,
    routes: Vec<Value>,
    pub(super) base: Base,
    /// Headers that each request carries besides those of all rows.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Whether it runs the filter that is measured; the other rows are there to compare with.
    pub(super) is_filter: bool,
}

impl Row {
    pub(super) fn new(name: impl Into<String>, filters: Vec<Value>) -> Self {
        Self {
            name: name.into(),
            filters,
            routes: vec![answer()],
            base: ANSWERED,
            headers: Vec::new(),
            is_filter: false,
        }
    }

    /// Puts the filters of other rows into one listener, in this order.
    pub(super) fn chain(name: impl Into<String>, rows: impl IntoIterator<Item = Self>) -> Self {
        Self::new(name, rows.into_iter().flat_map(|row| row.filters).collect())
    }

    /// The same filters under another name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Sends this token with each request.
    pub(super) fn with_token(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// Sends this header with each request, too.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Compares it with these rows.
    pub(super) fn compared_with(self, base: Base) -> Self {
        Self { base, ..self }
    }

    /// Routes to clusters instead of answering, see [`upstream`].
    pub(super) fn routed(self, routes: Vec<Value>) -> Self {
        Self { routes, base: ROUTED, ..self }
    }

    /// Marks the row as one of the filter that is measured.
    pub(super) fn of_filter(self) -> Self {
        Self { is_filter: true, ..self }
    }
}

/// A module as a filter, in a VM of its own.
pub(super) fn wasm(name: &str, module: &Path, config: &Value) -> Row {
    let filter = json!({
        "name": name,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "vm_config": {
                    "vm_id": name,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string(),
                },
            },
        },
    });
    Row::new(name, vec![filter])
}

/// An Envoy with a listener for each row.
pub(super) fn bootstrap(rows: &[Row]) -> Value {
    let listeners: Vec<Value> = rows.iter().map(listener).chain([upstream::listener(&answer())]).collect();
    json!({
        "bootstrap_extensions": [upstream::extension()],
        "static_resources": {"listeners": listeners, "clusters": upstream::clusters()},
    })
}

/// The route that answers by itself, so that no upstream is measured.
fn answer() -> Value {
    json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}})
}

/// The listener of a row, on any free port.
pub(super) fn listener(row: &Row) -> Value {
    json!({
        "name": row.name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [connection_manager(&row.filters, &row.routes)]}],
    })
}
