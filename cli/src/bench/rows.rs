//! The listeners that are compared.

use std::path::Path;

use serde_json::{Value, json};

/// The listener without any filter, from which all is reckoned.
pub(super) const BARE: &str = "no filter";
/// The listener with the module that does nothing.
pub(super) const NOOP: &str = "Wasm, does nothing";

/// Makes the rows of a filter's bench, in the order of the table: its module, and an empty folder for
/// what is built only for the bench.
pub(crate) type Rows = fn(module: &Path, folder: &Path) -> anyhow::Result<Vec<Row>>;

/// A listener with the filters that are measured, and what is sent to it.
pub(crate) struct Row {
    pub(super) name: &'static str,
    filters: Vec<Value>,
    /// A bearer token.
    pub(super) token: Option<&'static str>,
}

impl Row {
    pub(super) const fn new(name: &'static str, filters: Vec<Value>) -> Self {
        Self { name, filters, token: None }
    }

    /// Sends this token with each request.
    pub(super) const fn with_token(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }
}

/// A module as a filter. Each row has a VM of its own.
pub(super) fn wasm(name: &'static str, module: &Path, config: &Value) -> Row {
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

/// An Envoy with a listener for each row, which answers by itself.
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
