//! Traces across services.

use super::{Scenario, TRACE, TRACEPARENT, assert_about, trace};
use e2e::{Application, assert_no_trap, get, measure, received};
use std::collections::BTreeSet;

/// A service with its sidecar, which calls the versions of the next service.
struct Service {
    scenario: Scenario,
    _application: Application,
}

impl Service {
    async fn start() -> Self {
        let application = Application::start().await;
        let scenario = Scenario::start("tracing", &[("app", application.address())]).await;
        application.calls(scenario.address("outbound").await);
        Self { scenario, _application: application }
    }
}

/// The application forwards neither the trace nor the header.
#[tokio::test]
async fn calls_are_in_their_request_s_trace_and_take_its_version() {
    let service = Service::start().await;
    let baggage = ("baggage", "tenant=a");
    for _ in 0..8 {
        let headers = [TRACEPARENT, baggage, ("canary", "true")];
        let (answer, version) = service.scenario.send("inbound", get("/orders", &headers)).await;
        assert_eq!((answer.status.as_u16(), version), (200, Some("v2")), "{}", answer.text());
        assert_eq!(trace(&answer).0, TRACE);
        for (name, value) in [baggage, ("canary", "true"), ("x-mesh-variant", "v2")] {
            assert_eq!(received(&answer.text(), name), [(name.to_owned(), value.to_owned())]);
        }
    }
    assert_no_trap(&service.scenario.envoy).await;
}

#[tokio::test]
async fn a_tenth_of_new_traces_is_sampled_and_no_health_check_and_a_tenth_of_calls_gets_v2() {
    const REQUESTS: usize = 600;
    let service = Service::start().await;
    let load = service.scenario.load("inbound", REQUESTS as u64).await;
    let answers = measure(load, |_| get("/orders", &[])).await;
    let traces: Vec<_> = answers.iter().map(|timed| trace(&timed.answer)).collect();
    assert!(answers.iter().all(|timed| timed.answer.status == 200));
    let ids: BTreeSet<_> = traces.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), REQUESTS);
    assert_about(10, traces.iter().filter(|(_, is_sampled)| *is_sampled).count(), REQUESTS);
    let served = service.scenario.served();
    assert_eq!(served[0] + served[1], REQUESTS);
    assert_about(10, served[1], REQUESTS);

    // A new trace is that of the request: its calls share it.
    for path in ["/orders", "/health"] {
        let load = service.scenario.load("inbound", 50).await;
        for timed in measure(load, move |_| get(path, &[("x-calls", "3")])).await {
            let parents = received(&timed.answer.text(), "traceparent");
            assert!(parents.len() == 3 && parents.iter().all(|parent| *parent == parents[0]), "{parents:?}");
            assert!(path != "/health" || parents[0].1.ends_with("-02"), "{parents:?}");
        }
    }
    assert_no_trap(&service.scenario.envoy).await;
}
