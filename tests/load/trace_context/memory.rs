//! Memory is bounded, whatever request ids are sent.

use super::{metric, setup};
use crate::alone;
use bytes::Bytes;
use e2e::{get, show};
use mesh_filters::envoy::usage::resident_bytes;
use mesh_filters::http::{Load, Request, Turn, Until};
use serde_json::json;

const IDS: u64 = 1_000_000;
const CAPACITY: u64 = 16_384;
const MAX_ENTRY_BYTES: u64 = 512;
/// What the allocators of the proxy may take for other reasons.
const NOISE: u64 = 8 << 20;

fn request(round: &str, turn: Turn) -> Request<Bytes> {
    let (Turn { connection, sequence }, id) =
        (turn, format!("{round}-{}-{}", turn.connection, turn.sequence));
    let trace = format!("00-{:032x}-{:016x}-01", sequence + 1, connection + 1);
    // Entries of all sizes, some of which are too large.
    let baggage = format!("a={}", "v".repeat((sequence as usize * 37 + connection) % 500));
    get("/", &[("x-request-id", &id), ("traceparent", &trace), ("baggage", &baggage)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_request_ids_take_no_more_memory_than_the_table_has() {
    let _turn = alone().await;
    let config =
        json!({"correlate": {"capacity": CAPACITY, "max_entry_bytes": MAX_ENTRY_BYTES, "ttl": "10m"}});
    let setup = setup(config);
    let outbound = setup.clone().direct().direction("OUTBOUND");
    let gateway = setup.direct().direction("INBOUND").beside("outbound", outbound).start().await;
    let pid = gateway.envoy.pid();
    let flood = async |round: &'static str, listener: &str, requests: u64| {
        let address = gateway.envoy.listener(listener).await.unwrap();
        let load = Load::http2(address, 8, 16, Until::Requests(requests));
        let report = load.run(move |turn| request(round, turn), |_, _| {}).await.unwrap();
        assert_eq!((report.answers(), report.errors), (requests, 0), "{:?}", report.example);
        (report.elapsed().as_secs_f64(), resident_bytes(pid).unwrap())
    };
    // Before the first request, and when all sets of the table are full.
    let before = resident_bytes(pid).unwrap();
    let (_, full) = flood("full", "gateway", 4 * CAPACITY).await;
    let mut most = full;
    let mut took = 0.0;
    for round in ["a", "b", "c", "d"] {
        let (seconds, after) = flood(round, "gateway", IDS / 4).await;
        took += seconds;
        most = most.max(after);
    }
    let (_, after_calls) = flood("e", "outbound", IDS / 10).await;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    show(&format!(
        "{IDS} request ids in {took:.0} s: {:.1} MiB when the table was full, then {:.1} MiB more, and {:.1} MiB with calls",
        mebibytes(full - before),
        mebibytes(most - full),
        mebibytes(after_calls.saturating_sub(full)),
    ));
    let bound = CAPACITY * (MAX_ENTRY_BYTES + 200);
    assert!(most.max(after_calls) - before < bound + NOISE, "{before} grew to {most}, bound {bound}");
    assert!(most.max(after_calls) < full + NOISE, "{full} grew to {most} and {after_calls}");
    // Nearly every entry took the place of an older one, and nothing has failed.
    let (evicted, too_large) = (metric(&gateway, "evicted").await, metric(&gateway, "too_large").await);
    assert!(evicted > IDS / 2 && too_large > IDS / 20, "{evicted} {too_large}");
    assert_eq!(metric(&gateway, "result=.=miss;.;correlated").await, IDS / 10);
    assert_eq!(metric(&gateway, "failed").await, 0);
    gateway.assert_no_trap().await;
}
