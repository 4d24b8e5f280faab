//! The host calls of typical requests. A change that adds one costs every request: it must be worth it.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jwt_authz::filter::JwtAuthz;
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn config(top: &Value) -> String {
    let key = json!({"kty": "oct", "k": BASE64.encode(SECRET)});
    let mut config = json!({
        "providers": [{
            "name": "main", "issuer": "i", "audiences": ["a"], "algorithms": ["HS256"],
            "jwks": {"inline": {"keys": [key]}}, "forward_token": true,
        }],
        "rules": [{"name": "admins", "action": "allow", "claims": [{"claim": "role", "equals": "admin"}]}],
    });
    for (name, value) in top.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.to_string()
}

fn token() -> String {
    let part = |value: Value| BASE64.encode(value.to_string());
    let claims = json!({"iss": "i", "aud": "a", "sub": "alice", "role": "admin", "exp": 2_000_000_000});
    let signed = format!("{}.{}", part(json!({"alg": "HS256"})), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// `cold` and `warm`: the calls of the first request with a token and of the next, each with its response.
#[track_caller]
fn check(top: &Value, cold: &str, warm: &str) {
    let proxy = Proxy::<JwtAuthz>::start(&config(top));
    let authorization = format!("Bearer {}", token());
    // The wall clock is read once a second.
    proxy.request(&[(":method", "GET"), (":path", "/")]).end();
    for expected in [cold, warm] {
        proxy.host().reset_counts();
        let stream = proxy.request(&[
            (":method", "GET"),
            (":path", "/api/items?page=2"),
            (":authority", "api.example.com"),
            (":scheme", "https"),
            ("user-agent", "Mozilla/5.0"),
            ("accept", "application/json"),
            ("authorization", &authorization),
        ]);
        assert_eq!(stream.fate(), Fate::Continued);
        stream.respond(&[(":status", "200")]);
        stream.end();
        assert_eq!(proxy.host().counts(), expected);
    }
}

#[test]
fn a_token_that_is_checked_and_one_that_is_remembered() {
    let calls = "request headers: 1 clock_time_get, 1 get_header_map_pairs, 3 increment_metric [1 buffer]\n";
    check(&json!({}), calls, calls);
}

#[test]
fn claims_for_the_upstream() {
    let key = json!({"kty": "oct", "k": BASE64.encode(SECRET)});
    let provider = json!({
        "name": "main", "issuer": "i", "audiences": ["a"], "algorithms": ["HS256"],
        "jwks": {"inline": {"keys": [key]}}, "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
    });
    let calls = "request headers: 1 clock_time_get, 1 get_header_map_pairs, 3 increment_metric, \
         1 remove_header_map_value, 1 replace_header_map_value [1 buffer]\n";
    check(&json!({"providers": [provider]}), calls, calls);
}

#[test]
fn off() {
    let calls = "request headers: 1 get_header_map_pairs [1 buffer]\n";
    check(&json!({"mode": "off"}), calls, calls);
}
