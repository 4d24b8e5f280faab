//! The filter in the filter chain of a cluster: it sees each attempt.

use super::{EVERYTHING, TRACEPARENT, metric, one, parent, plugin, traces};
use e2e::{Setup, get};
use serde_json::{Value, json};

/// A route with up to three attempts.
fn retries() -> Value {
    json!({"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "20s", "retry_policy": {
        "retry_on": "5xx", "num_retries": 2, "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"}}}})
}

#[tokio::test]
async fn in_a_cluster_each_attempt_is_converted() {
    let config = json!({"extract": ["w3c"], "inject": ["b3-multi"]});
    let gateway = Setup::default().upstream(&[plugin(config)]).route(retries()).start().await;
    let counts = async || {
        let read = metric(&gateway, "format=.=w3c;.;extracted").await;
        let converted = metric(&gateway, "from=.=w3c;.;to=.=b3-multi;.;converted").await;
        (gateway.upstream.begun(), read, converted)
    };
    // A later attempt has what was written for the first one.
    for (status, expected) in [("200", (1, 1, 1)), ("503", (4, 4, 2))] {
        let answer = gateway.send(get("/", &[TRACEPARENT, ("x-status", status)])).await;
        let lines = [
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "x-b3-sampled: 1",
            "x-b3-spanid: 00f067aa0ba902b7",
            "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
        ];
        assert_eq!((answer.status.as_str(), traces(&answer.text())), (status, lines.to_vec()));
        assert_eq!(counts().await, expected, "{status}");
    }
    gateway.assert_no_trap().await;
}

/// A filter in the listener joins the trace, one in the cluster speaks the upstream's format, and `strip` there is for one
/// upstream only.
#[tokio::test]
async fn listener_and_cluster_have_filters_of_their_own() {
    let listener =
        plugin(json!({"inject": ["w3c"], "generate": {"when_missing": true, "sampling_percentage": 100}}));
    let bridge = plugin(json!({"extract": ["w3c"], "inject": ["jaeger"]})).named("bridge");
    let gateway = Setup::default().plugins(std::slice::from_ref(&listener)).upstream(&[bridge]).start().await;
    let answer = gateway.send(get("/", &[])).await;
    let [trace, span, flags] = parent(&answer);
    assert_eq!((one(&answer, "uber-trace-id"), &*flags), (format!("{trace}:{span}:0:1"), "03"));
    let strip = plugin(json!({"boundary": "strip"})).named("strip");
    let stripped = Setup::default().plugins(&[listener]).upstream(&[strip]).start().await;
    let answer = stripped.send(get("/", &EVERYTHING)).await;
    assert_eq!(traces(&answer.text()), [""; 0]);
    for gateway in [gateway, stripped] {
        assert_eq!(metric(&gateway, "failed").await, 0);
        gateway.assert_no_trap().await;
    }
}
