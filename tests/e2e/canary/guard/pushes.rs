//! Config pushes while a guard has tripped.

use super::{HEADER, Users, counted, guard, guarded, of_v2, setup, split, trips, with};
use crate::canary::{identities, plugin};
use e2e::{Gateway, Setup, Versions, eventually, get};
use mesh_filters::http::StatusCode;
use serde_json::{Value, json};

/// A setup whose config has a rule that shows its version.
fn version(versions: &Versions, number: u32, guard: Value) -> Setup {
    let rule = json!({"name": format!("r{number}"), "match": {"path": {"exact": "/rule"}}, "variant": format!("r{number}")});
    let other = split("other", [number, 1], json!({}));
    let setup = setup(json!({"rules": [rule], "splits": [guarded("s", guard), other]}));
    versions.by_header(setup.file_based(), HEADER)
}

/// Pushes a version, and waits until all workers have it.
async fn push(gateway: &Gateway, setup: &Setup, number: u32) {
    gateway.push(setup, number);
    let expected = format!("{HEADER}: r{number}\n");
    eventually("the new config", || async {
        let mut all = true;
        for _ in 0..8 {
            all &= gateway.send(get("/rule", &[])).await.text().contains(&expected);
        }
        all
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_keeps_a_trip_unless_it_changes_the_guard() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let guard = |extra| with(guard(json!({"max_error_percentage": 5, "hold": "1h", "window": "10s"})), extra);
    let gateway = version(&versions, 1, guard(json!({}))).start().await;
    let user = identities("s", "v2").next().unwrap();
    let route = async || Versions::route(&gateway.send(get("/s", &[("x-user-id", &user)])).await);
    assert_eq!(route().await, "v2");
    for user in identities("s", "v2").take(25) {
        gateway.send(get("/s", &[("x-user-id", &user), ("x-status", "503")])).await;
    }
    eventually("a trip", || async { counted(&gateway, "s", "trips").await == 1 }).await;
    eventually("the fallback", || async { route().await == "v1" }).await;
    // The load sees a trip that stays, and then its end.
    let users = Users::start(&gateway, "/s");
    // The same values, written differently.
    let same = guard(json!({"hold": "60m", "fall_back_to": "v1"}));
    push(&gateway, &version(&versions, 2, same), 2).await;
    for _ in 0..8 {
        assert_eq!(route().await, "v1");
    }
    assert_eq!(counted(&gateway, "s", "tripped").await, 1);
    // The proxy refuses a push after the filter has read its config.
    let refused = version(&versions, 3, guard(json!({"min_requests": 22})));
    gateway.push(&refused.plugins(&[plugin(json!({"x": 1})).named("bad")]), 3);
    eventually("the refusal", || async { gateway.stat("listener_manager.lds.update_rejected").await >= 1 })
        .await;
    for _ in 0..8 {
        assert_eq!(route().await, "v1");
    }
    let changed = guard(json!({"min_requests": 21}));
    push(&gateway, &version(&versions, 4, changed), 4).await;
    eventually("the return", || async { route().await == "v2" }).await;
    for _ in 0..8 {
        assert_eq!(route().await, "v2");
    }
    eventually("the gauge", || async { counted(&gateway, "s", "tripped").await == 0 }).await;
    let sent = users.stop().await;
    assert!(sent.by_status.keys().all(|status| *status == StatusCode::OK), "{:?}", sent.by_status);
    assert_eq!((counted(&gateway, "s", "trips").await, trips(&gateway, "s").len()), (1, 1));
    // The outcomes of all configs are counted.
    eventually("all outcomes", || async {
        of_v2(&gateway, "s", "requests").await == versions.get("v2").begun() as u64
    })
    .await;
    gateway.assert_no_trap().await;
}
