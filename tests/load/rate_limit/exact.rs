//! Both bounds of a limit, with two workers and load far above it.

use crate::alone;
use e2e::{Gateway, Plugin, Setup, get, show};
use mesh_filters::http::{Load, StatusCode, Until};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const CONNECTIONS: usize = 16;
const TIME: Duration = Duration::from_secs(20);

async fn gateway(limit: Value) -> Gateway {
    let plugin = Plugin::new(RATE_LIMIT, json!({"limits": [limit]}));
    Setup::default().workers(2).direct().plugins(&[plugin]).start().await
}

/// The maximum that a bucket may admit in this time, and 99 % of it.
fn bounds(rate: u64, burst: u64, time: Duration) -> (u64, u64) {
    let most = u128::from(burst) + u128::from(rate) * time.as_nanos() / 1_000_000_000;
    let most = u64::try_from(most).unwrap();
    (most, most * 99 / 100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_limit_under_load_is_exact() {
    let _turn = alone().await;
    let gateway = gateway(json!({"name": "all", "rate": {"requests": 100, "per": "1s"}, "burst": 50})).await;
    let load = Load::http1(gateway.address, CONNECTIONS, Until::Elapsed(TIME));
    let report = load.run(|_| get("/", &[]), |_, _| {}).await.unwrap();
    let admitted = report.count(StatusCode::OK);
    let (most, least) = bounds(100, 50, report.elapsed());
    show(&format!(
        "100/s burst 50: {admitted} admitted of {} in {:.3} s; at most {most}, at least {least}",
        report.answers(),
        report.elapsed().as_secs_f64(),
    ));
    assert_eq!(report.errors, 0, "{:?}", report.example);
    assert!(report.answers() > 10 * most, "not far above the limit");
    assert!(admitted <= most, "{admitted} admitted, at most {most} allowed");
    assert!(admitted >= least, "{admitted} admitted, at least {least} expected");
    assert_eq!(gateway.counted("all", "allowed").await, admitted);
    assert_eq!(gateway.counted("all", "error").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_keys_under_load_are_exact() {
    const KEYS: usize = 200;
    let _turn = alone().await;
    let gateway = gateway(json!({
        "name": "each", "key": [{"header": "x-key"}], "rate": {"requests": 5, "per": "1s"}, "burst": 5,
    }))
    .await;
    // Admitted requests by key: each connection sends its part of the keys in turn.
    let key =
        |connection: usize, sequence: u64| (connection * 37 + usize::try_from(sequence).unwrap()) % KEYS;
    let admitted: Arc<Vec<AtomicU64>> = Arc::new((0..KEYS).map(|_| AtomicU64::new(0)).collect());
    let counting = admitted.clone();
    let load = Load::http1(gateway.address, CONNECTIONS, Until::Elapsed(TIME));
    let report = load
        .run(
            move |turn| get("/", &[("x-key", &key(turn.connection, turn.sequence).to_string())]),
            move |turn, answer| {
                if answer.status == StatusCode::OK {
                    counting[key(turn.connection, turn.sequence)].fetch_add(1, Ordering::Relaxed);
                }
            },
        )
        .await
        .unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    let (most, least) = bounds(5, 5, report.elapsed());
    let by_key: Vec<u64> = admitted.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    let total: u64 = by_key.iter().sum();
    show(&format!(
        "200 keys of 5/s burst 5: {total} admitted of {} in {:.3} s; each at most {most}, seen {} to {}",
        report.answers(),
        report.elapsed().as_secs_f64(),
        by_key.iter().min().unwrap(),
        by_key.iter().max().unwrap(),
    ));
    for (key, admitted) in by_key.iter().enumerate() {
        assert!(*admitted <= most, "key {key}: {admitted} admitted, at most {most} allowed");
    }
    // A key that is late loses no tokens as long as its bucket is not full, so 99 % of all tokens are used.
    assert!(total >= least * KEYS as u64, "{total} admitted, at least {} expected", least * KEYS as u64);
    assert_eq!(gateway.counted("each", "overflow").await, 0);
    gateway.assert_no_trap().await;
}
