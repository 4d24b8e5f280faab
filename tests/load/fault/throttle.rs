//! Bodies at a mean rate.

use super::{MARKER, at_rest, faults, held, metric, rules, setup};
use crate::alone;
use e2e::{Gateway, get, numbered, percentile, show, timed};
use mesh_filters::http::{Connection, Protocol, send};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

const KIBIBYTE: usize = 1 << 10;
const STREAMS: usize = 20;

fn throttled(name: &str, bytes_per_second: usize) -> serde_json::Value {
    let matches = json!({"path": {"prefix": format!("/{name}/")}});
    json!({"name": name, "match": matches, "throttle": {"percentage": 100, "bytes_per_second": bytes_per_second}})
}

/// Rules, body sizes in bytes, and rates in bytes per second.
const BODIES: [(&str, usize, usize); 2] =
    [("small", 40 * KIBIBYTE, 40 * KIBIBYTE), ("large", 3072 * KIBIBYTE, 2048 * KIBIBYTE)];

async fn gateway() -> Gateway {
    let all: Vec<_> = BODIES.iter().map(|(name, _, rate)| throttled(name, *rate)).collect();
    setup(rules(json!(all))).trailers().start().await
}

/// Requests with many bodies at once, all through the same rule.
struct Bodies {
    rule: &'static str,
    size: usize,
    rate: usize,
    protocol: Protocol,
    has_trailers: bool,
}

impl Bodies {
    fn expected(&self) -> Duration {
        Duration::from_secs_f64(self.size as f64 / self.rate as f64)
    }

    /// Sends them and checks every byte. Returns how long they took.
    async fn send(&self, gateway: &Gateway, round: usize) -> Vec<Duration> {
        let trailers = [("te", "trailers"), ("x-trailer", "x-end=1")];
        let size = self.size.to_string();
        let headers =
            [&[("x-size", size.as_str())][..], if self.has_trailers { &trailers[..] } else { &[] }].concat();
        // One connection for all streams where the protocol can, else one for each.
        let shared = Connection::open(gateway.address, self.protocol).await.unwrap();
        let mut streams = JoinSet::new();
        for number in 0..STREAMS {
            let mut connection = match shared.share() {
                Some(connection) => connection,
                None => Connection::open(gateway.address, self.protocol).await.unwrap(),
            };
            let path = format!("/{}/{:?}/{}/{round}/{number}", self.rule, self.protocol, self.has_trailers);
            let request = get(&path, &headers);
            streams.spawn(async move {
                let (took, answer) = timed(connection.send(request)).await;
                (path, took, answer.unwrap())
            });
        }
        let mut all = Vec::new();
        while let Some(stream) = streams.join_next().await {
            let (path, took, answer) = stream.unwrap();
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, self.size), "{path}");
            assert!(answer.body == numbered(self.size), "{path}: the bytes differ");
            assert_eq!(answer.header(MARKER).as_deref(), Some(self.rule), "{path}");
            assert!(took >= self.expected(), "{path}: {took:?}");
            assert_eq!(answer.trailers.contains_key("x-end"), self.has_trailers, "{path}");
            all.push(took);
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_takes_its_time_and_loses_nothing() {
    /// Rounds in which the machine may be busy with something else.
    const ROUNDS: usize = 10;
    let _turn = alone().await;
    let gateway = gateway().await;
    for (rule, size, rate) in BODIES {
        let mut sent = 0;
        for protocol in [Protocol::Http1, Protocol::Http2] {
            for has_trailers in [false, true] {
                let bodies = Bodies { rule, size, rate, protocol, has_trailers };
                let most = bodies.expected().mul_f64(1.1);
                let mut longest = Duration::MAX;
                for round in 0..ROUNDS {
                    let all = bodies.send(&gateway, round).await;
                    sent += all.len() as u64;
                    longest = longest.min(percentile(all, 100));
                    if longest <= most {
                        break;
                    }
                }
                show(&format!(
                    "{STREAMS} times {size} bytes at {rate}/s, {protocol:?}, trailers: {has_trailers}: {longest:?}"
                ));
                assert!(longest <= most, "{rule} {protocol:?} {has_trailers}: {longest:?}");
            }
        }
        assert_eq!(faults(&gateway, rule, "throttle").await, sent);
    }
    at_rest(&gateway).await;
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_may_leave_in_the_middle() {
    let _turn = alone().await;
    let gateway = setup(rules(json!([throttled("slow", 1000)]))).trailers().start().await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for headers in [&[][..], &[("te", "trailers"), ("x-trailer", "x-end=1")]] {
            for size in ["5000", "3000000"] {
                let mut streams = JoinSet::new();
                for _ in 0..STREAMS {
                    let request = get("/slow/", &[headers, &[("x-size", size)]].concat());
                    streams.spawn(send(gateway.address, protocol, request));
                }
                held(&gateway, STREAMS as u64).await;
                // Some of the body is held, and all of it where it is small.
                tokio::time::sleep(Duration::from_millis(50)).await;
                streams.shutdown().await;
                held(&gateway, 0).await;
            }
        }
    }
    gateway.assert_no_trap().await;
}
