//! Who gets which variant: the same on all workers, before and after a push, and as computed outside of the proxy.

use super::{HEADER, VARIANTS, assigned, setup, split};
use e2e::{Gateway, Setup, eventually, get};
use mesh_filters::http::{Load, Until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const IDENTITIES: u64 = 10_000;
const CONNECTIONS: usize = 32;
const WEIGHTS: [u32; 2] = [70, 30];

/// The proxy answers with the variant's name in the place of an upstream.
fn versions(config: Value) -> Setup {
    VARIANTS.iter().fold(setup(config).file_based(), |setup, name| {
        setup.route(json!({
            "match": {"prefix": "/", "headers": [{"name": HEADER, "string_match": {"exact": name}}]},
            "direct_response": {"status": 200, "body": {"inline_string": name}},
        }))
    })
}

/// Sends a request of each identity, on new connections.
async fn check(gateway: &Gateway) {
    let identity = |connection: usize, sequence: u64| format!("user-{connection}-{sequence}");
    let (wrong, on_v2) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (count_wrong, count_v2) = (Arc::clone(&wrong), Arc::clone(&on_v2));
    let load = Load::http1(gateway.address, CONNECTIONS, Until::Requests(IDENTITIES));
    let report = load
        .run(
            move |turn| get("/", &[("x-user-id", &identity(turn.connection, turn.sequence))]),
            move |turn, answer| {
                let expected = assigned("s", WEIGHTS, identity(turn.connection, turn.sequence));
                count_wrong.fetch_add(u64::from(answer.text() != expected), Ordering::Relaxed);
                count_v2.fetch_add(u64::from(answer.text() == "v2"), Ordering::Relaxed);
            },
        )
        .await
        .unwrap();
    assert_eq!((report.errors, report.answers()), (0, IDENTITIES), "{:?}", report.example);
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
    assert!((2_700..3_300).contains(&on_v2.load(Ordering::Relaxed)), "{on_v2:?}");
}

/// Number of connections that each worker has accepted.
async fn accepted(gateway: &Gateway) -> [u64; 2] {
    let stats = gateway.envoy.admin().stats().await.unwrap();
    [0, 1].map(|worker| stats.value(&format!("listener.127.0.0.1_0.worker_{worker}.downstream_cx_total")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_has_one_variant_on_all_workers_and_across_pushes() {
    let config = |rules: Value| json!({"rules": rules, "split": split("s", WEIGHTS, json!({}))});
    let gateway = versions(config(json!([]))).start().await;
    check(&gateway).await;
    let matching = json!({"headers": [{"name": "x-rule", "present": true}]});
    let rules = json!([{"name": "r", "match": matching, "variant": "v2"}]);
    gateway.push(&versions(config(rules)), 2);
    let stable = identity_on_v1();
    eventually("the new config", || async {
        gateway.send(get("/", &[("x-rule", "1"), ("x-user-id", &stable)])).await.text() == "v2"
    })
    .await;
    check(&gateway).await;
    let accepted = accepted(&gateway).await;
    assert!(accepted.iter().all(|connections| *connections > 0), "{accepted:?}");
    gateway.assert_no_trap().await;
}

/// An identity that the split gives v1.
fn identity_on_v1() -> String {
    (0..)
        .map(|number: u32| number.to_string())
        .find(|identity| assigned("s", WEIGHTS, identity) == "v1")
        .unwrap()
}
