//! Trips under load, with two workers.

use super::{DELAY, Sent, Users, WINDOW, arrived, counted, guard, guarded, start, trips, with};
use crate::canary::metric;
use anyhow::ensure;
use e2e::{Gateway, Versions, eventually, show, unspoilt};
use serde_json::json;
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const HOLD: Duration = Duration::from_secs(2);
/// How long a worker may not know what another one has written, and a request may be under way.
const SLACK: Duration = Duration::from_millis(500);

/// Tries of what a busy machine may spoil.
const TRIES: usize = 5;
/// What v2 takes when it is slow.
const SLOW: Duration = Duration::from_millis(80);
/// A response of v1 that takes so much longer than v1 was held up by the machine.
const STALL: Duration = Duration::from_millis(10);

/// Sends a load, and returns what was found meanwhile. Nothing if the machine has spoilt it: then the clients have seen a stall.
async fn under_load<T>(
    gateway: &Gateway,
    watch: impl Future<Output = anyhow::Result<T>>,
) -> Option<(Sent, T)> {
    let users = Users::start(gateway, "/s");
    let found = watch.await;
    let sent = users.stop().await;
    match found {
        Ok(found) => Some((sent, found)),
        Err(error) => {
            assert!(sent.slowest > DELAY + STALL, "{error}; v1 took at most {:?}", sent.slowest);
            show(&format!("{error}, but v1 took {:?}", sent.slowest));
            None
        }
    }
}

/// Waits for a trip after a change that makes v2 fail. Returns when it was seen; nothing new arrived on v2 later than two
/// windows after the change.
async fn tripped(gateway: &Gateway, number: u64) -> anyhow::Result<Instant> {
    let failing = Instant::now();
    eventually("a trip", || async { counted(gateway, "s", "trips").await >= number }).await;
    let seen = Instant::now();
    ensure!(seen < failing + 2 * WINDOW, "tripped after {:?}", seen - failing);
    ensure!(counted(gateway, "s", "trips").await == number, "more than {number} trips");
    ensure!(counted(gateway, "s", "tripped").await == 1, "trip {number} is over");
    Ok(seen)
}

/// Waits until a request arrives on v2 after this instant. Returns when it arrived.
async fn returned(versions: &Versions, after: Instant) -> Instant {
    let first = || versions.get("v2").arrivals().into_iter().find(|arrival| *arrival > after);
    eventually("the return", || async { first().is_some() }).await;
    first().unwrap()
}

/// The share of v2 among the arrivals in a span of time.
fn share(versions: &Versions, from: Instant, to: Instant) -> f64 {
    let [v1, v2] = ["v1", "v2"].map(|name| arrived(versions, name, from, to) as f64);
    v2 / (v1 + v2)
}

/// Checks that the share of v2 is in this range. With so many requests it is not by chance.
fn check_share(found: f64, expected: Range<f64>) -> anyhow::Result<()> {
    ensure!(expected.contains(&found), "the share is {found}");
    Ok(())
}

/// Errors trip; v2 returns at the first step of its rollout.
async fn watch_errors(versions: &Versions, gateway: &Gateway) -> anyhow::Result<()> {
    sleep(WINDOW).await;
    let begin = Instant::now();
    sleep(WINDOW).await;
    check_share(share(versions, begin, Instant::now()), 0.35..0.65)?;
    ensure!(counted(gateway, "s", "trips").await == 0, "a trip without a reason");

    versions.get("v2").fail(20);
    let off = tripped(gateway, 1).await?;
    versions.get("v2").fail(0);
    let back = returned(versions, off + SLACK).await;
    ensure!(back > off + HOLD - SLACK, "returned after {:?}", back - off);
    eventually("the gauge", || async { counted(gateway, "s", "tripped").await == 0 }).await;
    eventually("the log", || async { gateway.access_log().contains(" fallback{s}:v1") }).await;

    sleep(Duration::from_millis(2500)).await;
    check_share(share(versions, back, back + Duration::from_millis(2400)), 0.03..0.2)?;
    sleep(Duration::from_millis(1500)).await;
    check_share(share(versions, back + Duration::from_millis(3200), Instant::now()), 0.35..0.65)?;
    ensure!(counted(gateway, "s", "trips").await == 1, "another trip without a reason");
    Ok(())
}

