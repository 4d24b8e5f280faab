//! A test of resilience.

use super::{Scenario, TRACE, assert_about, trace};
use e2e::{assert_no_trap, get, measure, received};
use std::time::Duration;

const REQUESTS: usize = 400;
const DELAY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_tenth_waits_and_a_twentieth_fails_in_both_versions_and_no_health_check() {
    let scenario = Scenario::start("chaos", &[]).await;
    let load = scenario.load("gateway", REQUESTS as u64).await;
    let agent = |turn: mesh_filters::http::Turn| {
        if turn.sequence.is_multiple_of(2) { "mobile/1.0 (Android)" } else { "curl/8.0" }
    };
    let answers = measure(load, move |turn| get("/", &[("user-agent", agent(turn))])).await;
    let (mut aborted, mut delayed, mut of_mobiles) = (0, 0, 0);
    for timed in &answers {
        let marker = timed.answer.header("x-mesh-fault");
        assert!(marker.as_deref().is_none_or(|rule| rule == "chaos"), "{marker:?}");
        if timed.answer.status == 503 {
            assert!(marker.is_some());
            aborted += 1;
            continue;
        }
        assert_eq!(timed.answer.status, 200);
        assert!(marker.is_none() || timed.took() >= DELAY, "{:?}", timed.took());
        delayed += usize::from(marker.is_some());
        let is_mobile = agent(timed.turn).starts_with("mobile");
        of_mobiles += usize::from(is_mobile);
        let variant = if is_mobile { "v2" } else { "v1" };
        let written = received(&timed.answer.text(), "x-mesh-variant");
        assert_eq!(written, [("x-mesh-variant".to_owned(), variant.to_owned())]);
    }
    assert_about(5, aborted, REQUESTS);
    assert_about(10, delayed, REQUESTS - aborted);
    // Nothing was sent a second time for an abort.
    assert_eq!(scenario.served(), [REQUESTS - aborted - of_mobiles, of_mobiles]);

    let load = scenario.load("gateway", 200).await;
    for timed in measure(load, |_| get("/health", &[])).await {
        assert_eq!((timed.answer.status.as_u16(), timed.answer.header("x-mesh-fault")), (200, None));
    }
    assert_no_trap(&scenario.envoy).await;
}

#[tokio::test]
async fn a_trace_in_b3_goes_on_in_both_formats() {
    let b3 = [("x-b3-traceid", TRACE), ("x-b3-spanid", "00f067aa0ba902b7"), ("x-b3-sampled", "1")];
    let scenario = Scenario::start("chaos", &[]).await;
    let (answer, version) = scenario.send("gateway", get("/ready", &b3)).await;
    assert_eq!((answer.status.as_u16(), version), (200, Some("v1")));
    assert_eq!(trace(&answer), (TRACE.to_owned(), true));
    for (name, value) in b3 {
        assert_eq!(received(&answer.text(), name), [(name.to_owned(), value.to_owned())]);
    }
}
