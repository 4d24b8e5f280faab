//! The rate-limit filter beside Envoy's `local_ratelimit` and beside modules that do nothing.

use std::path::Path;

use serde_json::json;

use super::by_hand;
use super::rows::{ANSWERED, Row, wasm};
use super::sdk;
use crate::module;

/// Far more than the bench sends: every request is admitted and charged.
const RATE: &str = "1s";
const REQUESTS: u64 = 1_000_000;

/// The rows, in the order of the table. `folder` takes modules that are built for the bench only.
pub(crate) fn rows(filter: &Path, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let by_hand = |name, text| by_hand::row(name, text, folder);
    let noop = module::NOOP.build()?;
    let [sdk, sdk_trimmed] = sdk::rows(folder)?;
    let ours = |name, config| wasm(name, filter, config).of_filter();
    let rate = json!({"requests": REQUESTS, "per": RATE});
    let global = json!({"limits": [{"name": "global", "rate": rate}], "response_headers": []});
    let per_client = json!({"limits": [{"name": "per-client", "key": ["client_ip"], "rate": rate}]});
    let matched = json!({"limits": [{
        "name": "per-key", "match": {"path": {"prefix": "/api/"}}, "key": [{"header": "x-api-key"}], "rate": rate,
    }]});
    Ok(vec![
        Row::new(ANSWERED.bare, Vec::new()),
        by_hand("Wasm, smallest by hand", include_str!("smallest.wat"))?,
        wasm(ANSWERED.noop, &noop, &json!({})),
        sdk,
        sdk_trimmed,
        native(),
        by_hand("one bucket's host calls", include_str!("host_calls.wat"))?,
        ours("global, no headers", &global),
        by_hand("one client's host calls", include_str!("client_calls.wat"))?,
        ours("per client, all defaults", &per_client),
        ours("per API key on a path", &matched),
    ])
}

/// Envoy's filter with one bucket.
pub(super) fn native() -> Row {
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
