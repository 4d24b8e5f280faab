//! Requests that legitimate clients do not send.

mod lists;

use super::{FORMATS, TRACEPARENT, metric, raw, setup, traces};
use bytes::Bytes;
use e2e::{get, with};
use mesh_filters::http::{Connection, Protocol, Request};
use serde_json::{Value, json};

/// Everything that the filter has.
fn everything() -> Value {
    json!({
        "client_ip": {"trusted_hops": 1},
        "decision_log": "all",
        "extract": FORMATS,
        "inject": FORMATS,
        "generate": {"when_missing": true, "sampling_percentage": 50, "sampling_rules": [
            {"match": {"path": {"regex": "/never/.*"}, "cookies": [{"name": "never", "present": true}]},
                "sampling_percentage": 100},
        ]},
        "baggage": {"allow": [{"regex": "[a-z]+", "ignore_case": true}], "set": [
            {"key": "tenant", "from": {"header": "x-tenant"}}, {"key": "ip", "from": {"client_ip": {}}},
            {"key": "path", "from": "path"}, {"key": "q", "from": {"query": "q"}}, {"key": "c", "from": {"cookie": "c"}},
        ]},
        "response": {"header": "x-trace-id"},
        "correlate": {"carry": ["traceparent", "tracestate", "baggage", "b3", "x-datadog-tags", "x-other"],
            "capacity": 64, "max_entry_bytes": 512},
        "log_trace_id": true,
    })
}

fn odd() -> Vec<(String, Request<Bytes>)> {
    let mut odd = Vec::new();
    let mut add = |what: &str, request| odd.push((what.to_owned(), request));
    let names = [
        "traceparent",
        "tracestate",
        "b3",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
        "uber-trace-id",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-datadog-origin",
        "x-datadog-tags",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "baggage",
        "x-request-id",
        "x-tenant",
        "x-other",
        "cookie",
    ];
    for name in names {
        add(&format!("1000 of {name}"), raw("/", &vec![(name, &b"1"[..]); 1000]));
        for pattern in ["x", ",", ";", "=", "-", "%3A", ":", "00-", "a=1,", "Root=1-", "a=1;", "\u{e9}"] {
            let long = pattern.repeat((24 << 10) / pattern.len());
            add(&format!("long {name}: {pattern}"), raw("/", &[(name, long.as_bytes())]));
        }
        for value in [&b""[..], b"\xff\xfe", b"\xf0\x9f\x92\xa5", b"\t", b"0", b"\x80-\x80-\x80", b"a\tb"] {
            add(&format!("{name}: {value:?}"), raw("/", &[(name, value)]));
            add(
                &format!("{name} beside: {value:?}"),
                raw("/", &[("traceparent", TRACEPARENT.1.as_bytes()), (name, value)]),
            );
        }
    }
    let all: Vec<_> = names.iter().map(|name| (*name, &b"\xff"[..])).collect();
    add("all at once", raw("/", &all));
    add("all, a hundred times", raw("/", &all.repeat(100)));
    for path in ["/%", "/%ff%fe", "/?q=%", "//..//.//", "/\\..\\", "/?", "/?q=%ff&q"] {
        add(path, get(path, &[("cookie", ";;=;c;c=;c=\"")]));
    }
    for forwarded in ["", ",,,,", "6.6.6.6, ", "not an address", "[::1", "::ffff:1.2.3.4"] {
        add(forwarded, get("/", &[("x-forwarded-for", forwarded)]));
    }
    odd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_do_no_harm() {
    let strip = setup(json!({"boundary": "strip"}));
    let restart = setup(with(everything(), json!({"boundary": "restart"}))).direction("INBOUND");
    let gateway = setup(everything())
        .direction("INBOUND")
        .beside("outbound", setup(everything()).direction("OUTBOUND"))
        .beside("strip", strip)
        .beside("restart", restart)
        .start()
        .await;
    for listener in ["gateway", "outbound", "strip", "restart"] {
        let address = gateway.envoy.listener(listener).await.unwrap();
        for (what, request) in odd() {
            // On connections of their own, so that both workers are used.
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let mut connection = Connection::open(address, protocol).await.unwrap();
                let answer = connection
                    .send(request.clone())
                    .await
                    .unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(answer.status, 200, "{listener}: {what}");
                if listener == "strip" {
                    assert_eq!(traces(&answer.text()), [""; 0], "{what}");
                }
            }
        }
    }
    // Requests that Envoy refuses, or that have no path.
    for line in
        ["GET  HTTP/1.1", "GET HTTP/1.1", "CONNECT a:1 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET / HTTP/1.0"]
    {
        gateway.send_raw(format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).await;
    }
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
