//! Memory is bounded, whatever keys an attacker sends.

use crate::alone;
use e2e::{Plugin, Setup, eventually, get, show};
use mesh_filters::envoy::usage::resident_bytes;
use mesh_filters::http::{Load, Protocol, StatusCode, Until};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::json;

/// The module does not keep the headers of requests in progress.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_do_not_hold_their_headers() {
    const STREAMS: usize = 300;
    const HEADER: usize = 200 << 10;
    let _turn = alone().await;
    let growth = async |key: &str| {
        let limit = json!({"name": "l", "key": [{"header": key}], "on_missing_key": "shared",
            "rate": {"requests": 1_000_000, "per": "1s"}});
        let config = if key.is_empty() { json!({}) } else { json!({"limits": [limit]}) };
        let gateway = Setup::default().workers(1).plugins(&[Plugin::new(RATE_LIMIT, config)]).start().await;
        let before = resident_bytes(gateway.envoy.pid()).unwrap();
        let big = "x".repeat(HEADER);
        let waiting: Vec<_> = (0..STREAMS)
            .map(|_| {
                let request = get("/", &[("x-big", &big), ("x-slow", "20000")]);
                tokio::spawn(mesh_filters::http::send(gateway.address, Protocol::Http1, request))
            })
            .collect();
        eventually("all under way", || async {
            gateway.stat("cluster.upstream.upstream_rq_active").await == STREAMS as u64
        })
        .await;
        // What the proxy has still to send is memory, too.
        eventually("all sent", || async { gateway.upstream.whole() == STREAMS }).await;
        let growth = resident_bytes(gateway.envoy.pid()).unwrap().saturating_sub(before);
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        growth
    };
    // The proxy itself holds the headers; a filter that reads them must not double this.
    let (without, with) = (growth("").await, growth("x-key").await);
    show(&format!(
        "{STREAMS} open streams: {} KB without a limit, {} KB with one",
        without >> 10,
        with >> 10
    ));
    assert!(with < without + (STREAMS * HEADER / 4) as u64, "{without} without a limit, {with} with one");
}

const KEYS: u64 = 1_000_000;
const MAX_GROWTH: u64 = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_keys_take_no_more_memory_than_the_table_has() {
    let _turn = alone().await;
    let plugin = Plugin::new(
        RATE_LIMIT,
        json!({
            "capacity": 65536,
            "limits": [{"name": "each", "key": [{"header": "x-key"}], "rate": {"requests": 2, "per": "1h"}}],
            "response_headers": [],
        }),
    );
    let gateway = Setup::default().workers(2).direct().plugins(&[plugin]).start().await;
    // Before the first request.
    let before = resident_bytes(gateway.envoy.pid()).unwrap();
    let ask = async |key: &str| gateway.send(get("/", &[("x-key", key)])).await.status;
    // Clients that have used up their tokens before the flood.
    let used_up: Vec<String> = (0..50).map(|client| format!("client-{client}")).collect();
    for client in &used_up {
        let statuses = [ask(client).await, ask(client).await, ask(client).await];
        assert_eq!(statuses.map(|status| status.as_u16()), [200, 200, 429]);
    }
    let load = Load::http2(gateway.address, 8, 16, Until::Requests(KEYS));
    let report = load
        .run(|turn| get("/", &[("x-key", &format!("{}-{}", turn.connection, turn.sequence))]), |_, _| {})
        .await
        .unwrap();
    let growth = resident_bytes(gateway.envoy.pid()).unwrap().saturating_sub(before);
    let (admitted, overflow) = (report.count(StatusCode::OK), gateway.counted("each", "overflow").await);
    show(&format!(
        "{} keys in {:.0} s: {admitted} admitted, {overflow} found no slot; resident memory grew by {:.1} MB",
        report.answers(),
        report.elapsed().as_secs_f64(),
        growth as f64 / f64::from(1 << 20),
    ));
    assert_eq!((report.answers(), report.errors), (KEYS, 0), "{:?}", report.example);
    assert!(growth < MAX_GROWTH, "resident memory grew by {growth} bytes");
    // Every slot was taken, and clients without a slot share the overflow of their set.
    assert!(overflow > KEYS / 2, "{overflow}");
    assert!(admitted < KEYS / 2, "{admitted}");
    // Refused clients are not admitted early.
    for client in &used_up {
        assert_eq!(ask(client).await, StatusCode::TOO_MANY_REQUESTS, "{client}");
    }
    assert_eq!(gateway.counted("each", "error").await, 0);
    gateway.assert_no_trap().await;
}
