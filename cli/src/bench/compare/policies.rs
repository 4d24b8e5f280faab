//! The configs of the five filters: each of them acts on the request that the bench sends.
//!
//! A request has a `traceparent` and a token, which is in the cache after the first request. Its `sub` is the key of the
//! limit and of the split.

use serde_json::{Value, json};

use crate::bench::{fault, jwt_authz};

/// Far more than the bench sends: every request is admitted and charged.
const REQUESTS: u64 = 1_000_000;

/// Where a key is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The token's `sub`, for filters behind jwt-authz.
    Claim,
    /// A header, for a filter alone.
    Header,
}

/// The blocks of the suite in the recommended order, each with its field in a block.
pub(super) fn blocks() -> anyhow::Result<[(&'static str, Value); 5]> {
    Ok([
        ("trace_context", trace_context()),
        ("jwt_authz", jwt_authz()?),
        ("rate_limit", rate_limit(Key::Claim)),
        ("canary", canary(Key::Claim)),
        ("fault", fault()),
    ])
}

/// The suite with all five filters.
pub(super) fn suite() -> anyhow::Result<Value> {
    let blocks: Vec<Value> = blocks()?.into_iter().map(|(name, config)| json!({name: config})).collect();
    Ok(json!({ "filters": blocks }))
}

/// The trace passes; where there is none, one begins.
pub(super) fn trace_context() -> Value {
    json!({"generate": {"when_missing": true}})
}

/// The token is verified and forwarded, and a rule asks for a claim.
pub(super) fn jwt_authz() -> anyhow::Result<Value> {
    jwt_authz::config(true)
}

/// The same for modules, which hand on claims through filter state.
pub(super) fn exporting_jwt_authz() -> anyhow::Result<Value> {
    let mut config = jwt_authz::config(true)?;
    if let Some(config) = config.as_object_mut() {
        config.insert("export".to_owned(), json!(["sub"]));
    }
    Ok(config)
}

/// One bucket for each user. No response headers, as with Envoy's filter.
pub(super) fn rate_limit(key: Key) -> Value {
    let rate = json!({"requests": REQUESTS, "per": "1s"});
    json!({"limits": [{"name": "per-user", "key": [part(key)], "rate": rate}], "response_headers": []})
}

/// A split that keeps each user on one variant.
pub(super) fn canary(key: Key) -> Value {
    json!({"split": {
        "name": "checkout", "sticky": [part(key)],
        "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}],
    }})
}

/// A rule that asks for a header which no request has.
pub(super) fn fault() -> Value {
    json!({"rules": [{
        "name": "chaos", "match": {"headers": [{"name": fault::HEADER, "exact": "inject"}]},
        "abort": {"percentage": 10, "status": 503},
    }]})
}

fn part(key: Key) -> Value {
    match key {
        Key::Claim => json!({"claim": "sub"}),
        Key::Header => json!({"header": "x-api-key"}),
    }
}
