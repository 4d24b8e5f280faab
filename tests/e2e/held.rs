//! Parts of a message that a filter holds: they go on together, whole, in order, and not early.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, eventually, get, header_map};
use mesh_filters::http::{Connection, Parts, Protocol, Request, Response, send};
use mesh_filters::module::PROBE;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// Setups with `allow_on_headers_stop_iteration` off and on.
fn setups() -> [Setup; 2] {
    let plugin = Plugin::new(PROBE, json!({"filters": ["a", "b"]}));
    [plugin.clone(), plugin.stop_iteration()].map(|plugin| Setup::default().plugins(&[plugin]).trailers())
}

/// No body, and a body in one part and in several.
fn bodies() -> [Vec<Bytes>; 3] {
    [vec![], vec![Bytes::from("body")], ["b", "od", "y"].map(Bytes::from).to_vec()]
}

/// Bytes that do not repeat within a buffer of the proxy.
fn large() -> Vec<Bytes> {
    let bytes = (0..3_u32 << 20).map(|index| (index % 251 + index / 65_536 % 5) as u8);
    bytes.collect::<Vec<_>>().chunks(1 << 14).map(Bytes::copy_from_slice).collect()
}

fn request(acts: &[(&str, &str)], parts: &[Bytes], with_trailers: bool) -> Request<Parts> {
    let mut body = Parts::new(parts.to_vec());
    let mut builder = Request::post("/");
    if with_trailers {
        body = body.trailers(header_map(&[("x-end", "1"), ("x-end", "2")]));
        let headers = [("trailer", "x-end"), ("te", "trailers"), ("x-trailer", "x-tail=3")];
        builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    }
    acts.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body).unwrap()
}

/// Asserts that the response has the whole request, with its trailers, and its own ones.
#[track_caller]
fn assert_whole(answer: &Response, parts: &[Bytes], with_trailers: bool) {
    let body = answer.body.windows(2).position(|bytes| bytes == b"\n\n").unwrap() + 2;
    let (mut expected, mut tail) = (parts.concat(), header_map(&[]));
    if with_trailers {
        expected.extend_from_slice(b"\n\nx-end: 1\nx-end: 2\nx-passed: a\nx-passed: b\n");
        tail = header_map(&[("x-tail", "3"), ("x-returned", "b"), ("x-returned", "a")]);
    }
    assert!(answer.body[body..] == expected, "{} of {} bytes", answer.body.len() - body, expected.len());
    assert_eq!((answer.status.as_u16(), &answer.trailers), (200, &tail));
}

