//! Tests of the test harness.

use e2e::{Behaviour, KeyServer, Plugin, Setup, Upstream, Versions, eventually, get};
use mesh_filters::http::{self, Protocol, Response};
use mesh_filters::module::PROBE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

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
async fn an_upstream_fails_and_is_slow_as_it_is_told() {
    let upstream = Upstream::start().await;
    let status = async |headers: &[(&str, &str)]| {
        let answer = http::send(upstream.address(), Protocol::Http1, get("/", headers)).await.unwrap();
        answer.status.as_u16()
    };
    assert_eq!((status(&[]).await, status(&[("x-status", "404")]).await), (200, 404));
    upstream.fail(20);
    let mut failures = 0;
    for _ in 0..100 {
        failures += u32::from(status(&[]).await == 503);
    }
    assert_eq!((failures, upstream.begun()), (20, 102));
    upstream.fail(0);
    upstream.delay(Duration::from_millis(50));
    let begin = Instant::now();
    assert_eq!(status(&[]).await, 200);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    let arrivals = upstream.arrivals();
    assert!(arrivals.is_sorted() && arrivals.last().is_some_and(|last| *last >= begin));
}

#[tokio::test]
async fn each_version_has_its_route() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let gateway = versions.by_header(Setup::default(), "x-variant").start().await;
    for name in ["v1", "v2", ""] {
        let answer = gateway.send(get("/", &[("x-variant", name)])).await;
        assert_eq!(Versions::route(&answer), name);
    }
    let begun = [versions.get("v1").begun(), versions.get("v2").begun(), gateway.upstream.begun()];
    assert_eq!(begun, [1, 1, 1]);
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
