//! Authorization on routes: keys and verified tokens are the block's, and a request has to pass every route that may be its own.

use super::{request, routed, status};
use crate::blocks::{authorization, canary, header, jwt_authz, suite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use std::time::Duration;
use suite::filter::SuiteFilter;

/// Lets in nobody.
fn closed() -> Value {
    json!({"default": "deny"})
}

/// Lets in everybody.
fn open() -> Value {
    json!({"default": "allow"})
}

/// Lets in this user.
fn only(user: &str) -> Value {
    json!({"rules": [{"name": "r", "action": "allow", "claims": [{"claim": "sub", "equals": user}]}]})
}

/// The config that a block has in `jwt_authz`, with these fields in place of its own.
fn block(fields: &Value) -> Value {
    let mut block = jwt_authz();
    for field in ["default", "rules"] {
        block["jwt_authz"].as_object_mut().unwrap().remove(field);
    }
    for (name, value) in fields.as_object().unwrap() {
        block["jwt_authz"][name] = value.clone();
    }
    block
}

#[test]
fn a_route_has_rules_of_its_own() {
    let routes = [("/alice", only("alice")), ("/open", open()), ("/off", json!({"mode": "off"}))];
    let proxy = suite(&[routed(block(&closed()), &routes)]);
    let [alice, bob] = ["alice", "bob"].map(authorization);
    let [alice, bob] = [&alice, &bob].map(|token| [("authorization", token.as_str())]);
    for (target, headers, expected) in [
        ("/", &alice[..], 403),
        ("/alice", &alice, 0),
        ("/alice", &bob, 403),
        ("/alice", &[], 401),
        ("/open", &[], 0),
        ("/open", &[("authorization", "Bearer a.b.c")], 401),
        ("/off", &[("authorization", "Bearer a.b.c")], 0),
        ("/", &[], 401),
    ] {
        assert_eq!(status(&proxy, target, headers), expected, "{target}");
    }
}

/// `/a%2Fb` is `/a/b` to some upstreams, and a path of one segment to others.
#[test]
fn a_request_has_to_pass_every_route_that_may_be_its_own() {
    let kept = |mut config: Value| {
        config["escaped_slashes"] = json!("keep");
        config
    };
    for (route, own, expected) in [
        (open(), open(), 0),
        (open(), closed(), 401),
        (closed(), open(), 401),
        (closed(), closed(), 401),
        (json!({"mode": "off"}), open(), 0),
        (json!({"mode": "off"}), closed(), 401),
        (json!({"mode": "shadow", "default": "deny"}), open(), 0),
    ] {
        let shown = format!("{route} {own}");
        let proxy = suite(&[routed(block(&kept(own)), &[("/a/b", kept(route))])]);
        assert_eq!(status(&proxy, "/a%2Fb", &[]), expected, "{shown}");
    }
}

/// The route's default is to refuse such a path.
#[test]
fn a_route_that_may_be_its_own_refuses_an_escaped_slash() {
    let mut own = open();
    own["escaped_slashes"] = json!("keep");
    let proxy = suite(&[routed(block(&own), &[("/a/b", open())])]);
    assert_eq!(["/a%2Fb", "/c%2Fd"].map(|target| status(&proxy, target, &[])), [400, 0]);
}

#[test]
fn a_request_that_passes_several_routes_is_counted_once() {
    let mut config = only("alice");
    config["escaped_slashes"] = json!("keep");
    let proxy = suite(&[routed(block(&config), &[("/a/b", config)])]);
    let stream = proxy.request(&request("/a%2Fb", &[("authorization", &authorization("alice"))]));
    assert_eq!(stream.fate(), Fate::Continued);
    stream.end();
    let counted = |name: &str| proxy.host().metric(&format!("mesh_filters.jwt_authz.{name}"));
    let [allowed, misses, hits] = ["allowed", "cache_miss", "cache_hit"].map(counted);
    assert_eq!((allowed, misses + hits), (1, 1));
    assert_eq!(status(&proxy, "/a%2Fb", &[("authorization", &authorization("bob"))]), 403);
    assert_eq!(counted("reason=.=no_rule;.;denied"), 1);
}

#[test]
fn all_routes_remember_the_same_tokens() {
    let proxy = suite(&[routed(block(&only("alice")), &[("/a", only("alice"))])]);
    let token = authorization("alice");
    assert_eq!(["/", "/a", "/a"].map(|target| status(&proxy, target, &[("authorization", &token)])), [0; 3]);
    let counted = |name: &str| proxy.host().metric(&format!("mesh_filters.jwt_authz.{name}"));
    assert_eq!(["cache_miss", "cache_hit"].map(counted), [1, 2]);
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The answer of the key server.
fn keys() -> Vec<u8> {
    let x = BASE64.encode(key().verifying_key().as_bytes());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).to_string().into_bytes()
}

/// An `authorization` header of a user, with a signature of that key.
fn signed(user: &str) -> String {
    let part = |value: Value| BASE64.encode(value.to_string());
    let claims = json!({"iss": "i", "aud": "a", "sub": user, "exp": 2_000_000_000});
    let signed = format!("{}.{}", part(json!({"alg": "EdDSA"})), part(claims));
    format!("Bearer {signed}.{}", BASE64.encode(key().sign(signed.as_bytes()).to_bytes()))
}

/// A block whose keys come from a server, with routes.
fn fetching(own: &Value, routes: &[(&str, Value)]) -> Proxy<SuiteFilter> {
    let mut block = block(own);
    let provider = &mut block["jwt_authz"]["providers"][0];
    provider["algorithms"] = json!(["EdDSA"]);
    provider["jwks"] =
        json!({"remote": {"cluster": "keys", "host": "auth.example", "path": "/keys", "wait": "5s"}});
    let proxy = suite(&[routed(block, routes)]);
    proxy.host().add_cluster("keys");
    proxy
}

/// Requests of a user wait, and the key server answers its only call.
fn after_waiting(proxy: &Proxy<SuiteFilter>, targets: &[&str]) -> Vec<Fate> {
    let authorization = signed("alice");
    let begin = |target: &&str| proxy.request(&request(target, &[("authorization", &authorization)]));
    let streams: Vec<_> = targets.iter().map(begin).collect();
    proxy.advance(Duration::from_millis(10));
    assert!(streams.iter().all(|stream| stream.fate() == Fate::Waiting));
    let calls = proxy.host().calls();
    assert_eq!(calls.len(), 1);
    proxy.respond(calls[0].id, &[(":status", "200")], &keys());
    proxy.advance(Duration::from_secs(1));
    let fates = streams.iter().map(|stream| stream.fate()).collect();
    streams.into_iter().for_each(mesh_host::testing::Stream::end);
    fates
}

#[test]
fn all_routes_have_the_same_keys() {
    let proxy = fetching(&only("alice"), &[("/a", only("alice")), ("/b", only("alice"))]);
    assert_eq!(after_waiting(&proxy, &["/", "/a", "/b"]), [Fate::Continued; 3]);
}

/// A push that moves the rules to other routes needs no keys.
#[test]
fn a_config_push_keeps_the_keys_of_all_routes() {
    let proxy = fetching(&only("alice"), &[]);
    assert_eq!(after_waiting(&proxy, &["/"]), [Fate::Continued]);
    let mut next = block(&closed());
    next["jwt_authz"]["providers"][0]["algorithms"] = json!(["EdDSA"]);
    next["jwt_authz"]["providers"][0]["jwks"] =
        json!({"remote": {"cluster": "keys", "host": "auth.example", "path": "/keys", "wait": "5s"}});
    let next = json!({"filters": [routed(next, &[("/a", only("alice")), ("/b", only("bob"))])]});
    proxy.configure(&next.to_string()).unwrap();
    let headers = [("authorization", &*signed("alice"))];
    assert_eq!(["/", "/a", "/b"].map(|target| status(&proxy, target, &headers)), [403, 0, 403]);
    assert_eq!(proxy.host().calls().len(), 0);
}

/// The request waits for the first of its routes, and then has to pass the second one.
#[test]
fn a_request_that_has_waited_has_to_pass_every_route() {
    let kept = |user: &str| {
        let mut config = only(user);
        config["escaped_slashes"] = json!("keep");
        config
    };
    for (route, own, expected) in [
        ("alice", "alice", Fate::Continued),
        ("alice", "bob", Fate::Replied),
        ("bob", "alice", Fate::Replied),
    ] {
        let proxy = fetching(&kept(own), &[("/a/b", kept(route))]);
        assert_eq!(after_waiting(&proxy, &["/a%2Fb"]), [expected], "{route} {own}");
    }
}

#[test]
fn a_spoofed_header_stays_out_on_every_route() {
    let mut own = block(&open());
    own["jwt_authz"]["providers"][0]["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    let routes = [("/a", open()), ("/off", json!({"mode": "off"})), ("/shadow", json!({"mode": "shadow"}))];
    let proxy = suite(&[routed(own, &routes)]);
    for target in ["/", "/a", "/off", "/shadow"] {
        for spelling in ["x-user", "x_user"] {
            let stream = proxy.request(&request(target, &[(spelling, "admin"), ("x-kept", "1")]));
            let left: Vec<_> =
                stream.request_headers().into_iter().filter(|(name, _)| name.starts_with('x')).collect();
            assert_eq!(left, [("x-kept".to_owned(), "1".to_owned())], "{target} {spelling}");
            assert!(stream.trailers(&[(spelling, "admin"), ("x-kept", "1")]));
            let left = stream.request_trailers();
            assert_eq!(left, [("x-kept".to_owned(), "1".to_owned())], "{target} {spelling}");
            stream.end();
        }
    }
}

/// Behind the block, claims are those that the route has verified.
#[test]
fn claims_of_a_route_reach_the_blocks_behind() {
    let proxy = suite(&[
        routed(block(&only("alice")), &[("/a", only("alice")), ("/off", json!({"mode": "off"}))]),
        canary("alice"),
    ]);
    let variant = |target: &str| {
        let stream = proxy.request(&request(target, &[("authorization", &authorization("alice"))]));
        let variant = header(&stream, "x-variant");
        stream.end();
        variant
    };
    let [v1, v2] = ["v1", "v2"].map(|name| Some(name.to_owned()));
    assert_eq!(["/", "/a", "/off"].map(variant), [v2.clone(), v2, v1]);
}
