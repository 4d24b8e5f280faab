//! Valid and invalid configs, at startup and pushed later.

use e2e::{Form, Plugin, Setup, eventually, get};
use mesh_filters::module::PROBE;
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};

fn limited(config: Value) -> Setup {
    Setup::default().file_based().plugins(&[Plugin::new(RATE_LIMIT, config)])
}

/// How the log begins to tell of a problem with a field of rate-limit's config.
fn problem_line(field: &str, problem: &str) -> String {
    format!("config: {}: {problem}", Form::of_tests().path(RATE_LIMIT, field))
}

fn daily(name: &str, burst: u32) -> Value {
    json!({"limits": [{"name": name, "rate": {"requests": burst, "per": "1d"}}]})
}

#[tokio::test]
async fn a_bad_config_is_refused_at_start_with_every_problem() {
    let config = json!({"limits": [{"nmae": "a", "rate": {"requests": 0, "per": "1m"}}], "capacity": 1});
    let setup = Setup::default().plugins(&[Plugin::new(RATE_LIMIT, config)]);
    let error = format!("{:#}", setup.try_start().await.err().unwrap());
    for (field, problem) in [
        ("limits[0].name", "missing"),
        ("limits[0].rate.requests", "found 0, expected an integer from 1 to"),
        ("limits[0].nmae", "unknown field, did you mean `name`?"),
        ("capacity", "found 1, expected an integer from"),
    ] {
        let line = problem_line(field, problem);
        assert!(error.contains(&line), "{line} in {error}");
    }
}

#[tokio::test]
async fn an_empty_config_limits_nothing() {
    let gateway = Setup::default().plugins(&[Plugin::new(RATE_LIMIT, json!({}))]).start().await;
    assert_eq!(gateway.send(get("/", &[])).await.status, 200);
}

#[tokio::test]
async fn a_push_keeps_the_levels_of_limits_whose_name_stays() {
    let gateway = limited(daily("kept", 5)).start().await;
    for _ in 0..3 {
        assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    }
    // Three of five tokens are owed, which leaves five of eight.
    gateway.push(&limited(daily("kept", 8)), 2);
    eventually("the new config", || async {
        gateway
            .send(get("/", &[]))
            .await
            .header("ratelimit-policy")
            .is_some_and(|policy| policy.contains("q=8"))
    })
    .await;
    let mut spent = gateway.counted("kept", "allowed").await;
    assert!(spent >= 4);
    while gateway.send(get("/", &[])).await.status == 200 {
        spent += 1;
    }
    assert_eq!(spent, 8);
}

/// The proxy may continue with the first config without configuring it again.
#[tokio::test]
async fn after_a_rollback_the_first_quota_comes_back() {
    let quota = |requests: u32, per: &str, burst: u32| {
        limited(
            json!({"limits": [{"name": "l", "rate": {"requests": requests, "per": per}, "burst": burst}]}),
        )
    };
    let (first, second) = (quota(1000, "1s", 5), quota(1, "1h", 1));
    let gateway = first.clone().start().await;
    let holds = async |q: &str| {
        eventually("the quota", || async {
            gateway
                .send(get("/", &[]))
                .await
                .header("ratelimit-policy")
                .is_some_and(|policy| policy.contains(q))
        })
        .await;
    };
    holds("q=5;").await;
    gateway.push(&second, 2);
    holds("q=1;").await;
    gateway.push(&first, 3);
    holds("q=5;").await;
    eventually("an admission", || async { gateway.send(get("/", &[])).await.status == 200 }).await;
}

#[tokio::test]
async fn a_bad_push_is_refused_and_the_old_config_goes_on() {
    let gateway = limited(daily("old", 2)).start().await;
    assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    gateway.push(&limited(json!({"limits": [{"name": "new"}]})), 2);
    eventually("the refusal", || async { gateway.stat("listener_manager.lds.update_rejected").await >= 1 })
        .await;
    assert!(gateway.envoy.log().contains(&problem_line("limits[0].rate", "missing")));
    assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    let refused = gateway.send(get("/", &[])).await;
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("old"));
}

/// A new config is loaded in the same VM; a request in progress keeps its config.
#[tokio::test]
async fn old_and_new_config_serve_side_by_side() {
    let setup = |name: &str| {
        Setup::default().workers(1).file_based().plugins(&[Plugin::new(PROBE, json!({"name": name}))])
    };
    let gateway = setup("old").start().await;
    let address = gateway.address;
    let slow = get("/", &[("x-slow", "3000")]);
    let under_way =
        tokio::spawn(mesh_filters::http::send(address, mesh_filters::http::Protocol::Http1, slow));
    eventually("the request under way", || async {
        gateway.stat("http.gateway.downstream_rq_active").await == 1
    })
    .await;
    gateway.push(&setup("new"), 2);
    eventually("the new config", || async {
        let answer = gateway.send(get("/", &[])).await;
        answer.header("x-probe-config").as_deref() == Some("new")
    })
    .await;
    let answer = under_way.await.unwrap().unwrap();
    assert_eq!(answer.header("x-probe-config").as_deref(), Some("old"));
    gateway.assert_no_trap().await;
}
