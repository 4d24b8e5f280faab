//! Config pushes under load.

use crate::alone;
use e2e::{Plugin, Setup, eventually, get, show};
use mesh_filters::http::{Load, StatusCode, Until};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::json;
use std::time::Duration;

const PUSHES: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_under_load_fail_no_request_and_keep_the_levels() {
    let _turn = alone().await;
    // The config changes with every push, but not the limit's name and quota.
    let setup = |version: u32| {
        let config = json!({
            "limits": [
                {"name": "kept", "rate": {"requests": 500, "per": "1d"}},
                {"name": format!("new-{version}"), "rate": {"requests": 1_000_000, "per": "1s"}},
            ],
        });
        Setup::default().workers(2).direct().file_based().plugins(&[Plugin::new(RATE_LIMIT, config)])
    };
    let gateway = setup(1).start().await;
    let load = Load {
        pause: Duration::from_millis(2),
        ..Load::http1(gateway.address, 8, Until::Elapsed(Duration::from_secs(12)))
    };
    let loading = tokio::spawn(load.run(|_| get("/", &[]), |_, _| {}));
    for version in 2..2 + PUSHES {
        gateway.push(&setup(version), version);
        eventually("the push", || async {
            gateway.stat("listener_manager.lds.update_success").await >= u64::from(version)
        })
        .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // One of the pushed configs is invalid.
    gateway.push(
        &Setup::default().direct().file_based().plugins(&[Plugin::new(RATE_LIMIT, json!({"limits": 1}))]),
        99,
    );
    eventually("the refusal", || async { gateway.stat("listener_manager.lds.update_rejected").await >= 1 })
        .await;
    let report = loading.await.unwrap().unwrap();
    show(&format!(
        "{PUSHES} pushes under load: {:?}, {} errors in {:.1} s",
        report.by_status,
        report.errors,
        report.elapsed().as_secs_f64(),
    ));
    assert_eq!(report.errors, 0, "{:?}", report.example);
    assert!(
        report.by_status.keys().all(|status| [200, 429].contains(&status.as_u16())),
        "{:?}",
        report.by_status
    );
    // 500, as a token takes longer to refill than the test; a push that lost the level would admit 500 more.
    assert_eq!(report.count(StatusCode::OK), 500);
    gateway.assert_no_trap().await;
}
