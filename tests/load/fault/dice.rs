//! How many requests are faulted: percentages, and the budget.

use super::{MARKER, faults, metric, rules, setup};
use crate::alone;
use e2e::{get, measure, show};
use mesh_filters::http::{Load, StatusCode, Until};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_thousand_requests_are_within_a_point() {
    const REQUESTS: u64 = 40_000;
    let _turn = alone().await;
    let config = rules(json!([{"name": "r", "abort": {"percentage": 10, "status": 503}}]));
    let gateway = setup(config).direct().start().await;
    let load = Load::http2(gateway.address, 4, 16, Until::Requests(REQUESTS));
    let report = load.run(|_| get("/", &[]), |_, _| {}).await.unwrap();
    assert_eq!((report.errors, report.answers()), (0, REQUESTS), "{:?}", report.example);
    let aborted = report.count(StatusCode::SERVICE_UNAVAILABLE);
    let percentage = aborted as f64 * 100.0 / REQUESTS as f64;
    show(&format!("{percentage} % of {REQUESTS} requests in {:.1} s", report.elapsed().as_secs_f64()));
    assert!((9.0..=11.0).contains(&percentage), "{percentage}");
    assert_eq!(faults(&gateway, "r", "abort").await, aborted);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_kept_and_used() {
    let _turn = alone().await;
    let config = |window: &str| -> Value {
        json!({
            "budget": {"percentage": 10, "window": window},
            "exclude": {"path": {"prefix": "/excluded"}},
            "rules": [{"name": "r", "abort": {"percentage": 100, "status": 503}}],
        })
    };
    let gateway = setup(config("1s")).direct().beside("minute", setup(config("1m")).direct()).start().await;
    for (listener, window) in [("gateway", "1s"), ("minute", "1m")] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        let before = (faults(&gateway, "r", "abort").await, metric(&gateway, "rule=.=r;.;over_budget").await);
        // One in three is excluded: it neither is faulted nor adds to the budget.
        let load = Load {
            pause: Duration::from_millis(4),
            ..Load::http1(address, 12, Until::Elapsed(Duration::from_secs(5)))
        };
        let excluded = |sequence: u64| sequence.is_multiple_of(3);
        let path = move |sequence: u64| if excluded(sequence) { "/excluded" } else { "/" };
        let answers = measure(load, move |turn| get(path(turn.sequence), &[])).await;
        let came: Vec<_> = answers.iter().filter(|timed| !excluded(timed.turn.sequence)).collect();
        let faulted = came.iter().filter(|timed| timed.answer.status == 503).count() as u64;
        let share = faulted as f64 / came.len() as f64;
        show(&format!("a budget of 10 % in {window}: {:.2} % of {} requests", share * 100.0, came.len()));
        assert!((0.08..=0.10).contains(&share), "{share}");
        assert!(
            answers.iter().all(|timed| (timed.answer.status == 503) == (timed.answer.count(MARKER) == 1))
        );
        assert!(
            answers
                .iter()
                .filter(|timed| excluded(timed.turn.sequence))
                .all(|timed| timed.answer.status == 200)
        );
        let after = (faults(&gateway, "r", "abort").await, metric(&gateway, "rule=.=r;.;over_budget").await);
        assert_eq!((after.0 - before.0, after.1 - before.1), (faulted, came.len() as u64 - faulted));
    }
    gateway.assert_no_trap().await;
}
