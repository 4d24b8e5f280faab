//! The suite beside modules that do nothing: a chain of all five filters, each active, with a token that is in the cache.

use std::path::Path;

use serde_json::{Value, json};

use super::jwt_authz;
use super::rows::{ANSWERED, Row, wasm};
use crate::module;

/// The rows, in the order of the table.
pub(crate) fn rows(filter: &Path, _folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let rows = [
        Row::new(ANSWERED.bare, Vec::new()),
        wasm(ANSWERED.noop, &noop, &json!({})),
        wasm("suite, one filter", filter, &json!({"filters": [rate_limit()]})).of_filter(),
        wasm("suite, five filters", filter, &all()?).of_filter(),
    ];
    Ok(rows.into_iter().map(|row| row.with_token(jwt_authz::RS256)).collect())
}

fn all() -> anyhow::Result<Value> {
    Ok(json!({"filters": [
        {"trace_context": {"generate": {"when_missing": true}}},
        {"jwt_authz": jwt_authz::config(true)?},
        rate_limit(),
        {"canary": {
            "default": "v1", "output": {"header": "x-mesh-variant"},
            "rules": [{"name": "testers", "match": {"headers": [{"name": "canary", "exact": "true"}]}, "variant": "v2"}],
        }},
        {"fault": {"rules": [{
            "name": "chaos", "match": {"headers": [{"name": "x-test-fault", "exact": "inject"}]},
            "abort": {"percentage": 10, "status": 503},
        }]}},
    ]}))
}

fn rate_limit() -> Value {
    let rate = json!({"requests": 1_000_000, "per": "1s"});
    json!({"rate_limit": {"limits": [{"name": "per-client", "key": ["client_ip"], "rate": rate}]}})
}
