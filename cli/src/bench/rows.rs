//! The listeners that are compared.

use std::path::Path;

use serde_json::{Value, json};

/// The listener without any filter; what a row adds is its difference to this one.
pub(super) const BARE: &str = "no filter";
/// The listener with a module that does nothing.
pub(super) const NOOP: &str = "Wasm, does nothing";

/// Makes the rows of a filter's bench, in the order of the table: its module, and an empty folder for
/// modules that are built for the bench only.
pub(crate) type Rows = fn(module: &Path, folder: &Path) -> anyhow::Result<Vec<Row>>;

/// A listener with its filters, and what is sent to it.
pub(crate) struct Row {
    /// The name of the listener.
    pub(super) name: String,
    filters: Vec<Value>,
    /// The bearer token that each request carries.
    pub(super) token: Option<&'static str>,
    /// Whether it runs the filter that is measured; the other rows are there to compare with.
    pub(super) is_filter: bool,
}

impl Row {
    pub(super) fn new(name: impl Into<String>, filters: Vec<Value>) -> Self {
        Self { name: name.into(), filters, token: None, is_filter: false }
    }

    /// The same filters under another name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Sends this token with each request.
    pub(super) fn with_token(self, token: &'static str) -> Self {
        Self { token: Some(token), ..self }
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

/// An Envoy with a listener for each row. The route answers, so no upstream is measured.
pub(super) fn bootstrap(rows: &[Row]) -> Value {
    let listeners: Vec<Value> = rows.iter().map(listener).collect();
    json!({"static_resources": {"listeners": listeners}})
}

fn listener(row: &Row) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<Value> = row.filters.iter().cloned().chain([router]).collect();
    json!({
        "name": row.name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench",
                "codec_type": "AUTO",
                "use_remote_address": true,
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
                ]}]},
                "http_filters": filters,
            },
        }]}],
    })
}
