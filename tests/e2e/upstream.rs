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

/// How often a filter has seen a request. Before 1.39, metrics of a VM that a cluster has loaded are those of the cluster.
async fn requests(gateway: &Gateway, name: &str) -> u64 {
    let names = ["", "cluster.upstream."].map(|scope| format!("{scope}wasmcustom.probe.{name}.requests"));
    gateway.stat(&names[0]).await + gateway.stat(&names[1]).await
}

const NOWHERE: &str = "upstream.address=none upstream.request_attempt_count=0 response.code_details=none";

/// The attributes as each filter sees them, the first one without the upstream's address.
async fn attributes(gateway: &Gateway, headers: &[(&str, &str)]) -> Vec<String> {
    let both = [("x-l", "attributes"), ("x-u", "attributes")];
    let answer = gateway.send(get("/", &[&both[..], headers].concat())).await;
    let address = gateway.upstream.address().to_string();
    lines(&answer, "x-attributes").into_iter().map(|line| line.replace(&address, "known")).collect()
}

/// What `Request::is_upstream` relies on.
#[tokio::test]
async fn a_filter_knows_whether_it_runs_for_each_attempt() {
    let gateway = gateway(retries()).await;
    let somewhere = |attempts: u8, details: &str| {
        format!(
            "upstream.address=known upstream.request_attempt_count={attempts} response.code_details={details}"
        )
    };
    let expected = [
        format!("u request is_upstream=Ok(true) {}", somewhere(1, "none")),
        format!("u response ends=false {}", somewhere(1, "via_upstream")),
        format!("l request is_upstream=Ok(false) {NOWHERE}"),
        format!("l response ends=false {}", somewhere(1, "via_upstream")),
    ];
    assert_eq!(attributes(&gateway, &[]).await, expected);
    // At the third attempt, the details are still those of the second one.
    let expected = [
        format!("u request is_upstream=Ok(true) {}", somewhere(3, "via_upstream")),
        format!("u response ends=false {}", somewhere(3, "via_upstream")),
        format!("l request is_upstream=Ok(false) {NOWHERE}"),
        format!("l response ends=false {}", somewhere(3, "via_upstream")),
    ];
    assert_eq!(attributes(&gateway, &[("x-status", "503")]).await, expected);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_filter_of_a_cluster_sees_each_attempt() {
    let gateway = gateway(retries()).await;
    let answer = gateway.send(get("/", &[])).await;
    assert!(answer.text().contains("x-passed: l\nx-passed: u\n"), "{}", answer.text());
    assert_eq!(lines(&answer, "x-returned"), ["u", "l"]);
    assert_eq!([requests(&gateway, "l").await, requests(&gateway, "u").await], [1, 1]);
    // The upstream fails; then the filter rewrites the status of each attempt.
    for (headers, arrive) in [([("x-status", "503")], 4), ([("x-u", "status=503")], 7)] {
        let answer = gateway.send(get("/", &headers)).await;
        assert_eq!(answer.status, 503);
        assert_eq!(gateway.upstream.begun(), arrive);
    }
    assert_eq!([requests(&gateway, "l").await, requests(&gateway, "u").await], [3, 7]);
    gateway.assert_no_trap().await;
}

/// A local reply of a filter of a cluster is neither retried nor shown to that filter.
#[tokio::test]
async fn a_reply_in_a_cluster_is_final() {
    let gateway = gateway(retries()).await;
    let answer = gateway.send(get("/", &[("x-u", "reply")])).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (418, "teapot"));
    assert_eq!(lines(&answer, "x-returned"), ["l"]);
    assert_eq!((gateway.upstream.begun(), requests(&gateway, "u").await), (0, 1));
    eventually("the stream is gone", || async { gateway.access_log().contains("418 probe{teapot}") }).await;
    gateway.assert_no_trap().await;
}

/// An attempt that is held too long is given up, and the next one begins; the stream of the former is gone.
#[tokio::test]
async fn an_attempt_that_is_held_runs_into_its_timeout() {
    let mut route = retries();
    route["retry_policy"]["per_try_timeout"] = json!("1s");
    route["retry_policy"]["retry_on"] = json!("5xx,reset");
    let gateway = gateway(route).await;
    let answer = gateway.send(get("/", &[("x-u", "pause-response=9000")])).await;
    assert_eq!(answer.status, 504);
    assert_eq!(requests(&gateway, "u").await, 3);
    let body = vec![("x-u", "hold-response-body=30")];
    let answer = gateway.send(get("/", &body)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("GET /"));
    gateway.assert_no_trap().await;
}
