//! The chain that a config builds: its order on requests and responses, replies and pauses at each position.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, eventually, get, header_map};
use mesh_filters::http::{Connection, Parts, Protocol, Request, Response, send};
use mesh_filters::module::PROBE;
use serde_json::json;
use std::time::Duration;

const NAMES: [&str; 3] = ["a", "b", "c"];

async fn chain(filters: &[&str]) -> Gateway {
    Setup::default().plugins(&[Plugin::new(PROBE, json!({"filters": filters}))]).trailers().start().await
}

/// The filters that saw a response, in the order in which they saw it.
fn returned(response: &Response) -> String {
    let names: Vec<_> = response.headers.get_all("x-returned").iter().map(|name| name.as_bytes()).collect();
    String::from_utf8(names.concat()).unwrap()
}

/// The filters that saw a request, as its upstream reports.
fn passed(text: &str) -> String {
    text.lines().filter_map(|line| line.strip_prefix("x-passed: ")).collect()
}

/// The filters that see a response which the filter at `position` sends: this one and those before it.
fn back_from(position: usize) -> String {
    NAMES[..=position].iter().rev().copied().collect()
}

#[tokio::test]
async fn requests_pass_in_order_and_responses_in_reverse() {
    for (filters, request, response) in [
        (&["a"][..], "a", "a"),
        (&["a", "b", "c"], "abc", "cba"),
        (&["c", "a", "b"], "cab", "bac"),
        (&["a", "b", "a", "a"], "abaa", "aaba"),
        (&[], "", ""),
    ] {
        let gateway = chain(filters).await;
        let answer = gateway.send(get("/", &[])).await;
        assert_eq!(answer.status, 200);
        assert_eq!((passed(&answer.text()).as_str(), returned(&answer).as_str()), (request, response));
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn bodies_and_trailers_pass_like_headers() {
    let gateway = chain(&NAMES).await;
    let act = "request-body, response-body";
    let builder =
        NAMES.iter().fold(Request::post("/"), |builder, name| builder.header(format!("x-{name}"), act));
    let request = builder.header("te", "trailers").header("x-trailer", "x-end=1");
    let body = Parts::new(["bo", "dy"].map(Bytes::from)).trailers(header_map(&[("x-end", "1")]));
    let answer = send(gateway.address, Protocol::Http2, request.body(body).unwrap()).await.unwrap();
    let text = answer.text();
    let (headers, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(passed(headers), "abc");
    assert_eq!(rest, "bodyabc\n\nx-end: 1\nx-passed: a\nx-passed: b\nx-passed: c\ncba");
    assert_eq!(returned(&answer), "cba");
    let trailers: Vec<_> = answer.trailers.get_all("x-returned").iter().collect();
    assert_eq!(trailers, ["c", "b", "a"]);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_reply_passes_the_filter_that_replied_and_those_in_front() {
    let gateway = chain(&NAMES).await;
    for (position, name) in NAMES.iter().enumerate() {
        let header = format!("x-{name}");
        for act in ["reply", "pause, then-reply", "reply, pause-response"] {
            for body in ["", "body"] {
                let request = Request::post("/").header(&header, act).body(Bytes::from(body)).unwrap();
                let answer = gateway.send(request).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.text()),
                    (418, "teapot".to_owned()),
                    "{name} {act}"
                );
                assert_eq!(returned(&answer), back_from(position), "{name} {act}");
            }
        }
    }
    assert_eq!(gateway.upstream.begun(), 0);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_message_waits_at_each_filter() {
    let gateway = chain(&NAMES).await;
    let act = "pause, pause-response";
    let headers: Vec<_> = NAMES.iter().map(|name| (format!("x-{name}"), act)).collect();
    let all: Vec<_> = headers.iter().map(|(name, act)| (name.as_str(), *act)).collect();
    for headers in [&all[..1], &all[1..2], &all[2..], &all[..]] {
        let answer = gateway.send(get("/", headers)).await;
        assert_eq!(answer.status, 200);
        assert_eq!((passed(&answer.text()), returned(&answer)), ("abc".to_owned(), "cba".to_owned()));
    }
    gateway.assert_no_trap().await;
}

/// Every filter has seen the request, so every one sees the reply.
#[tokio::test]
async fn a_reply_to_trailers_passes_all_filters() {
    let gateway = chain(&NAMES).await;
    for name in NAMES {
        let body = Parts::from(Bytes::from("body")).trailers(header_map(&[("x-end", "1")]));
        let request = Request::post("/").header(format!("x-{name}"), "reply-to-trailers").body(body).unwrap();
        let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
        assert_eq!((answer.status.as_u16(), returned(&answer)), (418, "cba".to_owned()), "{name}");
    }
    assert_eq!(gateway.upstream.whole(), 0);
    gateway.assert_no_trap().await;
}

/// Envoy sends this reply without passing it through the filters.
#[tokio::test]
async fn a_filter_replaces_a_response() {
    let gateway = chain(&NAMES).await;
    for name in NAMES {
        let answer = gateway.send(get("/", &[(&format!("x-{name}"), "reply-to-response")])).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()), "{name}");
        assert_eq!(returned(&answer), "");
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_client_may_leave_at_each_filter() {
    let gateway = chain(&NAMES).await;
    for name in NAMES {
        for act in ["pause", "pause, then-reply", "pause-response"] {
            let header = format!("x-{name}");
            let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
            let sending = connection.send(get("/", &[(&header, act)]));
            let left = tokio::time::timeout(Duration::from_millis(3), sending).await;
            drop(left);
        }
    }
    eventually("all clients gone", || async { gateway.stat("http.gateway.downstream_cx_active").await == 0 })
        .await;
    let answer = gateway.send(get("/", &[("x-b", "pause")])).await;
    assert_eq!(returned(&answer), "cba");
    gateway.assert_no_trap().await;
}
