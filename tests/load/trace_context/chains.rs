//! Many chains at once.

use super::{metric, setup};
use crate::alone;
use bytes::Bytes;
use e2e::{Sidecar, get, received, show};
use mesh_filters::http::{Load, Request, Turn, Until};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Chains at once.
const CHAINS: usize = 200;
/// All chains.
const ALL: u64 = 6000;

/// The headers of a chain, each of which names it.
fn headers(turn: Turn) -> [(&'static str, String); 4] {
    let number = turn.sequence * CHAINS as u64 + turn.connection as u64 + 1;
    let sampled = number % 2;
    [
        ("x-request-id", format!("00000000-0000-4000-8000-{number:012}")),
        ("traceparent", format!("00-{number:032x}-{:016x}-0{sampled}", number * 7)),
        ("baggage", format!("tenant=t{number},padding={}", "p".repeat(number as usize % 200))),
        ("x-mesh-variant", format!("v{number}")),
    ]
}

fn request(turn: Turn) -> Request<Bytes> {
    let headers = headers(turn);
    get("/", &headers.each_ref().map(|(name, value)| (*name, value.as_str())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_are_not_mixed_up() {
    let _turn = alone().await;
    let carry = ["traceparent", "baggage", "x-mesh-variant"];
    let [first, second] = Sidecar::chain(&setup(json!({"correlate": {"carry": carry}}))).await;
    // All chains of a round are under way when the first one ends.
    second.gateway.upstream.delay(Duration::from_millis(100));
    let whole = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&whole);
    let see = move |turn: Turn, answer: &mesh_filters::http::Response| {
        let text = answer.text();
        for (name, value) in headers(turn) {
            assert_eq!(received(&text, name), [(name.to_owned(), value)], "{turn:?}: {text}");
        }
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let load = Load::http1(first.gateway.address, CHAINS, Until::Requests(ALL));
    let report = load.run(request, see).await.unwrap();
    show(&format!(
        "{} chains, {CHAINS} at once, in {:.1} s",
        report.answers(),
        report.elapsed().as_secs_f64()
    ));
    assert_eq!(
        (report.errors, report.answers(), whole.load(Ordering::Relaxed)),
        (0, ALL, ALL),
        "{:?}",
        report.example
    );
    for Sidecar { gateway, .. } in [&first, &second] {
        assert_eq!(metric(gateway, "result=.=hit;.;correlated").await, ALL);
        // What is evicted, if a set is full, is of a chain that has ended.
        for nothing in ["result=.=miss;.;correlated", "too_large", "failed", "no_direction"] {
            assert_eq!(metric(gateway, nothing).await, 0, "{nothing}");
        }
        gateway.assert_no_trap().await;
    }
}
