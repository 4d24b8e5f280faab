//! Bodies at a mean rate.

use super::{at_rest, faults, logged, marked, metric, rule, rules, setup};
use e2e::{Gateway, eventually, get, numbered, show, timed};
use mesh_filters::http::{Connection, Protocol, Response, send};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

const KIBIBYTE: usize = 1 << 10;
const STREAMS: usize = 20;

fn throttled(name: &str, bytes_per_second: usize) -> serde_json::Value {
    rule(name, json!({"throttle": {"percentage": 100, "bytes_per_second": bytes_per_second}}))
}

/// Rules, sizes and expected seconds.
const BODIES: [(&str, usize, usize); 2] =
    [("small", 40 * KIBIBYTE, 40 * KIBIBYTE), ("large", 3072 * KIBIBYTE, 2048 * KIBIBYTE)];

async fn gateway() -> Gateway {
    let all: Vec<_> = BODIES.iter().map(|(name, _, rate)| throttled(name, *rate)).collect();
    setup(rules(json!(all))).trailers().start().await
}

#[track_caller]
fn check(what: &str, took: Duration, answer: &Response, size: usize, rate: usize, rule: &str) {
    let expected = Duration::from_secs_f64(size as f64 / rate as f64);
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, size), "{what}");
    assert!(answer.body == numbered(size), "{what}: the bytes differ");
    assert_eq!(marked(answer).as_deref(), Some(rule), "{what}");
    assert!(took >= expected, "{what}: {took:?} instead of {expected:?}");
    assert!(took <= expected.mul_f64(1.1), "{what}: {took:?} instead of {expected:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_takes_its_time_and_loses_nothing() {
    let gateway = gateway().await;
    let trailers = [("te", "trailers"), ("x-trailer", "x-end=1")];
    for (rule, size, rate) in BODIES {
        for (form, headers) in [("length", &[][..]), ("trailers", &trailers)] {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                // One connection for all streams where the protocol can, else one for each.
                let shared = Connection::open(gateway.address, protocol).await.unwrap();
                let mut streams = JoinSet::new();
                for number in 0..STREAMS {
                    let address = gateway.address;
                    let mut connection = match shared.share() {
                        Some(connection) => connection,
                        None => Connection::open(address, protocol).await.unwrap(),
                    };
                    let wanted = size.to_string();
                    let path = format!("/{rule}/{form}/{protocol:?}/{number}");
                    let request = get(&path, &[headers, &[("x-size", &wanted)]].concat());
                    streams.spawn(async move {
                        let (took, answer) = timed(connection.send(request)).await;
                        (path, took, answer.unwrap())
                    });
                }
                let mut longest = Duration::ZERO;
                while let Some(stream) = streams.join_next().await {
                    let (path, took, answer) = stream.unwrap();
                    check(&path, took, &answer, size, rate, rule);
                    assert_eq!(answer.trailers.contains_key("x-end"), form == "trailers", "{path}");
                    longest = longest.max(took);
                    if path.ends_with("/0") {
                        assert_eq!(logged(&gateway, &path).await.decision, format!("throttle{{{rule}}}"));
                    }
                }
                show(&format!(
                    "{STREAMS} times {size} bytes at {rate}/s, {form}, {protocol:?}: at most {longest:?}"
                ));
            }
        }
        assert_eq!(faults(&gateway, rule, "throttle").await, 4 * STREAMS as u64);
    }
    at_rest(&gateway).await;
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_may_leave_in_the_middle() {
    let gateway = setup(rules(json!([throttled("slow", 1000)]))).trailers().start().await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (form, headers) in
            [("length", &[][..]), ("trailers", &[("te", "trailers"), ("x-trailer", "x-end=1")])]
        {
            for size in ["5000", "3000000"] {
                let mut streams = JoinSet::new();
                for _ in 0..STREAMS {
                    let request = get("/slow", &[headers, &[("x-size", size)]].concat());
                    streams.spawn(send(gateway.address, protocol, request));
                }
                eventually("held", || async { metric(&gateway, "active").await == STREAMS as u64 }).await;
                // Some of the body is held, and all of it where it is small.
                tokio::time::sleep(Duration::from_millis(50)).await;
                streams.shutdown().await;
                eventually(form, || async { metric(&gateway, "active").await == 0 }).await;
            }
        }
    }
    gateway.assert_no_trap().await;
}
