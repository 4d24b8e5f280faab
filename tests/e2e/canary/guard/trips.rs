//! Trips under load, with two workers.

use super::{Users, WINDOW, arrived, counted, guard, guarded, start, trips, with};
use crate::canary::metric;
use e2e::{Gateway, Versions, eventually, show};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const HOLD: Duration = Duration::from_secs(2);
/// How long a worker may not know what another one has written, and a request may be under way.
const SLACK: Duration = Duration::from_millis(500);

/// Waits for a trip after a change that makes v2 fail. Returns when it was seen; nothing new arrived on v2 later than two
/// windows after the change.
async fn tripped(gateway: &Gateway, number: u64) -> Instant {
    let failing = Instant::now();
    eventually("a trip", || async { counted(gateway, "s", "trips").await == number }).await;
    let seen = Instant::now();
    assert!(seen < failing + 2 * WINDOW, "{:?}", seen - failing);
    assert_eq!(counted(gateway, "s", "tripped").await, 1);
    seen
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

/// Errors trip, then a slow response time; v2 returns at the first step of its rollout, and stays off after the last trip.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variant_that_fails_is_off_until_it_returns_at_the_first_step() {
    let guard = guard(json!({"max_error_percentage": 5, "max_p95_ratio": 2, "max_trips": 2}));
    let steps = json!([{"percentage": 10, "for": "3s"}, {"percentage": 50}]);
    let rollout = json!({"variant": "v2", "start": "2026-01-01T00:00:00Z", "steps": steps});
    let split = with(guarded("s", guard), json!({"rollout": rollout}));
    let (versions, gateway) = start(json!({"split": split})).await;
    let users = Users::start(&gateway, "/s");
    sleep(WINDOW).await;
    let begin = Instant::now();
    sleep(WINDOW).await;
    let before = share(&versions, begin, Instant::now());
    assert!((0.35..0.65).contains(&before), "{before}");
    assert_eq!(counted(&gateway, "s", "trips").await, 0);

    versions.get("v2").fail(20);
    let off = tripped(&gateway, 1).await;
    versions.get("v2").fail(0);
    let back = returned(&versions, off + SLACK).await;
    assert!(back > off + HOLD - SLACK, "{:?}", back - off);
    assert_eq!(arrived(&versions, "v2", off + SLACK, back), 0);
    eventually("the gauge", || async { counted(&gateway, "s", "tripped").await == 0 }).await;
    eventually("the log", || async { gateway.access_log().contains(" fallback{s}:v1") }).await;

    sleep(Duration::from_millis(2500)).await;
    let first_step = share(&versions, back, back + Duration::from_millis(2400));
    assert!((0.03..0.2).contains(&first_step), "{first_step}");
    sleep(Duration::from_millis(1500)).await;
    let second_step = share(&versions, back + Duration::from_millis(3200), Instant::now());
    assert!((0.35..0.65).contains(&second_step), "{second_step}");
    assert_eq!(counted(&gateway, "s", "trips").await, 1);

    versions.get("v2").delay(Duration::from_millis(80));
    let off = tripped(&gateway, 2).await;
    versions.get("v2").delay(Duration::from_millis(20));
    // It stays off for longer than it did before.
    sleep(HOLD + WINDOW).await;
    users.stop().await;
    let end = Instant::now();
    assert_eq!(arrived(&versions, "v2", off + SLACK, end), 0);
    assert_eq!(counted(&gateway, "s", "tripped").await, 1);

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
    let (versions, gateway) = start(json!({"split": guarded("s", guard)})).await;
    for name in ["v1", "v2"] {
        versions.get(name).fail(1);
    }
    let users = Users::start(&gateway, "/s");
    sleep(Duration::from_secs(seconds)).await;
    let answers = users.stop().await.answers;
    assert_eq!(trips(&gateway, "s"), [""; 0]);
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
