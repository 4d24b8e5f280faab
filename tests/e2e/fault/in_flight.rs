//! Rules that hold while many, or few, requests are in flight.

use super::{at_rest, marked, metric, rules, setup};
use e2e::{Gateway, eventually, get};
use mesh_filters::http::{Protocol, Response, StatusCode, send};
use serde_json::json;
use tokio::task::JoinSet;

const IN_FLIGHT: &str = "plugin=.=fault;.;in_flight";

async fn in_flight(gateway: &Gateway) -> u64 {
    metric(gateway, IN_FLIGHT).await
}

/// Sends requests that the upstream answers after a while, on connections of their own, which spread over the workers.
/// Waits until the filter has them all.
async fn fill(gateway: &Gateway, requests: &mut JoinSet<Response>, more: u64, slow: &'static str) {
    let before = in_flight(gateway).await;
    for _ in 0..more {
        let address = gateway.address;
        requests.spawn(async move {
            send(address, Protocol::Http1, get("/slow", &[("x-slow", slow)])).await.unwrap()
        });
    }
    eventually("in flight", || async { in_flight(gateway).await == before + more }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_holds_from_a_number_of_other_requests_on() {
    let abort = |status: u16| json!({"percentage": 100, "status": status});
    let path = json!({"path": {"prefix": "/asked"}});
    let config = rules(json!([
        {"name": "few", "match": path, "in_flight": {"below": 3}, "abort": abort(418)},
        {"name": "many", "match": path, "in_flight": {"at_least": 10}, "abort": abort(503)},
    ]));
    let gateway = setup(config).start().await;
    let mut requests = JoinSet::new();
    let ask = async |expected: u16| {
        // Several connections: both workers know the number.
        for _ in 0..6 {
            let answer = gateway.send(get("/asked", &[])).await;
            assert_eq!((answer.status.as_u16(), marked(&answer).is_some()), (expected, expected != 200));
        }
    };
    ask(418).await;
    fill(&gateway, &mut requests, 2, "6000").await;
    ask(418).await;
    fill(&gateway, &mut requests, 1, "6000").await;
    ask(200).await;
    fill(&gateway, &mut requests, 6, "6000").await;
    ask(200).await;
    fill(&gateway, &mut requests, 1, "6000").await;
    ask(503).await;
    let of_workers: Vec<u64> = {
        let stats = gateway.envoy.admin().stats().await.unwrap();
        let all = stats.beginning("wasmcustom.mesh_filters.fault.plugin=.=fault;.;worker=.=");
        all.map(|(_, value)| value).collect()
    };
    assert_eq!((of_workers.len(), of_workers.iter().sum::<u64>()), (2, 10), "{of_workers:?}");
    // Half of the clients leave, the others get their answers.
    let mut waiting = JoinSet::new();
    fill(&gateway, &mut waiting, 10, "20000").await;
    waiting.shutdown().await;
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap().status, StatusCode::OK);
    }
    at_rest(&gateway).await;
    ask(418).await;
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}