/// A slow response time trips; v2 stays off after the last trip.
async fn watch_slowness(versions: &Versions, gateway: &Gateway) -> anyhow::Result<()> {
    sleep(WINDOW).await;
    versions.get("v2").delay(SLOW);
    let off = tripped(gateway, 2).await?;
    versions.get("v2").delay(DELAY);
    // It stays off for longer than it did before.
    sleep(HOLD + WINDOW).await;
    let late = arrived(versions, "v2", off + SLACK, Instant::now());
    ensure!(late == 0, "{late} arrived after the last trip");
    ensure!(counted(gateway, "s", "tripped").await == 1, "the last trip is over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variant_that_fails_is_off_until_it_returns_at_the_first_step() {
    let guard = guard(json!({"max_error_percentage": 5, "max_p95_ratio": 2, "max_trips": 2}));
    let steps = json!([{"percentage": 10, "for": "3s"}, {"percentage": 50}]);
    let rollout = json!({"variant": "v2", "start": "2026-01-01T00:00:00Z", "steps": steps});
    let split = with(guarded("s", guard), json!({"rollout": rollout}));
    let gateway = unspoilt("two trips", TRIES, async || {
        let (versions, gateway) = start(json!({"split": split})).await;
        under_load(&gateway, watch_errors(&versions, &gateway)).await?;
        under_load(&gateway, watch_slowness(&versions, &gateway)).await?;
        Some(gateway)
    })
    .await;
    let lines = trips(&gateway, "s");
    let [first, second] = &lines[..] else { panic!("{lines:?}") };
    assert!(
        first.contains("v2 is off, v1 takes its requests: errors ") && first.contains("allowed 5 %"),
        "{first}"
    );
    assert!(first.contains("; trip 1 of 2, off for 2s"), "{first}");
    assert!(second.contains(": p95 ") && second.contains("; trip 2 of 2, off for good"), "{second}");
    assert_eq!(counted(&gateway, "s", "trips").await, 2);
    let fallbacks = metric(&gateway, "kind=.=fallback;.;name=.=s;.;decisions").await;
    let logged = gateway.access_log().matches(" fallback{s}:v1").count() as u64;
    assert!(logged > 0 && logged <= fallbacks, "{logged} {fallbacks}");
    gateway.assert_no_trap().await;
}

/// `CANARY_SOAK=60` sends the load for 60 seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_upstreams_trip_nothing() {
    let seconds = std::env::var("CANARY_SOAK").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    let guard = guard(json!({"max_error_percentage": 5, "max_error_ratio": 2, "max_p95_ratio": 2}));
    let split = guarded("s", guard);
    let (versions, gateway, answers) = unspoilt("no trip", TRIES, async || {
        let (versions, gateway) = start(json!({"split": split})).await;
        for name in ["v1", "v2"] {
            versions.get(name).fail(1);
        }
        let watch = async {
            sleep(Duration::from_secs(seconds)).await;
            let lines = trips(&gateway, "s");
            ensure!(lines.is_empty(), "{lines:?}");
            Ok(())
        };
        let (sent, ()) = under_load(&gateway, watch).await?;
        Some((versions, gateway, sent.answers))
    })
    .await;
    let [v1, v2] = ["v1", "v2"].map(|name| versions.get(name).begun());
    assert_eq!((v1 + v2) as u64, answers);
    eventually("all outcomes", || async {
        metric(&gateway, "split=.=s;.;variant=.=v1;.;requests").await == v1 as u64
            && super::of_v2(&gateway, "s", "requests").await == v2 as u64
    })
    .await;
    assert_eq!(super::of_v2(&gateway, "s", "errors").await, v2 as u64 / 100);
    show(&format!("{answers} requests in {seconds} s on equal upstreams: no trip"));
    gateway.assert_no_trap().await;
}
