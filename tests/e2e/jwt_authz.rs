//! The jwt-authz filter, with real keys, tokens and key servers.

mod accepted;
mod attacks;
mod counters;
mod forwarding;
mod hostile;
mod overload;
mod push;
mod rotation;
mod rules;
mod trailers;

use e2e::token::{AUDIENCE, ISSUER};
use e2e::{Gateway, Key, KeyServer, Plugin, Setup, eventually, get, key_set};
use mesh_filters::http::Response;
use mesh_filters::registry::JWT_AUTHZ;
use serde_json::{Value, json};

fn plugin(config: Value) -> Plugin {
    Plugin::new(JWT_AUTHZ, config)
}

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[plugin(config)])
}

/// The object with the fields of `extra`, which replace its own.
fn with(mut object: Value, extra: Value) -> Value {
    let Value::Object(extra) = extra else { panic!("{extra}") };
    object.as_object_mut().unwrap().extend(extra);
    object
}

/// A provider of RS256 tokens with this key set, inline or remote.
fn provider(jwks: Value, extra: Value) -> Value {
    let provider =
        json!({"name": "main", "issuer": ISSUER, "audiences": [AUDIENCE], "algorithms": ["RS256"]});
    with(with(provider, json!({"jwks": jwks})), extra)
}

fn inline(keys: &[(&str, Key)]) -> Value {
    json!({"inline": key_set(keys)})
}

/// A remote key set in the cluster `jwks`.
fn remote(extra: Value) -> Value {
    let remote =
        json!({"cluster": "jwks", "host": "auth.example.com", "path": KeyServer::KEYS, "refresh": "1s"});
    json!({"remote": with(remote, extra)})
}

/// A config that allows all requests with a valid token, and no others.
fn config(provider: Value, extra: Value) -> Value {
    with(json!({"providers": [provider], "rules": [{"name": "signed", "action": "allow"}]}), extra)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn ask(gateway: &Gateway, path: &str, token: &str) -> Response {
    gateway.send(get(path, &[("authorization", &bearer(token))])).await
}

async fn status(gateway: &Gateway, token: &str) -> u16 {
    ask(gateway, "/", token).await.status.as_u16()
}

/// The access log's line for this path, without the path.
async fn logged(gateway: &Gateway, path: &str) -> String {
    let find = || {
        let log = gateway.access_log();
        log.lines().find_map(|line| Some(line.strip_prefix(path)?.strip_prefix(' ')?.to_owned()))
    };
    eventually("the access log", || async { find().is_some() }).await;
    find().unwrap()
}
