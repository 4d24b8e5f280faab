//! Requests with hostile bytes.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, get};
use mesh_filters::http::{Connection, HeaderName, HeaderValue, Protocol, Request, Response};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::json;

/// A gateway that reads all parts of a request: matches, keys, cost, forwarded addresses.
async fn gateway() -> Gateway {
    let config = json!({
        "client_ip": {"trusted_hops": 1},
        "limits": [
            {"name": "good", "match": {"headers": [{"name": "x-good", "present": true}]},
             "rate": {"requests": 1000, "per": "1d"}, "burst": 4},
            {"name": "all", "match": {
                "path": {"regex": "/.*"},
                "any": [{"query": [{"name": "q", "contains": "x"}]}, {"cookies": [{"name": "c", "present": false}]},
                        {"client_ip": ["0.0.0.0/0"]}],
             },
             "key": ["client_ip", {"header": "x-raw"}, {"cookie": "c"}, {"query": "q"}, "path", "host", "method"],
             "cost": {"header": "x-cost", "max": 3}, "on_missing_key": "shared",
             "rate": {"requests": 1_000_000, "per": "1s"}},
        ],
    });
    Setup::default().plugins(&[Plugin::new(RATE_LIMIT, config)]).start().await
}

/// Requests that legitimate clients do not send.
fn hostile() -> Vec<Request<Bytes>> {
    let mut requests = Vec::new();
    for byte in 0x80..=0xffu8 {
        let raw = HeaderValue::from_bytes(&[byte, b'x', byte]).unwrap();
        let mut request = get("/", &[]);
        for name in ["x-raw", "cookie", "x-cost", "x-forwarded-for", "user-agent", "content-type"] {
            request.headers_mut().insert(HeaderName::from_static(name), raw.clone());
        }
        requests.push(request);
    }
    let mut many = get("/", &[]);
    for number in 0..1000 {
        let name = HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
        many.headers_mut().insert(name, HeaderValue::from_static("y"));
    }
    requests.push(many);
    let long = "x".repeat(60 << 10);
    for name in ["x-raw", "cookie", "x-cost", "x-forwarded-for", "content-type"] {
        requests.push(get("/", &[(name, &long)]));
    }
    requests.push(get(&format!("/{}?q={}", "../".repeat(9000), "%41".repeat(9000)), &[]));
    for forwarded in
        ["", ",", ",,,,", "6.6.6.6, ", "not an address", "[::1", "1.2.3.4:99999", "::ffff:1.2.3.4"]
    {
        requests.push(get("/", &[("x-forwarded-for", forwarded)]));
        requests.push(get("/", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", forwarded)]));
    }
    for path in ["/%", "/%%%2", "/%ff%fe", "/?q=%", "/?&&&=q&q", "//..//.//", "/%2e%2e/%2e", "/\\..\\"] {
        requests.push(get(path, &[("cookie", ";;=;c=;c"), ("x-cost", "-1")]));
    }
    requests
}

/// Number of admitted requests, sent on many connections, so that both workers are used.
async fn admitted(gateway: &Gateway) -> usize {
    let mut admitted = 0;
    for _ in 0..16 {
        let answer: Response = gateway.send(get("/", &[("x-good", "yes")])).await;
        match answer.status.as_u16() {
            200 => admitted += 1,
            429 => assert!(answer.text().contains("good")),
            status => panic!("{status}"),
        }
    }
    admitted
}

#[tokio::test]
async fn hostile_requests_are_answered_and_the_next_normal_one_is_limited_as_before() {
    let gateway = gateway().await;
    let requests = hostile();
    for (index, request) in requests.iter().enumerate() {
        // Each on its own connection, so that both workers are used.
        let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
        let sent = connection.send(request.clone()).await;
        let answer = sent.unwrap_or_else(|error| panic!("request {index}: {error:#}"));
        // Envoy and the upstream may refuse some of them, but must not fail.
        assert!(
            answer.status.as_u16() != 503 && answer.status.as_u16() != 500,
            "request {index}: {answer:?}"
        );
    }
    assert_eq!(admitted(&gateway).await, 4);
    assert_eq!(admitted(&gateway).await, 0);
    assert!(gateway.counted("all", "allowed").await > 100);
    gateway.assert_no_trap().await;
}
