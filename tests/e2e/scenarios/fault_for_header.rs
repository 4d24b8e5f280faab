//! A canary release, and faults for one header.

use super::{Scenario, assert_about};
use e2e::{assert_no_trap, get, measure, received};
use std::time::Duration;

const REQUESTS: usize = 200;
const DELAY: Duration = Duration::from_secs(5);

#[tokio::test]
async fn who_asks_for_faults_gets_them_on_the_way_to_its_version() {
    let scenario = Scenario::start("fault-for-header", &[]).await;
    let load = scenario.load("gateway", REQUESTS as u64).await;
    // A marker of the client's own spares it nothing.
    let headers = [("x-test-fault", "inject"), ("x-version", "v2"), ("x-mesh-fault", "me")];
    let answers = measure(load, move |_| get("/", &headers)).await;
    let (mut delayed, mut aborted) = (0, 0);
    for timed in &answers {
        assert_eq!(timed.answer.header("x-served-variant").as_deref(), Some("v2"));
        let marker = timed.answer.header("x-mesh-fault");
        assert!(marker.as_deref().is_none_or(|rule| rule == "tests"), "{marker:?}");
        if timed.answer.status == 503 {
            assert!(marker.is_some());
            aborted += 1;
        } else {
            assert_eq!(timed.answer.status, 200);
            assert!(marker.is_none() || timed.took() >= DELAY, "{:?}", timed.took());
            delayed += usize::from(marker.is_some());
        }
    }
    assert_about(10, aborted, REQUESTS);
    assert_about(50, delayed, REQUESTS - aborted);
    assert_eq!(scenario.served(), [0, REQUESTS - aborted]);
    assert_no_trap(&scenario.envoy).await;
}

#[tokio::test]
async fn nobody_else_is_touched_and_each_takes_its_route() {
    let scenario = Scenario::start("fault-for-header", &[]).await;
    for (path, header, version) in [
        ("/", ("x-version", "v2"), "v2"),
        ("/api", ("x-version", "v2"), "v2"),
        ("/", ("x-version", "v3"), "v1"),
        ("/", ("x-test-fault", "off"), "v1"),
        // A variant of the client's own is removed.
        ("/", ("x-mesh-variant", "v2"), "v1"),
    ] {
        let (answer, served) = scenario.send("gateway", get(path, &[header])).await;
        assert_eq!((answer.status.as_u16(), served), (200, Some(version)), "{path} {header:?}");
        assert_eq!(answer.header("x-served-variant").as_deref(), Some(version));
    }
    let before = scenario.served();
    let load = scenario.load("gateway", 1000).await;
    for timed in measure(load, |_| get("/api/orders", &[("x-test-fault", "none")])).await {
        assert_eq!((timed.answer.status.as_u16(), timed.answer.header("x-mesh-fault")), (200, None));
        assert_eq!(received(&timed.answer.text(), "x-mesh-fault"), []);
    }
    let served = scenario.served();
    assert_eq!(served[0] + served[1] - before[0] - before[1], 1000);
    assert_about(10, served[1] - before[1], 1000);
    assert_no_trap(&scenario.envoy).await;
}
