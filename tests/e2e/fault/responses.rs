//! Which responses are faulted, and which are not.

use super::{MARKER, at_rest, faults, logged, marked, metric, plugin, rule, rules, setup};
use e2e::{Plugin, Setup, get};
use mesh_filters::http::{Method, Protocol, Response, send};
use mesh_filters::registry::RATE_LIMIT;
use serde_json::{Value, json};

fn response(name: &str, changes: Value) -> Value {
    rule(name, json!({"response": e2e::with(json!({"percentage": 100}), changes)}))
}

/// Faults of every kind for every response, and none for requests.
fn everything() -> Value {
    rules(json!([{
        "name": "all",
        "response": {"percentage": 100, "status": 502, "delay": {"fixed": "1ms"}, "remove_headers": ["etag"], "truncate_body": 3},
        "throttle": {"percentage": 100, "bytes_per_second": 1_000_000},
    }]))
}

#[track_caller]
fn check_untouched(what: &str, answer: &Response, status: u16) {
    assert_eq!((answer.status.as_u16(), answer.count(MARKER)), (status, 0), "{what}: {answer:?}");
}

#[tokio::test]
async fn status_and_headers_change() {
    let gateway = setup(rules(json!([
        response("s", json!({"status": 502, "remove_headers": ["etag", "x-twice", "content-type"]})),
        response("remove", json!({"remove_headers": ["etag"]})),
    ])))
    .start()
    .await;
    let answers = [
        ("x-answer", "etag=a"),
        ("x-answer", "x-twice=1"),
        ("x-answer", "x-twice=2"),
        ("x-answer", "content-type=text/a"),
        ("x-answer", "x-kept=1"),
    ];
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let path = format!("/s/{protocol:?}");
        let answer = send(gateway.address, protocol, get(&path, &answers)).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("s")));
        for gone in ["etag", "x-twice", "content-type"] {
            assert_eq!(answer.count(gone), 0, "{gone}");
        }
        assert_eq!(answer.header("x-kept").unwrap(), "1");
        assert!(answer.text().starts_with(&format!("GET {path}\n")), "{}", answer.text());
        assert_eq!(super::marked_upstream(&answer), None, "a response is no reason to mark the request");
        let logged = logged(&gateway, &path).await;
        assert_eq!((logged.status.as_str(), logged.details.as_str()), ("502", "via_upstream"));
        assert_eq!(logged.decision, "response{s}");

        let answer = send(gateway.address, protocol, get("/remove", &answers)).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.count("etag"), answer.count("x-twice")), (200, 0, 2));
        assert_eq!(marked(&answer).as_deref(), Some("remove"));
    }
    // The upstream's status is replaced whatever it is.
    for status in ["204", "304", "404", "500"] {
        let answer = gateway.send(get("/s", &[("x-status", status)])).await;
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("s")), "{status}");
    }
    assert_eq!(faults(&gateway, "s", "response").await, 6);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_grpc_response_gets_the_status_as_its_http_status() {
    let gateway = setup(rules(json!([response("s", json!({"status": 503}))]))).trailers().start().await;
    let headers = [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("x-answer", "content-type=application/grpc"),
        ("x-trailer", "grpc-status=0"),
    ];
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let answer = send(gateway.address, protocol, get("/s", &headers)).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (503, Some("s")), "{protocol:?}");
        assert_eq!(answer.header("content-type").unwrap(), "application/grpc");
        assert_eq!(answer.trailers.get("grpc-status").unwrap(), "0", "{protocol:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_error_of_the_proxy_has_no_marker() {
    let route = |path: &str, route: Value| json!({"match": {"prefix": path}, "route": route});
    let slow = json!({"cluster": "upstream", "timeout": "0.1s"});
    let gateway = setup(everything())
        .route(route("/dead", json!({"cluster": "dead"})))
        .route(route("/unknown", json!({"cluster_header": "x-cluster"})))
        .route(route("/slow", slow))
        .start()
        .await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (path, status) in [("/dead", 503), ("/unknown", 503), ("/slow", 504)] {
            let answer =
                send(gateway.address, protocol, get(path, &[("x-slow", "20000"), ("x-cluster", "nowhere")]))
                    .await
                    .unwrap();
            check_untouched(path, &answer, status);
        }
        let answer = send(gateway.address, protocol, get("/there", &[])).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), marked(&answer).as_deref(), answer.body.len()),
            (502, Some("all"), 3)
        );
    }
    at_rest(&gateway).await;
    assert_eq!(faults(&gateway, "all", "response").await, 2);
    gateway.assert_no_trap().await;
}

