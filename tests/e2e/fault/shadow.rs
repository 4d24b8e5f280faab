//! Faults that are only counted.

use super::{at_rest, faults, logged, metric, plugin, rules, setup};
use e2e::{Gateway, Setup, get};
use mesh_filters::http::{Protocol, Response, send};
use serde_json::{Value, json};

/// A rule with every kind of fault.
fn rule(name: &str, extra: Value) -> Value {
    let faults = json!({
        "name": name,
        "delay": {"percentage": 100, "fixed": "5m"},
        "abort": {"percentage": 100, "status": 503},
        "response": {"percentage": 100, "status": 502},
        "throttle": {"percentage": 100, "bytes_per_second": 1},
    });
    e2e::with(faults, extra)
}

async fn shadowed(gateway: &Gateway, rule: &str, kind: &str) -> u64 {
    metric(gateway, &format!("rule=.={rule};.;kind=.={kind};.;shadow")).await
}

/// The response without what differs from one to the next.
fn essence(answer: &Response) -> (u16, Vec<(String, String)>, String) {
    let plain = |name: &str| !["date", "x-envoy-upstream-service-time"].contains(&name);
    let headers = answer.headers.iter().filter(|(name, _)| plain(name.as_str()));
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let lines = answer
        .text()
        .lines()
        .filter(|line| !line.starts_with("x-request-id: "))
        .collect::<Vec<_>>()
        .join("\n");
    (answer.status.as_u16(), headers.collect(), lines)
}

#[tokio::test]
async fn requests_pass_unchanged_and_are_counted() {
    let path = |prefix: &str| json!({"match": {"path": {"prefix": prefix}}});
    let shadow_rule = json!({"mode": "shadow"});
    let of_filter = e2e::with(rules(json!([rule("f", path("/f"))])), json!({"mode": "shadow"}));
    let off = e2e::with(rules(json!([rule("o", json!({}))])), json!({"mode": "off"}));
    let gateway = setup(rules(json!([
        rule("r", e2e::with(path("/r"), shadow_rule.clone())),
        rule("both", e2e::with(path("/r/both"), shadow_rule.clone())),
        rule("off", e2e::with(path("/r"), json!({"mode": "off"}))),
        // A rule in shadow does not end the search.
        {"name": "on", "match": {"path": {"prefix": "/r/on"}}, "abort": {"percentage": 100, "status": 418}},
    ])))
    .beside("filter", Setup::default().plugins(&[plugin(of_filter)]))
    .beside("off", Setup::default().plugins(&[plugin(off)]))
    .beside("bare", Setup::default())
    .start()
    .await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (listener, path) in [
            ("gateway", "/r/x"),
            ("gateway", "/other"),
            ("filter", "/f/x"),
            ("filter", "/other"),
            ("off", "/r/x"),
        ] {
            let to = async |listener| {
                send(gateway.envoy.listener(listener).await.unwrap(), protocol, get(path, &[("host", "a")]))
                    .await
                    .unwrap()
            };
            assert_eq!(essence(&to(listener).await), essence(&to("bare").await), "{listener} {path}");
        }
    }
    for kind in ["delay", "abort"] {
        assert_eq!(shadowed(&gateway, "r", kind).await, 2, "{kind}");
        assert_eq!(shadowed(&gateway, "f", kind).await, 2, "{kind}");
        assert_eq!(faults(&gateway, "r", kind).await, 0, "{kind}");
    }
    // Aborted requests have no response to change.
    for kind in ["response", "throttle"] {
        assert_eq!(shadowed(&gateway, "r", kind).await, 0, "{kind}");
    }
    // Both rules in shadow count; the log has the first.
    gateway.send(get("/r/both", &[])).await;
    assert_eq!((shadowed(&gateway, "r", "delay").await, shadowed(&gateway, "both", "delay").await), (3, 1));
    assert_eq!(logged(&gateway, "/r/both").await.decision, "shadow{r}");
    let answer = gateway.send(get("/r/on", &[])).await;
    assert_eq!(answer.status, 418);
    assert_eq!((shadowed(&gateway, "r", "delay").await, faults(&gateway, "on", "abort").await), (4, 1));
    gateway.send_to("filter", get("/f/log", &[])).await;
    assert_eq!(logged(&gateway, "/f/log").await.decision, "shadow{f}");
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}
