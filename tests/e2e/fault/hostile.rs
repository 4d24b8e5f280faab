//! Requests that legitimate clients do not send.

use super::{at_rest, metric, setup};
use bytes::Bytes;
use e2e::{Gateway, get, received};
use mesh_filters::http::{Connection, HeaderName, HeaderValue, Protocol, Request};
use serde_json::json;

const SECRET: &str = "correct-horse-battery";

/// A gateway that reads all parts of a request, and faults none.
async fn gateway() -> Gateway {
    let never = json!({"any": [
        {"path": {"regex": "/never/.*"}},
        {"query": [{"name": "never", "contains": "x"}]},
        {"cookies": [{"name": "never", "present": true}]},
        {"headers": [{"name": "user-agent", "regex": "never.*"}]},
        {"client_ip": ["192.0.2.0/24"]},
    ]});
    let config = json!({
        "client_ip": {"trusted_hops": 1},
        "decision_log": "all",
        "budget": {"percentage": 100},
        "exclude": {"path": {"in": ["/health"]}},
        "cohort": {"by": [{"header": "x-user-id"}, {"cookie": "uid"}, {"query": "uid"}, {"claim": "sub"}]},
        "trigger": {"secret": SECRET},
        "rules": [
            {"name": "never", "match": never, "abort": {"percentage": 100, "status": 503}},
            {"name": "many", "in_flight": {"at_least": 1_000_000}, "abort": {"percentage": 100, "status": 503}},
            {"name": "all", "delay": {"percentage": 50, "fixed": "1ms"}, "response": {"percentage": 50, "status": 299}},
        ],
    });
    setup(config).start().await
}

fn raw(path: &str, headers: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = get(path, &[]);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    request
}

fn odd() -> Vec<(String, Request<Bytes>)> {
    let mut odd = Vec::new();
    let mut add = |what: &str, request| odd.push((what.to_owned(), request));
    let long = "x".repeat(60 << 10);
    let abort = format!("abort=503{}", " ,".repeat(30 << 10));
    let secret = ("x-fault-key", SECRET.as_bytes());
    add("long trigger", raw("/", &[("x-fault", long.as_bytes()), secret]));
    add("many triggers in one", raw("/", &[("x-fault", abort.as_bytes()), secret]));
    add("long secret", raw("/", &[("x-fault", b"abort=503"), ("x-fault-key", long.as_bytes())]));
    add("1000 triggers", raw("/", &vec![("x-fault", &b"abort=503"[..]); 1000]));
    add("1000 secrets", raw("/", &vec![secret; 1000]));
    add("1000 markers", raw("/", &vec![("x-mesh-fault", &b"x"[..]); 1000]));
    for value in [
        &b"\xff\xfe"[..],
        b"abort=\xff\xff\xff",
        b"delay=\xc3\xa4s",
        b"\xf0\x9f\x92\xa5=503",
        b"delay=99999999999999999999h",
        b"delay=1e999s",
        b"abort=-03",
        b"abort=+03",
        b"=",
        b",",
        b",,,,",
        b"delay==1s",
        b"abort=5\t3",
    ] {
        add(&format!("{value:?}"), raw("/", &[("x-fault", value), secret]));
        add(&format!("secret {value:?}"), raw("/", &[("x-fault", b"abort=503"), ("x-fault-key", value)]));
        add(&format!("cohort {value:?}"), raw("/", &[("x-user-id", value), ("cookie", value)]));
    }
    let cookies: String = (0..1000).map(|number| format!("c{number}={number}; ")).collect();
    add("1000 cookies", get("/", &[("cookie", &cookies)]));
    let names: Vec<_> = (0..1000).map(|number| format!("x-{number}")).collect();
    add(
        "1000 headers",
        raw("/", &names.iter().map(|name| (name.as_str(), &b"\xff"[..])).collect::<Vec<_>>()),
    );
    for path in
        ["/%", "/%%%2", "/%ff%fe", "/?user=%", "//..//.//", "/%2e%2e/%2e", "/\\..\\", "/?", "/?uid=%ff&uid"]
    {
        add(path, get(path, &[("cookie", ";;=;uid;uid=;uid=\"")]));
    }
    for forwarded in ["", ",,,,", "6.6.6.6, ", "not an address", "[::1", "1.2.3.4:99999", "::ffff:1.2.3.4"] {
        add(forwarded, get("/", &[("x-forwarded-for", forwarded)]));
    }
    odd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_do_no_harm() {
    let gateway = gateway().await;
    for (what, request) in odd() {
        // On connections of their own, so that both workers are used.
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
            let answer =
                connection.send(request.clone()).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
            // The upstream's server may refuse some of them.
            assert!(answer.status.as_u16() < 500, "{what}: {answer:?}");
            for name in ["x-fault", "x-fault-key"] {
                assert_eq!(received(&answer.text(), name), [], "{what}");
            }
        }
    }
    // Requests that Envoy refuses, or that have no path.
    for line in [
        "GET  HTTP/1.1",
        "GET HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET http://a HTTP/1.1",
        "CONNECT a:1 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET / HTTP/1.0",
    ] {
        gateway.send_raw(format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).await;
    }
    at_rest(&gateway).await;
    assert_eq!(metric(&gateway, "failed").await, 0);
    assert!(metric(&gateway, "trigger_ignored").await > 0);
    gateway.assert_no_trap().await;
}
