//! Clients that leave while the filter holds their stream.

use super::watch::Watch;
use super::{at_rest, held, metric, rules, setup};
use crate::alone;
use bytes::Bytes;
use e2e::{Gateway, eventually, get, show};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

const MILLISECOND: Duration = Duration::from_millis(1);
/// When the filter wakes a stream, after its request.
const WAKE: Duration = Duration::from_millis(100);

/// A rule for each way to hold a stream, by path; `/long` is held for longer than a test takes.
fn config() -> Value {
    let rule = |path: &str, faults: Value| {
        let matches = json!({"path": {"prefix": format!("/{path}")}});
        e2e::with(json!({"name": path, "match": matches}), faults)
    };
    let mut config = rules(json!([
        rule("long", json!({"delay": {"percentage": 100, "fixed": "60s"}})),
        rule("delay", json!({"delay": {"percentage": 100, "fixed": "100ms"}})),
        rule("abort", json!({
            "delay": {"percentage": 100, "fixed": "100ms"}, "abort": {"percentage": 100, "status": 503},
        })),
        rule("response", json!({"response": {"percentage": 100, "delay": {"fixed": "100ms"}}})),
        rule("random", json!({
            "delay": {"percentage": 100, "distribution": {"uniform": {"min": "1ms", "max": "100ms"}}},
            "response": {"percentage": 100, "delay": {"distribution": {"uniform": {"min": "1ms", "max": "100ms"}}}},
        })),
        rule("throttle", json!({"throttle": {"percentage": 100, "bytes_per_second": 10_000}})),
        // Requests in flight are counted.
        {"name": "never", "in_flight": {"at_least": 1_000_000}, "abort": {"percentage": 100, "status": 503}},
    ]));
    config["max_active"] = json!(0);
    config
}

const PATHS: [&str; 5] = ["/delay", "/abort", "/response", "/random", "/throttle"];

async fn check_healthy(gateway: &mut Gateway) {
    assert_eq!(gateway.envoy.ended(), None, "Envoy has crashed");
    at_rest(gateway).await;
    // The way through the filter is as before, on both workers.
    for _ in 0..4 {
        assert_eq!(gateway.send(get("/delay", &[])).await.status, 200);
        assert_eq!(gateway.send(get("/", &[])).await.status, 200);
    }
    at_rest(gateway).await;
    assert_eq!(metric(gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

/// Opens a connection and sends a request.
async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-size: 1000\r\n\r\n").as_bytes())
        .await
        .unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_http1_clients_leave() {
    const CLIENTS: usize = 500;
    let _turn = alone().await;
    let mut gateway = setup(config()).start().await;
    let address = gateway.address;
    let watch = Watch::start(&gateway, CLIENTS as u64);
    // All are held, and leave at once; the second time they only stop sending.
    for is_closed in [true, false] {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(ask(address, "/long").await);
        }
        held(&gateway, CLIENTS as u64).await;
        eventually("in flight", || async {
            metric(&gateway, "plugin=.=fault;.;in_flight").await == CLIENTS as u64
        })
        .await;
        watch.look().await;
        if !is_closed {
            for client in &mut clients {
                client.shutdown().await.unwrap();
            }
            held(&gateway, 0).await;
        }
        drop(clients);
        at_rest(&gateway).await;
    }
    // They leave at once, or about when their delay ends.
    for around in [Duration::ZERO, WAKE] {
        let mut leaving = JoinSet::new();
        for number in 0..CLIENTS {
            let path = PATHS[number % PATHS.len()];
            let after = around + u32::try_from(number % 20).unwrap() * MILLISECOND;
            leaving.spawn(async move {
                let client = ask(address, path).await;
                sleep(after.saturating_sub(5 * MILLISECOND)).await;
                drop(client);
            });
        }
        leaving.join_all().await;
        at_rest(&gateway).await;
    }
    let seen = watch.stop().await;
    show(&format!("2000 HTTP/1 clients left; at most {:?} in {} looks", seen.most, seen.looks));
    assert_eq!(seen.active(), CLIENTS as u64);
    check_healthy(&mut gateway).await;
}

/// Sends requests on one connection, and ends it, or all of its streams, after this time.
async fn leave(address: SocketAddr, streams: usize, after: Duration, is_closed: bool) -> usize {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = JoinSet::new();
    for number in 0..streams {
        let path = PATHS[number % PATHS.len()];
        let request = Request::get(format!("http://a{path}")).header("x-size", "1000");
        sender.ready().await.unwrap();
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap());
        answers.spawn(async move { answer.await.ok()?.into_body().collect().await.ok() });
    }
    sleep(after).await;
    if is_closed {
        connection.abort();
        let _ = connection.await;
    } else {
        // Each stream that has no response yet is reset.
        answers.abort_all();
    }
    let mut answered = 0;
    while let Some(answer) = answers.join_next().await {
        answered += usize::from(matches!(answer, Ok(Some(_))));
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_connections_close_in_the_middle_of_their_wakes() {
    /// With all its rounds, 2000 streams whose connections close, and as many that are reset.
    const ROUNDS: u32 = 10;
    const CONNECTIONS: u32 = 8;
    const STREAMS: usize = 50;
    let _turn = alone().await;
    let mut gateway = setup(config()).start().await;
    let watch = Watch::start(&gateway, 1000);
    let (mut answered, mut sent) = (0, 0);
    for round in 0..ROUNDS {
        let mut leaving = JoinSet::new();
        for connection in 0..CONNECTIONS {
            // From 5 ms before the wakes to 11 ms after them.
            let after = WAKE + (2 * connection + round % 2) * MILLISECOND - 5 * MILLISECOND;
            leaving.spawn(leave(gateway.address, STREAMS, after, round < ROUNDS / 2));
        }
        answered += leaving.join_all().await.into_iter().sum::<usize>();
        sent += CONNECTIONS as usize * STREAMS;
        assert_eq!(gateway.envoy.ended(), None, "Envoy has crashed");
    }
    let seen = watch.stop().await;
    show(&format!(
        "{sent} HTTP/2 streams, {answered} answered before they left; at most {:?} in {} looks",
        seen.most, seen.looks
    ));
    // The time is right: some wakes were before the end, and some would have been after it.
    assert!(answered > sent / 50 && answered < sent * 49 / 50, "{answered} of {sent}");
    check_healthy(&mut gateway).await;
}
