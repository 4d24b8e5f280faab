//! Replies in place of the upstream's.

use super::{faults, logged, marked, rule, rules, setup};
use bytes::Bytes;
use e2e::{Gateway, get};
use mesh_filters::http::{Connection, Method, Protocol, Request, Response};
use serde_json::{Value, json};

fn abort(name: &str, abort: Value) -> Value {
    rule(name, json!({"abort": e2e::with(json!({"percentage": 100}), abort)}))
}

async fn gateway() -> Gateway {
    let mut all = vec![
        abort("plain", json!({"status": 503})),
        abort(
            "custom",
            json!({
                "status": 418, "body": "{\"a\":1}", "content_type": "application/json",
                "headers": {"retry-after": "1", "x-why": "test"},
            }),
        ),
        abort("grpc-only", json!({"grpc_status": 14, "message": "out of order: 100 %"})),
        abort("both", json!({"status": 429, "grpc_status": 7})),
        abort("too-many", json!({"status": 429})),
        abort("denied", json!({"status": 403})),
    ];
    all.extend(
        [200, 204, 205, 299, 304, 500, 599]
            .map(|status| abort(&format!("s{status}"), json!({"status": status}))),
    );
    setup(rules(Value::Array(all))).start().await
}

fn post(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = get(path, headers).map(|_| Bytes::from_static(b"a body"));
    *request.method_mut() = Method::POST;
    request
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// Sends a request, and one more on the same connection, which must be intact. With HTTP/1, the proxy closes the connection if
/// it replies before the body of the request is there.
async fn send(gateway: &Gateway, protocol: Protocol, request: Request<Bytes>) -> Response {
    let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
    let what = format!("{protocol:?} {} {}", request.method(), request.uri());
    let may_close = protocol == Protocol::Http1 && !request.body().is_empty();
    let answer = connection.send(request).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
    if may_close && !connection.is_open().await {
        return answer;
    }
    let next = connection.send(get("/next", &[])).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
    assert_eq!(next.status, 200, "{what}");
    assert!(next.text().starts_with("GET /next\n"), "{what}: {next:?}");
    answer
}

#[tokio::test]
async fn a_problem_document_names_the_rule() {
    let gateway = gateway().await;
    for protocol in PROTOCOLS {
        for method in ["GET", "POST"] {
            let path = format!("/plain/{method}/{protocol:?}");
            let request = if method == "GET" { get(&path, &[]) } else { post(&path, &[]) };
            let answer = send(&gateway, protocol, request).await;
            assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (503, Some("plain")));
            assert_eq!(answer.header("content-type").unwrap(), "application/problem+json");
            assert_eq!(answer.count("content-type"), 1);
            let document: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(
                (&document["status"], &document["rule"]),
                (&json!(503), &json!("plain")),
                "{document}"
            );
            let logged = logged(&gateway, &path).await;
            assert_eq!(
                (logged.status.as_str(), logged.details.as_str(), logged.decision.as_str()),
                ("503", "fault_injected{plain}", "abort{plain}")
            );
        }
        let mut head = get("/plain/head", &[]);
        *head.method_mut() = Method::HEAD;
        let answer = send(&gateway, protocol, head).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (503, 0));
        assert_eq!(marked(&answer).as_deref(), Some("plain"));
    }
    assert_eq!(faults(&gateway, "plain", "abort").await, 6);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn body_type_and_headers_are_the_users() {
    let gateway = gateway().await;
    for protocol in PROTOCOLS {
        let answer = send(&gateway, protocol, get("/custom", &[])).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (418, "{\"a\":1}"));
        for (name, value) in [
            ("content-type", "application/json"),
            ("retry-after", "1"),
            ("x-why", "test"),
            ("content-length", "7"),
        ] {
            assert_eq!(answer.headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
    }
}

#[tokio::test]
async fn every_status_is_sent_as_it_is() {
    let gateway = gateway().await;
    for protocol in PROTOCOLS {
        for status in [200, 204, 205, 299, 304, 500, 599] {
            let name = format!("s{status}");
            for request in [get(&format!("/{name}"), &[]), post(&format!("/{name}"), &[])] {
                let answer = send(&gateway, protocol, request).await;
                let found = (answer.status.as_u16(), marked(&answer));
                assert_eq!(found, (status, Some(name.clone())), "{protocol:?}");
                let has_body = !matches!(status, 204 | 205 | 304);
                assert_eq!(!answer.body.is_empty(), has_body, "{protocol:?} {status}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn grpc_requests_get_grpc_statuses() {
    let gateway = gateway().await;
    let cases: [(&str, u16, u16, &str); 5] = [
        ("grpc-only", 503, 14, "out of order: 100 %"),
        ("both", 429, 7, "a fault was injected: both"),
        ("plain", 503, 14, "a fault was injected: plain"),
        // As gRPC's table for HTTP statuses says.
        ("too-many", 429, 14, "a fault was injected: too-many"),
        ("denied", 403, 7, "a fault was injected: denied"),
    ];
    for protocol in PROTOCOLS {
        for (name, status, grpc_status, message) in cases {
            let path = format!("/{name}/{protocol:?}");
            assert_eq!(send(&gateway, protocol, get(&path, &[])).await.status, status, "{path}");
            for kind in ["application/grpc", "application/grpc+proto"] {
                let path = format!("{path}/{kind}");
                let request = post(&path, &[("content-type", kind), ("te", "trailers")]);
                let answer = send(&gateway, protocol, request).await;
                assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (200, Some(name)), "{path}");
                assert_eq!(answer.header("grpc-status").unwrap(), grpc_status.to_string(), "{path}");
                let found = answer.header("grpc-message").unwrap();
                let plain = found.replace("%25", "%").replace("%20", " ");
                assert_eq!(plain, message, "{path} {found}");
                assert_eq!(answer.header("content-type").unwrap(), "application/grpc", "{path}");
                let logged = logged(&gateway, &path).await;
                assert_eq!(logged.details, format!("fault_injected{{{name}}}"), "{path}");
            }
        }
    }
    gateway.assert_no_trap().await;
}