/// Sends requests of all forms. What holds a body, or trailers, holds each request that has them.
async fn check(gateway: &Gateway, acts: &[(&str, &str)], holds: impl Fn(bool, bool) -> u64) {
    for protocol in PROTOCOLS {
        for parts in bodies() {
            for with_trailers in [false, true] {
                let begin = Instant::now();
                let request = request(acts, &parts, with_trailers);
                let answer = send(gateway.address, protocol, request).await.unwrap();
                let took = begin.elapsed();
                assert_whole(&answer, &parts, with_trailers);
                let least = Duration::from_millis(holds(!parts.is_empty(), with_trailers));
                assert!(took >= least, "{protocol:?} {acts:?} {took:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_is_held() {
    for setup in setups() {
        let gateway = setup.start().await;
        check(&gateway, &[("x-a", "hold-request-body=40")], |body, _| if body { 40 } else { 0 }).await;
        check(&gateway, &[("x-a", "hold-request-trailers=40")], |_, trailers| if trailers { 40 } else { 0 })
            .await;
        let acts =
            [("x-a", "hold-request-body=40"), ("x-b", "hold-request-body=60, hold-request-trailers=20")];
        check(&gateway, &acts, |body, trailers| {
            if body {
                60
            } else if trailers {
                20
            } else {
                0
            }
        })
        .await;
        // Behind headers that have waited, and behind a body that was buffered.
        let acts = [("x-a", "pause, hold-request-body=40"), ("x-b", "hold-request-trailers=40")];
        check(&gateway, &acts, |body, trailers| if body || trailers { 50 } else { 10 }).await;
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn a_response_is_held() {
    for setup in setups() {
        let gateway = setup.start().await;
        // The response has a body always.
        check(&gateway, &[("x-a", "hold-response-body=40")], |_, _| 40).await;
        check(&gateway, &[("x-a", "hold-response-trailers=40")], |_, trailers| if trailers { 40 } else { 0 })
            .await;
        let acts =
            [("x-a", "hold-response-body=40"), ("x-b", "hold-response-body=60, hold-response-trailers=20")];
        check(&gateway, &acts, |_, _| 60).await;
        let acts = [("x-a", "pause-response, hold-response-body=40"), ("x-b", "hold-response-trailers=40")];
        check(&gateway, &acts, |_, _| 50).await;
        // Both directions.
        check(&gateway, &[("x-b", "hold-request-body=20, hold-response-body=20")], |_, _| 20).await;
        gateway.assert_no_trap().await;
    }
}

/// A body that one filter holds and another one buffers.
#[tokio::test]
async fn a_body_that_is_buffered_is_held_as_well() {
    for setup in setups() {
        let gateway = setup.start().await;
        for (hold, act) in
            [("hold-request-body=40", "request-body"), ("hold-response-body=40", "response-body")]
        {
            for [first, second] in [["x-a", "x-b"], ["x-b", "x-a"]] {
                for with_trailers in [false, true] {
                    let request = request(&[(first, hold), (second, act)], &bodies()[2], with_trailers);
                    let begin = Instant::now();
                    let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
                    assert!(begin.elapsed() >= Duration::from_millis(40));
                    // The filter that buffers has appended its name.
                    let end = format!("body{}", if act == "request-body" { &second[2..] } else { "" });
                    let text = answer.text();
                    let body = text.split_once("\n\n").unwrap().1;
                    assert!(body.starts_with(&end), "{act} {second}: {body}");
                    assert!(act == "request-body" || body.ends_with(&second[2..]), "{act} {second}: {body}");
                }
            }
        }
        gateway.assert_no_trap().await;
    }
}

/// The sender waits while the buffer is full; after each release it goes on, and the filter holds again.
#[tokio::test]
async fn every_byte_of_a_large_body_arrives() {
    let large = large();
    for (limit, milliseconds) in [(None, 30), (Some(64 << 10), 2)] {
        for setup in setups() {
            let setup = if let Some(limit) = limit { setup.buffer_limit(limit) } else { setup };
            let gateway = setup.start().await;
            for protocol in PROTOCOLS {
                for with_trailers in [false, true] {
                    let hold =
                        |message| format!("hold-{message}-body={milliseconds}, hold-{message}-trailers=20");
                    for acts in [hold("request"), hold("response"), format!("pause, {}", hold("request"))] {
                        let request = request(&[("x-a", &acts)], &large, with_trailers);
                        let answer = send(gateway.address, protocol, request).await.unwrap();
                        assert_whole(&answer, &large, with_trailers);
                    }
                }
            }
            assert!(gateway.stat("wasmcustom.probe.a.released").await > 12);
            gateway.assert_no_trap().await;
        }
    }
}

#[tokio::test]
async fn a_client_may_leave_while_a_part_is_held() {
    for setup in setups() {
        let gateway = setup.workers(1).start().await;
        let acts = ["request-body", "request-trailers", "response-body", "response-trailers"];
        for held in acts.map(|act| format!("hold-{act}=60000")) {
            for protocol in PROTOCOLS {
                for _ in 0..10 {
                    let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
                    let sending = connection.send(request(&[("x-a", &held)], &bodies()[2], true));
                    assert!(tokio::time::timeout(Duration::from_millis(15), sending).await.is_err());
                }
            }
        }
        eventually("all clients gone", || async {
            gateway.stat("http.gateway.downstream_cx_active").await == 0
                && gateway.stat("http.gateway.downstream_rq_active").await == 0
        })
        .await;
        let stat = async |name: &str| gateway.stat(&format!("wasmcustom.probe.a.{name}")).await;
        assert_eq!((stat("gone").await, stat("released").await), (80, 0));
        check(&gateway, &[("x-a", "hold-response-body=40")], |_, _| 40).await;
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn the_status_of_a_response_is_rewritten() {
    let gateway = Setup::default().plugins(&[Plugin::new(PROBE, json!({"filters": ["a"]}))]).start().await;
    for protocol in PROTOCOLS {
        for status in ["200", "299", "404", "503", "599"] {
            let acts = format!("status={status}");
            let request = request(&[("x-a", &acts)], &bodies()[1], false);
            let answer = send(gateway.address, protocol, request).await.unwrap();
            assert_eq!(answer.status.as_str(), status);
            assert!(answer.text().ends_with("\n\nbody"));
        }
        // With these, Envoy would fail.
        for acts in ["status=999", "status=101"] {
            let answer = send(gateway.address, protocol, get("/", &[("x-a", acts)])).await.unwrap();
            assert_eq!(answer.status, 200, "{acts}");
        }
    }
    gateway.assert_no_trap().await;
}

/// An upstream that answers every request with 304 and the length of what that stands for.
async fn not_modified() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|size| size > 0) {
                    stream
                        .write_all(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n")
                        .await
                        .unwrap();
                }
            });
        }
    });
    address
}

/// On one connection, so that each response must end.
#[tokio::test]
async fn a_response_without_a_body_has_no_length_after_an_edit() {
    let gateway = Setup::default()
        .plugins(&[Plugin::new(PROBE, json!({"filters": ["a"]}))])
        .cluster("not_modified", not_modified().await)
        .route(json!({"match": {"prefix": "/"}, "route": {"cluster": "not_modified"}}))
        .start()
        .await;
    for protocol in PROTOCOLS {
        let mut connection = Connection::open(gateway.address, protocol).await.unwrap();
        for (acts, status, length) in
            [("", 304, Some("5")), ("status=503", 503, Some("0")), ("status=503", 503, Some("0"))]
        {
            let answer = connection.send(get("/", &[("x-a", acts)])).await.unwrap();
            let length = length.filter(|_| protocol == Protocol::Http1 || acts.is_empty());
            assert_eq!(
                (answer.status.as_u16(), answer.header("content-length").as_deref()),
                (status, length)
            );
        }
    }
}

#[tokio::test]
async fn a_body_is_cut_off() {
    let large = large();
    for setup in setups() {
        let gateway = setup.start().await;
        for protocol in PROTOCOLS {
            for size in [0, 1, 3, 100_000, 4 << 20] {
                for with_trailers in [false, true] {
                    let acts = format!("truncate-response-body={size}, hold-response-body=2");
                    let request = request(&[("x-a", &acts)], &large, with_trailers);
                    let answer = send(gateway.address, protocol, request).await.unwrap();
                    let arrived = answer.body.len();
                    assert!(arrived == size || (size == 4 << 20 && arrived > 3 << 20), "{arrived} of {size}");
                    assert_eq!(answer.trailers.len(), if with_trailers { 3 } else { 0 });
                }
            }
        }
        gateway.assert_no_trap().await;
    }
}
