//! Config pushes, and listeners that are removed, while streams are held.

use super::watch::Watch;
use super::{MARKER, at_rest, held, metric, rules, setup};
use crate::alone;
use e2e::{Gateway, Setup, Timed, eventually, get, measure, show};
use mesh_filters::http::{Load, Protocol, Until, send};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

const STREAMS: usize = 100;

fn config(name: &str, delay: &str, extra: Value) -> Value {
    let rules = rules(json!([
        {"name": name, "match": {"path": {"prefix": "/delay"}}, "delay": {"percentage": 100, "fixed": delay}},
        {"name": "never", "in_flight": {"at_least": 1_000_000}, "abort": {"percentage": 100, "status": 503}},
    ]));
    e2e::with(e2e::with(rules, json!({"max_active": STREAMS})), extra)
}

/// Sends requests on connections of their own, and waits until all are held.
async fn hold(gateway: &Gateway) -> JoinHandle<Vec<Timed>> {
    let load = Load::http1(gateway.address, STREAMS, Until::Requests(STREAMS as u64));
    let holding = tokio::spawn(measure(load, |_| get("/delay", &[])));
    held(gateway, STREAMS as u64).await;
    holding
}

/// Waits until both workers have the pushed config.
async fn pushed(gateway: &Gateway, version: u64) {
    eventually("the push", || async {
        gateway.stat("listener_manager.listener_create_success").await >= 2 * version
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_streams_keep_their_config_and_their_places() {
    const DELAY: Duration = Duration::from_secs(6);
    let _turn = alone().await;
    let old = setup(config("old", "6s", json!({}))).file_based();
    let gateway = old.clone().start().await;
    let watch = Watch::start(&gateway, 2 * STREAMS as u64);
    let successors = [
        ("new", setup(config("new", "50ms", json!({})))),
        ("off", setup(config("off", "50ms", json!({"mode": "off"})))),
        ("none", Setup::default()),
    ];
    let mut version = 1;
    for (name, successor) in successors {
        let holding = hold(&gateway).await;
        version += 1;
        gateway.push(&successor.file_based(), version);
        pushed(&gateway, version.into()).await;
        // The places are those of the plugin, whatever its config: none is left.
        let answer = gateway.send(get("/delay", &[])).await;
        assert_eq!((answer.status.as_u16(), answer.count(MARKER)), (200, 0), "{name}");
        assert_eq!(metric(&gateway, "active").await, STREAMS as u64, "{name}");
        for timed in holding.await.unwrap() {
            assert_eq!(
                (timed.answer.status.as_u16(), timed.answer.header(MARKER).as_deref()),
                (200, Some("old")),
                "{name}"
            );
            assert!(timed.took() >= DELAY, "{name}: {:?}", timed.took());
        }
        at_rest(&gateway).await;
        let answer = gateway.send(get("/delay", &[])).await;
        assert_eq!(answer.header(MARKER).as_deref(), Some("new").filter(|_| name == "new"), "{name}");
        version += 1;
        gateway.push(&old, version);
        pushed(&gateway, version.into()).await;
    }
    let seen = watch.stop().await;
    show(&format!("pushes while {STREAMS} are held: at most {:?} in {} looks", seen.most, seen.looks));
    assert_eq!(seen.active(), STREAMS as u64);
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

/// After its time to drain, the proxy closes the connections of a removed listener.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_listener_leaves_nothing_behind() {
    let _turn = alone().await;
    let setup = setup(config("r", "60s", json!({}))).file_based().drain_seconds(1);
    let mut gateway = setup.clone().start().await;
    let watch = Watch::start(&gateway, STREAMS as u64);
    for version in [2, 4] {
        let mut clients = JoinSet::new();
        for number in 0..STREAMS {
            let protocol = if number % 2 == 0 { Protocol::Http1 } else { Protocol::Http2 };
            clients.spawn(send(gateway.address, protocol, get("/delay", &[])));
        }
        held(&gateway, STREAMS as u64).await;
        gateway.remove_listener(version);
        while let Some(client) = clients.join_next().await {
            assert!(client.unwrap().is_err(), "a response");
        }
        at_rest(&gateway).await;
        // The plugin comes back, in another listener.
        gateway.push(&setup, version + 1);
        eventually("the listener", || async { gateway.envoy.listener("gateway").await.is_ok() }).await;
        gateway.address = gateway.envoy.listener("gateway").await.unwrap();
        assert_eq!(gateway.send(get("/", &[])).await.status, 200);
        at_rest(&gateway).await;
    }
    let seen = watch.stop().await;
    show(&format!("two listeners drained: at most {:?} in {} looks", seen.most, seen.looks));
    assert_eq!(gateway.envoy.ended(), None, "Envoy has crashed");
    gateway.assert_no_trap().await;
}
