//! A canary release with traces.

use super::{Scenario, TRACE, TRACEPARENT, assert_about, trace};
use e2e::{assert_no_trap, eventually, get, measure};
use std::collections::BTreeSet;

const REQUESTS: usize = 1000;

#[tokio::test]
async fn testers_and_a_tenth_get_v2_and_each_request_keeps_its_trace() {
    let scenario = Scenario::start("canary", &[]).await;
    for number in 0..8 {
        let (answer, version) = scenario.send("gateway", get("/", &[("canary", "true"), TRACEPARENT])).await;
        assert_eq!((answer.status.as_u16(), version), (200, Some("v2")), "{number}");
        assert_eq!(answer.header("x-served-variant").as_deref(), Some("v2"));
        assert_eq!(trace(&answer), (TRACE.to_owned(), true));
        assert_eq!(answer.header("x-trace-id").as_deref(), Some(TRACE));
    }
    eventually("the access log", || async { scenario.envoy.log().contains(&format!("200 v2 {TRACE}")) })
        .await;

    let before = scenario.served();
    let load = scenario.load("gateway", REQUESTS as u64).await;
    let answers = measure(load, |_| get("/", &[])).await;
    let mut traces = BTreeSet::new();
    for timed in &answers {
        assert_eq!(timed.answer.status, 200);
        let (id, is_sampled) = trace(&timed.answer);
        assert_eq!((timed.answer.header("x-trace-id").as_ref(), is_sampled), (Some(&id), true));
        traces.insert(id);
    }
    assert_eq!(traces.len(), REQUESTS);
    let served = scenario.served();
    assert_eq!(served[0] + served[1] - before[1], REQUESTS);
    assert_about(10, served[1] - before[1], REQUESTS);
    assert_no_trap(&scenario.envoy).await;
}
