//! The jwt-authz filter beside Envoy's `jwt_authn` and `rbac` and beside modules that do nothing.
//!
//! The tokens and their keys were made for this bench; the private keys were not kept. "Cold" rows have no
//! cache of verified tokens, so every signature is checked; in "warm" rows the token is in the cache.

use std::path::Path;

use serde_json::{Value, json};

use super::rows::{ANSWERED, Row, wasm};
use super::sdk;
use crate::module;

const JWKS: &str = include_str!("jwt_authz/jwks.json");
pub(super) const RS256: &str = include_str!("jwt_authz/rs256.jwt").trim_ascii_end();
const ES256: &str = include_str!("jwt_authz/es256.jwt").trim_ascii_end();
const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "api.example.com";

/// The rows, in the order of the table. `folder` takes modules that are built for the bench only.
pub(crate) fn rows(filter: &Path, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let ours = |name: &str, cached: bool, token| {
        Ok::<_, anyhow::Error>(wasm(name, filter, &config(cached)?).with_token(token).of_filter())
    };
    let others = [Row::new(ANSWERED.bare, Vec::new()), wasm(ANSWERED.noop, &noop, &json!({}))];
    let mut rows: Vec<Row> =
        others.into_iter().chain(sdk::rows(folder)?).map(|row| row.with_token(RS256)).collect();
    for (kind, cached) in [("cold", false), ("warm", true)] {
        for (algorithm, token) in [("RS256", RS256), ("ES256", ES256)] {
            rows.push(native(&format!("native, {algorithm} {kind}"), cached).with_token(token));
            rows.push(ours(&format!("jwt-authz, {algorithm} {kind}"), cached, token)?);
        }
    }
    Ok(rows)
}

pub(super) fn config(cached: bool) -> anyhow::Result<Value> {
    let keys: Value = serde_json::from_str(JWKS)?;
    Ok(json!({
        "providers": [{
            "name": "main", "issuer": ISSUER, "audiences": [AUDIENCE], "algorithms": ["RS256", "ES256"],
            "jwks": {"inline": keys}, "forward_token": true,
        }],
        "rules": [{"name": "admins", "action": "allow", "claims": [{"claim": "role", "equals": "admin"}]}],
        "token_cache": {"entries": if cached { 1024 } else { 0 }},
    }))
}

/// Envoy's filters for the same policy.
pub(super) fn native(name: &str, cached: bool) -> Row {
    filters(name, provider(cached))
}

/// Envoy's filters for the same policy, with the token's subject in a header that the route may depend on.
pub(super) fn native_that_steers(name: &str) -> Row {
    let mut provider = provider(true);
    if let Some(provider) = provider.as_object_mut() {
        provider
            .insert("claim_to_headers".to_owned(), json!([{"header_name": "x-sub", "claim_name": "sub"}]));
        provider.insert("clear_route_cache".to_owned(), json!(true));
    }
    filters(name, provider)
}

/// `jwt_authn`'s provider of the tokens.
fn provider(cached: bool) -> Value {
    let mut provider = json!({
        "issuer": ISSUER, "audiences": [AUDIENCE], "forward": true, "payload_in_metadata": "claims",
        "local_jwks": {"inline_string": JWKS},
    });
    if let Some(provider) = provider.as_object_mut().filter(|_| cached) {
        provider.insert("jwt_cache_config".to_owned(), json!({"jwt_cache_size": 1024}));
    }
    provider
}

fn filters(name: &str, provider: Value) -> Row {
    let jwt_authn = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"main": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
        },
    });
    let is_admin = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "claims"}, {"key": "role"}],
        "value": {"string_match": {"exact": "admin"}},
    }});
    let rbac = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": {
                "admins": {"permissions": [{"any": true}], "principals": [is_admin]},
            }},
        },
    });
    Row::new(name, vec![jwt_authn, rbac])
}
