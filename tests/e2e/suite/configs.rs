//! The suite's own configs: several blocks of one filter, and configs that are wrong or hostile.

use e2e::{Gateway, Key, Plugin, Setup, eventually, get, key_set};
use mesh_filters::registry::SUITE;
use serde_json::{Value, json};

fn setup(config: Value) -> Setup {
    Setup::default().log_level("info").file_based().plugins(&[Plugin::new(SUITE, config)])
}

fn limits(name: &str, burst: u32) -> Value {
    json!({"limits": [{"name": name, "rate": {"requests": burst, "per": "1d"}}]})
}

/// A chain with three blocks of one filter, of which one has the filter's name.
fn chain() -> Value {
    json!({"filters": [
        {"name": "outer", "rate_limit": limits("l", 6)},
        {"rate_limit": limits("l", 4)},
        {"name": "inner", "rate_limit": limits("l", 2)},
    ]})
}

async fn counted(gateway: &Gateway, block: &str, outcome: &str) -> u64 {
    let block = if block.is_empty() { String::new() } else { format!("block=.={block};.;") };
    gateway.metric(&format!("rate_limit.{block}limit=.=l;.;{outcome}")).await
}

#[tokio::test]
async fn each_of_several_blocks_of_a_filter_has_its_own_bucket_counters_and_log_line() {
    let gateway = setup(chain()).start().await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(gateway.send(get("/", &[])).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 429, 429, 429, 429]);
    for (block, allowed, denied) in [("outer", 6, 1), ("", 4, 2), ("inner", 2, 2)] {
        let found = (counted(&gateway, block, "allowed").await, counted(&gateway, block, "denied").await);
        assert_eq!(found, (allowed, denied), "{block}");
    }
    // Once for the proxy, not for each worker.
    let accepted = || gateway.envoy.log().matches(" accepted: ").count();
    eventually("the log", || async { accepted() == 3 }).await;
    assert!(gateway.metric("suite.plugin=.=suite;.;config_hash").await > 0);
    gateway.assert_no_trap().await;
}

/// Configs, each with a part of what the log is to say.
fn refused() -> Vec<(Value, &'static str)> {
    let block = |extra: Value| json!({"filters": [extra]});
    let nested = (0..500).fold(json!(1), |inner, _| json!([inner]));
    let many = |count: usize| {
        let block = |number: usize| json!({"name": format!("b{number}"), "rate_limit": {}});
        json!({"filters": (0..count).map(block).collect::<Vec<_>>()})
    };
    let limit = |name: &str| json!({"limits": [{"name": name, "rate": {"requests": 0, "per": "1d"}}]});
    vec![
        (json!([]), "config: "),
        (json!("x"), "config: "),
        (json!(null), "config: "),
        (json!({"filters": {}}), "config: filters: "),
        (json!({"filters": []}), "config: filters: "),
        (json!({"filters": [null, 1, "x", []]}), "config: filters[3]: "),
        (json!({"filter": []}), "config: filter: unknown field, did you mean `filters`?"),
        (many(17), "config: filters: "),
        (many(5000), "config: filters: "),
        (block(json!({})), "config: filters[0]: "),
        (block(json!({"rate_limit": {}, "fault": {}})), "config: filters[0]"),
        (block(json!({"ratelimit": {}})), "did you mean `rate_limit`?"),
        (block(json!({"rate_limit": {}, "name": "a/b"})), "config: filters[0].name: "),
        (block(json!({"rate_limit": {}, "name": "x".repeat(1_000_000)})), "config: filters[0].name: "),
        (block(json!({"rate_limit": {}, "name": "x".repeat(1 << 20)})), "bytes, expected at most 1048576"),
        (json!({"filters": [{"fault": {}}, {"fault": {}}]}), "config: filters[1]"),
        (json!({"filters": [{"fault": {}}, {"rate_limit": {}, "name": "fault"}]}), "config: filters[1]"),
        (
            json!({"filters": [{"name": "a-b", "fault": {}}, {"name": "a_b", "fault": {}}]}),
            "config: filters[1]",
        ),
        (block(json!({"fault": nested})), "config: "),
        (
            block(json!({"canary": {"rules": [{"name": "r", "variant": "v",
            "match": {"path": {"regex": "((a{1000}){1000}){1000}"}}}]}})),
            "config: filters[0].canary.rules[0].match.path.regex: ",
        ),
        // The problems of all blocks at once.
        (
            json!({"filters": [{"rate_limit": limit("a")}, {"name": "b", "rate_limit": limit("b")}, {"fault": {"rules": 1}}]}),
            "config: filters[1].rate_limit.limits[0].rate.requests: found 0",
        ),
        (
            json!({"filters": [{"rate_limit": limit("a")}, {"fault": {"rules": 1}}]}),
            "config: filters[1].fault.rules: ",
        ),
        (
            json!({"filters": [
                {"rate_limit": {"limits": [{"name": "l", "key": [{"claim": "sub"}], "rate": {"requests": 1, "per": "1d"}}]}},
                {"jwt_authz": {"providers": [{"name": "p", "algorithms": ["RS256"], "jwks": {"inline": key_set(&[("a", Key::RSA_A)])}}]}},
            ]}),
            "config: filters[0].rate_limit: found claims in front of the first `jwt_authz`",
        ),
    ]
}

#[tokio::test]
async fn a_hostile_config_is_refused_and_the_previous_chain_goes_on() {
    let gateway = setup(json!({"filters": [{"rate_limit": limits("l", 1000)}]})).start().await;
    let refused = refused();
    for (number, (config, problem)) in (1..).zip(&refused) {
        let before = gateway.envoy.log().len();
        gateway.push(&setup(config.clone()), number + 1);
        eventually("the refusal", || async {
            gateway.stat("listener_manager.lds.update_rejected").await >= u64::from(number)
        })
        .await;
        let log = gateway.envoy.log();
        let said = log.get(before..).unwrap_or(&log);
        let start: String = config.to_string().chars().take(80).collect();
        assert!(said.contains(problem), "{start}: {said}");
        // A config of a megabyte does not become a log of a megabyte.
        assert!(said.len() < 64 << 10, "{start}: {} bytes", said.len());
        assert_eq!(gateway.send(get("/", &[])).await.status, 200, "{start}");
    }
    assert_eq!(gateway.counted("l", "allowed").await, refused.len() as u64);
    // The next good one is taken.
    gateway.push(&setup(chain()), 1000);
    eventually("the good config", || async { gateway.send(get("/", &[])).await.status == 429 }).await;
    gateway.assert_no_trap().await;
}
