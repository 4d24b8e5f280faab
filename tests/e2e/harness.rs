//! Tests of the test harness.

use e2e::{Behaviour, KeyServer, Plugin, Setup, eventually, get};
use mesh_filters::http::{self, Protocol, Response};
use mesh_filters::module::PROBE;
use serde_json::{Value, json};
use std::time::Duration;

async fn ask(server: &KeyServer, path: &str) -> anyhow::Result<Response> {
    http::send(server.address(), Protocol::Http1, get(path, &[])).await
}

async fn fetch(server: &KeyServer) -> (u16, String) {
    let answer = ask(server, KeyServer::KEYS).await.unwrap();
    (answer.status.as_u16(), answer.text())
}

#[tokio::test]
async fn a_key_server_behaves_as_it_is_told() {
    let mut server = KeyServer::start().await;
    assert_eq!(fetch(&server).await, (200, r#"{"keys":[]}"#.to_owned()));
    server.serve(&json!({"keys": ["k"]}));
    server.headers(&[("cache-control", "max-age=1")]);
    let served = (200, r#"{"keys":["k"]}"#.to_owned());
    assert_eq!(fetch(&server).await, served);
    assert_eq!(
        ask(&server, KeyServer::KEYS).await.unwrap().header("cache-control").as_deref(),
        Some("max-age=1")
    );
    for (behaviour, status, beginning, length) in [
        (Behaviour::Slow(Duration::from_millis(1)), 200, r#"{"keys":["k"]}"#, 14),
        (Behaviour::Status(500), 500, "status 500", 10),
        (Behaviour::Html, 200, "<!doctype html>", 37),
        (Behaviour::Truncated, 200, r#"{"keys""#, 7),
        (Behaviour::Huge, 200, r#"{"keys":[],"padding":"xxx"#, (10 << 20) + 24),
        (Behaviour::Empty, 200, r#"{"keys":[]}"#, 11),
        (Behaviour::Redirect, 302, "", 0),
    ] {
        server.behave(behaviour.clone()).await;
        let (found, text) = fetch(&server).await;
        assert_eq!((found, text.len()), (status, length), "{behaviour:?}");
        assert!(text.starts_with(beginning), "{behaviour:?}");
    }
    server.behave(Behaviour::Held).await;
    let before = server.fetches();
    let held = tokio::spawn(http::send(server.address(), Protocol::Http1, get(KeyServer::KEYS, &[])));
    eventually("a request", || async { server.fetches() > before }).await;
    assert!(!held.is_finished());
    server.behave(Behaviour::Serve).await;
    assert_eq!(held.await.unwrap().unwrap().text(), served.1);
    server.behave(Behaviour::Silent).await;
    assert!(tokio::time::timeout(Duration::from_millis(100), fetch(&server)).await.is_err());
    server.behave(Behaviour::Refuse).await;
    assert!(ask(&server, KeyServer::KEYS).await.is_err());
    server.behave(Behaviour::Serve).await;
    assert_eq!(fetch(&server).await, served);
    assert_eq!(server.fetches(), 13);
    assert_eq!(ask(&server, "/other").await.unwrap().status, 404);
    server.discovery("i", "u");
    let discovered = ask(&server, KeyServer::DISCOVERY).await.unwrap();
    let discovered: Value = serde_json::from_slice(&discovered.body).unwrap();
    assert_eq!(discovered, json!({"issuer": "i", "jwks_uri": "u"}));
    assert_eq!((server.fetches_of("/other"), server.fetches_of(KeyServer::DISCOVERY)), (1, 1));
}

#[tokio::test]
async fn a_function_of_the_proxy_is_taken_away() {
    let probe = Plugin::new(PROBE, json!({}));
    let taken = probe.clone().without(&["proxy_call_foreign_function"]);
    for (plugin, expected) in [(probe, "NotFound"), (taken, "InternalFailure")] {
        let gateway = Setup::default().plugins(&[plugin]).start().await;
        let answer = gateway.send(get("/", &[("x-probe", "foreign")])).await;
        let found = answer.header("x-probe-foreign").unwrap();
        assert!(found.contains(expected), "{found}");
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn the_proxy_knows_other_clusters() {
    let server = KeyServer::start().await;
    let gateway = Setup::default()
        .plugins(&[Plugin::new(PROBE, json!({}))])
        .cluster("jwks", server.address())
        .start()
        .await;
    gateway.send(get("/", &[("x-probe", "http"), ("x-cluster", "jwks"), ("x-path", KeyServer::KEYS)])).await;
    assert_eq!(server.fetches(), 1);
    assert!(gateway.stat("cluster.jwks.upstream_rq_200").await == 1);
}
