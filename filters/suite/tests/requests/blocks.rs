//! Blocks, and requests that pass them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mesh_host::testing::{Proxy, Stream};
use serde_json::{Value, json};
use sha2::Sha256;
use suite::filter::SuiteFilter;

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// An `authorization` header of a user.
pub(crate) fn authorization(user: &str) -> String {
    let part = |value: Value| BASE64.encode(value.to_string());
    let claims = json!({"iss": "i", "aud": "a", "sub": user, "exp": 2_000_000_000});
    let signed = format!("{}.{}", part(json!({"alg": "HS256"})), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(signed.as_bytes());
    format!("Bearer {signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// A block that lets in requests with and without a token, and exports nothing.
pub(crate) fn jwt_authz() -> Value {
    let key = json!({"kty": "oct", "k": BASE64.encode(SECRET)});
    json!({"jwt_authz": {
        "providers": [{
            "name": "p", "issuer": "i", "audiences": ["a"], "algorithms": ["HS256"],
            "jwks": {"inline": {"keys": [key]}}, "forward_token": true,
        }],
        "default": "allow",
        "rules": [{"name": "known", "action": "allow", "token": "optional"}],
    }})
}

/// A block with one limit of one request per key.
pub(crate) fn rate_limit(key: &Value) -> Value {
    json!({"rate_limit": {"limits": [
        {"name": "l", "key": [key], "rate": {"requests": 1, "per": "1h"}, "burst": 1},
    ]}})
}

/// With a name.
pub(crate) fn named(mut block: Value, name: &str) -> Value {
    block["name"] = json!(name);
    block
}

/// A block that sends a user to v2.
pub(crate) fn canary(user: &str) -> Value {
    json!({"canary": {
        "output": {"header": "x-variant"}, "default": "v1",
        "rules": [{"name": "r", "match": {"claims": [{"claim": "sub", "equals": user}]}, "variant": "v2"}],
    }})
}

/// A block that answers requests with `x-fault` with this status.
pub(crate) fn fault(status: u16) -> Value {
    json!({"fault": {"rules": [{
        "name": "r", "match": {"headers": [{"name": "x-fault", "present": true}]},
        "abort": {"percentage": 100, "status": status},
    }]}})
}

/// A config with these blocks.
pub(crate) fn config_of(blocks: &[Value]) -> String {
    json!({"filters": blocks}).to_string()
}

pub(crate) fn suite(blocks: &[Value]) -> Proxy<SuiteFilter> {
    Proxy::start(&config_of(blocks))
}

/// The headers of a request to a target, with these in addition.
pub(crate) fn request<'a>(target: &'a str, headers: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let first = [(":method", "GET"), (":path", target), (":authority", "a.example")];
    [first.as_slice(), headers].concat()
}

pub(crate) fn send<'a>(proxy: &'a Proxy<SuiteFilter>, headers: &[(&str, &str)]) -> Stream<'a, SuiteFilter> {
    proxy.request(&request("/", headers))
}

/// The status of the reply, 0 if the request goes on.
pub(crate) fn status(proxy: &Proxy<SuiteFilter>, target: &str, headers: &[(&str, &str)]) -> u16 {
    let stream = proxy.request(&request(target, headers));
    let status = stream.reply().map_or(0, |reply| reply.status);
    stream.end();
    status
}

pub(crate) fn header(stream: &Stream<'_, SuiteFilter>, name: &str) -> Option<String> {
    stream.request_headers().into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}
