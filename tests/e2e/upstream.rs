//! A filter in the filter chain of a cluster: it sees each attempt.

use e2e::{Gateway, Plugin, Setup, eventually, get};
use mesh_filters::http::Response;
use mesh_filters::module::PROBE;
use serde_json::{Value, json};

fn step(name: &str) -> Plugin {
    Plugin::new(PROBE, json!({"filters": [name]})).named(name)
}

/// `l` in the filter chain of the listener, `u` in that of the cluster, with this route.
async fn gateway(route: Value) -> Gateway {
    let mut route = json!({"match": {"prefix": "/"}, "route": route});
    route["route"]["cluster"] = json!("upstream");
    Setup::default().plugins(&[step("l")]).upstream(&[step("u")]).route(route).start().await
}

fn retries() -> Value {
    json!({"timeout": "20s", "retry_policy": {"retry_on": "5xx", "num_retries": 2,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"}}})
}

fn lines<'a>(answer: &'a Response, name: &'a str) -> Vec<String> {
    answer
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

async fn requests(gateway: &Gateway, name: &str) -> u64 {
    gateway.stat(&format!("wasmcustom.probe.{name}.requests")).await
}

#[tokio::test]
async fn show_attributes() {
    let gateway = gateway(retries()).await;
    for headers in [
        &[("x-l", "attributes"), ("x-u", "attributes")][..],
        &[("x-l", "attributes"), ("x-u", "attributes"), ("x-status", "503")],
        &[("x-l", "attributes"), ("x-u", "attributes, reply")],
        &[("x-l", "attributes, reply")],
    ] {
        let answer = gateway.send(get("/", headers)).await;
        e2e::show(&format!("{headers:?} {}\n{}", answer.status, lines(&answer, "x-attributes").join("\n")));
    }
    e2e::show(&format!(
        "{}",
        gateway
            .envoy
            .admin()
            .stats()
            .await
            .unwrap()
            .beginning("")
            .filter(|(n, _)| n.contains("probe"))
            .map(|(n, v)| format!("{n} {v}\n"))
            .collect::<String>()
    ));
    e2e::show(&gateway.access_log());
}
