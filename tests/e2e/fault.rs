//! The fault filter: faults as clients, upstreams, the access log and counters see them.

mod aborts;
mod attempts;
mod bodies;
mod counted_from;
mod examples;
mod hostile;
mod in_flight;
mod markers;
mod responses;
mod shadow;
mod timeouts;
mod trigger;
mod tunnels;
mod untouched;

use e2e::{Gateway, Plugin, Setup, eventually, received};
use mesh_filters::http::Response;
use mesh_filters::registry::FAULT;
use serde_json::{Value, json};

/// The header with which the filter marks requests and responses by default.
const MARKER: &str = "x-mesh-fault";

fn plugin(config: Value) -> Plugin {
    Plugin::new(FAULT, config)
}

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[plugin(config)])
}

/// A config with these rules.
fn rules(rules: Value) -> Value {
    json!({"rules": rules})
}

/// A rule for the path `/<name>` and those under it, with these faults.
fn rule(name: &str, faults: Value) -> Value {
    let path = json!({"path": {"regex": format!("/{name}(/.*)?")}});
    e2e::with(json!({"name": name, "match": path}), faults)
}

/// The value of one of the filter's metrics.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    gateway.metric(&format!("fault.{name}")).await
}

/// Number of faults of a rule.
async fn faults(gateway: &Gateway, rule: &str, kind: &str) -> u64 {
    metric(gateway, &format!("rule=.={rule};.;kind=.={kind};.;faults")).await
}

/// Waits until the plugin holds no stream and, if it counts them, has none in flight.
async fn at_rest(gateway: &Gateway) {
    eventually("no place is taken", || async { metric(gateway, "active").await == 0 }).await;
    eventually("no request is in flight", || async {
        metric(gateway, "plugin=.=fault;.;in_flight").await == 0
    })
    .await;
}

/// The rule whose marker a response has, if it has one.
#[track_caller]
fn marked(answer: &Response) -> Option<String> {
    assert!(answer.count(MARKER) <= 1, "{answer:?}");
    answer.header(MARKER)
}

/// The rule whose marker the upstream has received, if it has received one.
#[track_caller]
fn marked_upstream(answer: &Response) -> Option<String> {
    match &received(&answer.text(), MARKER)[..] {
        [] => None,
        [(_, value)] => Some(value.clone()),
        several => panic!("{several:?}"),
    }
}

/// What the access log has of a request.
#[derive(Debug, PartialEq, Eq)]
struct Logged {
    status: String,
    details: String,
    decision: String,
}

/// The entries of the access log so far, by path.
fn log(gateway: &Gateway) -> Vec<(String, Logged)> {
    let text = gateway.access_log();
    let entry = |line: &str| {
        let parts: Vec<_> = line.split(' ').collect();
        let [path, status, details, .., decision] = parts[..] else { return None };
        let logged = Logged { status: status.into(), details: details.into(), decision: decision.into() };
        Some((path.to_owned(), logged))
    };
    // The last line may be incomplete.
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| entry(line.trim_end()))
        .collect()
}

/// The entry of the request with this path, which occurs once.
async fn logged(gateway: &Gateway, path: &str) -> Logged {
    let find = || log(gateway).into_iter().find(|(found, _)| found == path);
    eventually(path, || async { find().is_some() }).await;
    find().unwrap().1
}