/// A filter behind this one replies.
#[tokio::test]
async fn replies_of_other_filters_are_not_faulted() {
    let none = json!({"limits": [{"name": "none", "rate": {"requests": 1, "per": "1d"}}]});
    let gateway = Setup::default()
        .plugins(&[plugin(everything()), Plugin::new(RATE_LIMIT, none)])
        .beside(
            "twice",
            Setup::default().plugins(&[
                plugin(everything()),
                plugin(rules(json!([{"name": "inner", "abort": {"percentage": 100, "status": 503}}])))
                    .named("inner"),
            ]),
        )
        .start()
        .await;
    let answer = gateway.send(get("/", &[])).await;
    assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("all")));
    check_untouched("rate limit", &gateway.send(get("/", &[])).await, 429);
    // The marker is that of the filter that has aborted the request.
    let answer = gateway.send_to("twice", get("/", &[])).await;
    assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (503, Some("inner")));
    at_rest(&gateway).await;
}

#[tokio::test]
async fn what_a_route_answers_is_faulted() {
    let gateway = setup(everything())
        .route(json!({"match": {"prefix": "/direct"},
            "direct_response": {"status": 200, "body": {"inline_string": "direct"}}}))
        .route(json!({"match": {"prefix": "/empty"}, "direct_response": {"status": 200}}))
        .route(json!({"match": {"prefix": "/moved"}, "redirect": {"path_redirect": "/there"}}))
        .start()
        .await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (path, body) in [("/direct", "dir"), ("/empty", ""), ("/moved", "")] {
            let answer = send(gateway.address, protocol, get(path, &[])).await.unwrap();
            let found = (answer.status.as_u16(), marked(&answer));
            assert_eq!(found, (502, Some("all".to_owned())), "{path} {protocol:?}");
            assert_eq!(answer.text(), body, "{path} {protocol:?}");
        }
    }
    at_rest(&gateway).await;
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_response_to_head_has_no_body_to_change() {
    let gateway = setup(everything()).start().await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut request = get("/", &[("x-answer", "etag=a")]);
        *request.method_mut() = Method::HEAD;
        let answer = send(gateway.address, protocol, request).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("all")), "{answer:?}");
        assert_eq!((answer.body.len(), answer.count("etag")), (0, 0));
    }
    assert_eq!(faults(&gateway, "all", "throttle").await, 0, "there is nothing to slow down");
    at_rest(&gateway).await;
    assert_eq!(metric(&gateway, "failed").await, 0);
}

/// A delay of the request and a change of its response: one marker, and everything in the log.
#[tokio::test]
async fn faults_of_request_and_response_add_up() {
    let faults = json!({
        "delay": {"percentage": 100, "fixed": "20ms"},
        "response": {"percentage": 100, "status": 502, "delay": {"fixed": "20ms"}},
        "throttle": {"percentage": 100, "bytes_per_second": 10_000_000},
    });
    let gateway = setup(rules(json!([rule("r", faults)]))).start().await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let path = format!("/r/{protocol:?}");
        let answer = send(gateway.address, protocol, get(&path, &[])).await.unwrap();
        assert_eq!((answer.status.as_u16(), marked(&answer).as_deref()), (502, Some("r")));
        assert_eq!(super::marked_upstream(&answer).as_deref(), Some("r"));
        assert_eq!(logged(&gateway, &path).await.decision, "delay{r}+response{r}+throttle{r}");
    }
    for kind in ["delay", "response", "throttle"] {
        assert_eq!(super::faults(&gateway, "r", kind).await, 2, "{kind}");
    }
    at_rest(&gateway).await;
}
