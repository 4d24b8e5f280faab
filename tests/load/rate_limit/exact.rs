//! Both bounds of a limit, with two workers and load far above it.

use crate::alone;
use e2e::{Gateway, Plugin, Setup, get, show};
use mesh_filters::http::{Load, Report, StatusCode, Turn, Until};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 16;
const TIME: Duration = Duration::from_secs(12);

async fn gateway(limit: Value) -> Gateway {
    let plugin = Plugin::new(RATE_LIMIT, json!({"limits": [limit]}));
    Setup::default().workers(2).direct().plugins(&[plugin]).start().await
}

/// A request as its client saw it.
#[derive(Clone, Copy)]
struct Seen {
    sent: Instant,
    done: Instant,
    is_admitted: bool,
}

/// Sends as many requests as possible, each with the number of its key. Returns those of each key in the order of their
/// responses.
async fn flood(gateway: &Gateway, key: fn(Turn) -> usize, keys: usize) -> (Report, Vec<Vec<Seen>>) {
    // When the request under way on each connection was sent.
    let sent = Arc::new(Mutex::new([Instant::now(); CONNECTIONS]));
    let sending = Arc::clone(&sent);
    let seen = Arc::new(Mutex::new(vec![Vec::new(); keys]));
    let seeing = Arc::clone(&seen);
    let load = Load::http1(gateway.address, CONNECTIONS, Until::Elapsed(TIME));
    let report = load
        .run(
            move |turn| {
                let request = get("/", &[("x-key", &key(turn).to_string())]);
                sending.lock().unwrap()[turn.connection] = Instant::now();
                request
            },
            move |turn, answer| {
                let (sent, is_admitted) =
                    (sent.lock().unwrap()[turn.connection], answer.status == StatusCode::OK);
                let mut seen = seeing.lock().unwrap();
                seen[key(turn)].push(Seen { sent, done: Instant::now(), is_admitted });
            },
        )
        .await
        .unwrap();
    assert_eq!(report.errors, 0, "{:?}", report.example);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (report, seen)
}

/// The most that a bucket may admit in this time.
fn most(rate: u64, burst: u64, time: Duration) -> u64 {
    let most = u128::from(burst) + u128::from(rate) * time.as_nanos() / 1_000_000_000;
    u64::try_from(most).unwrap()
}

/// The least that a bucket may have admitted.
///
/// At its last refusal it held less than a token, so it had admitted all that it had gained. It gains nothing while it is full,
/// which it becomes only if no request comes for long.
fn least(rate: u64, burst: u64, seen: &[Seen]) -> f64 {
    let (rate, burst) = (rate as f64, burst as f64);
    let Some(last) = seen.iter().rposition(|seen| !seen.is_admitted) else { return seen.len() as f64 };
    // The most that the bucket may have held after a request, and when it may have been full.
    let mut level = burst;
    let mut full = Vec::new();
    for (one, next) in seen[..last].iter().zip(&seen[1..]) {
        level = if one.is_admitted { level - 1.0 } else { level.min(1.0) };
        let from = one.sent + Duration::from_secs_f64((burst - level) / rate);
        if from < next.done {
            full.push((from, next.done));
        }
        level = burst.min(level + rate * next.done.duration_since(one.sent).as_secs_f64());
    }
    full.sort_unstable();
    let (mut time, mut counted) = (seen[last].sent.saturating_duration_since(seen[0].done), seen[0].sent);
    for (from, to) in full {
        time = time.saturating_sub(to.saturating_duration_since(from.max(counted)));
        counted = counted.max(to);
    }
    burst + rate * time.as_secs_f64() - 1.0
}

fn admitted(seen: &[Seen]) -> u64 {
    seen.iter().filter(|seen| seen.is_admitted).count() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_limit_under_load_is_exact() {
    const RATE: u64 = 100;
    const BURST: u64 = 50;
    let _turn = alone().await;
    let gateway =
        gateway(json!({"name": "all", "rate": {"requests": RATE, "per": "1s"}, "burst": BURST})).await;
    let (report, seen) = flood(&gateway, |_| 0, 1).await;
    let admitted = admitted(&seen[0]);
    let (most, least) = (most(RATE, BURST, report.elapsed()), least(RATE, BURST, &seen[0]));
    show(&format!(
        "100/s burst 50: {admitted} admitted of {} in {:.3} s; at most {most}, at least {least:.1}",
        report.answers(),
        report.elapsed().as_secs_f64(),
    ));
    assert!(report.answers() > 10 * most, "not far above the limit");
    assert!(admitted <= most, "{admitted} admitted, at most {most} allowed");
    assert!(admitted as f64 >= least, "{admitted} admitted, at least {least} expected");
    assert_eq!(gateway.counted("all", "allowed").await, admitted);
    assert_eq!(gateway.counted("all", "error").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_keys_under_load_are_exact() {
    const KEYS: usize = 200;
    const RATE: u64 = 5;
    const BURST: u64 = 5;
    let _turn = alone().await;
    let gateway = gateway(json!({
        "name": "each", "key": [{"header": "x-key"}], "rate": {"requests": RATE, "per": "1s"}, "burst": BURST,
    }))
    .await;
    // Each connection sends its part of the keys in turn.
    let key = |turn: Turn| (turn.connection * 37 + usize::try_from(turn.sequence).unwrap()) % KEYS;
    let (report, seen) = flood(&gateway, key, KEYS).await;
    let most = most(RATE, BURST, report.elapsed());
    let by_key: Vec<u64> = seen.iter().map(|seen| admitted(seen)).collect();
    let total: u64 = by_key.iter().sum();
    let least: f64 = seen.iter().map(|seen| least(RATE, BURST, seen)).sum();
    show(&format!(
        "200 keys of 5/s burst 5: {total} admitted of {} in {:.3} s, at least {least:.1}; each at most {most}, seen {} to {}",
        report.answers(),
        report.elapsed().as_secs_f64(),
        by_key.iter().min().unwrap(),
        by_key.iter().max().unwrap(),
    ));
    for (key, admitted) in by_key.iter().enumerate() {
        assert!(*admitted <= most, "key {key}: {admitted} admitted, at most {most} allowed");
    }
    assert!(total as f64 >= least, "{total} admitted, at least {least} expected");
    assert_eq!(gateway.counted("each", "overflow").await, 0);
    gateway.assert_no_trap().await;
}
