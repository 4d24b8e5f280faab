//! The rate-limit filter beside Envoy's own and beside modules that do nothing.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::rows::{BARE, NOOP, Row, wasm};
use crate::module;

/// Far above what the bench asks for: every request is admitted and charged.
const RATE: &str = "1s";
const REQUESTS: u64 = 1_000_000;

/// The rows, in the order of the table.
pub(crate) fn rows(filter: &Path, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let by_hand = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, wat::parse_str(text)?)?;
        Ok(path)
    };
    let smallest = by_hand("smallest.wasm", include_str!("smallest.wat"))?;
    let host_calls = by_hand("host_calls.wasm", include_str!("host_calls.wat"))?;
    let noop = module::NOOP.build()?;
    let rate = json!({"requests": REQUESTS, "per": RATE});
    let global = json!({"limits": [{"name": "global", "rate": rate}], "response_headers": []});
    let per_client = json!({"limits": [{"name": "per-client", "key": ["client_ip"], "rate": rate}]});
    let matched = json!({"limits": [{
        "name": "per-key", "match": {"path": {"prefix": "/api/"}}, "key": [{"header": "x-api-key"}], "rate": rate,
    }]});
    Ok(vec![
        Row::new(BARE, Vec::new()),
        wasm("Wasm, smallest by hand", &smallest, &json!({})),
        wasm(NOOP, &noop, &json!({})),
        native(),
        wasm("one bucket's host calls", &host_calls, &json!({})),
        wasm("global, no headers", filter, &global),
        wasm("per client, all defaults", filter, &per_client),
        wasm("per API key on a path", filter, &matched),
    ])
}

/// Envoy's own filter with one bucket.
fn native() -> Row {
    let always = json!({"default_value": {"numerator": 100}});
    let filter = json!({
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "native",
            "token_bucket": {"max_tokens": REQUESTS, "tokens_per_fill": REQUESTS, "fill_interval": RATE},
            "filter_enabled": always,
            "filter_enforced": always,
        },
    });
    Row::new("native local_ratelimit", vec![filter])
}
