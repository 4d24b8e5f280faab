//! Rounds of measurements: nanoseconds a request, for each row.

use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, StatusCode, Uri};

use super::effort::Effort;
use super::rows::{Row, bootstrap};
use crate::envoy::usage::cpu_nanos;
use crate::envoy::{Bootstrap, Envoy, Launch};
use crate::http::{Load, Until};

pub(super) const CONNECTIONS: usize = 8;
pub(super) const STREAMS: usize = 8;

/// For each row, its samples in the order of the rounds.
pub(super) fn measure(rows: &[Row], effort: Effort) -> anyhow::Result<Vec<Vec<f64>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(rounds(rows, effort))
}

async fn rounds(rows: &[Row], effort: Effort) -> anyhow::Result<Vec<Vec<f64>>> {
    let launch = Launch::new()?.concurrency(1).log_level("warning");
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(rows))).await?;
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for round in 0..=effort.rounds {
        let mut turns: Vec<_> = rows.iter().zip(&mut samples).collect();
        // The order alternates, so that of two neighbours neither is always the first.
        if round % 2 == 1 {
            turns.reverse();
        }
        for (row, samples) in turns {
            let nanos = sample(&envoy, row, effort.requests).await?;
            // The first round warms up.
            if round > 0 {
                samples.push(nanos);
            }
        }
        eprintln!("round {round} of {}", effort.rounds);
    }
    Ok(samples)
}

/// Nanoseconds a request of one row.
pub(super) async fn sample(envoy: &Envoy, row: &Row, requests: u64) -> anyhow::Result<f64> {
    let address = envoy.listener(&row.name).await?;
    let load = Load::http2(address, CONNECTIONS, STREAMS, Until::Requests(requests));
    let request = request(row)?;
    let before = cpu_nanos(envoy.pid())?;
    let report = load.run(move |_| request.clone(), |_, _| {}).await?;
    // Includes what Envoy does after its last response: logs, frees.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let spent = cpu_nanos(envoy.pid())?.saturating_sub(before);
    let admitted = report.count(StatusCode::OK);
    ensure!(admitted == requests, "`{}` answered {:?}", row.name, report.by_status);
    Ok(spent as f64 / requests as f64)
}

/// A request with about as many headers as a browser sends.
pub(super) fn request(row: &Row) -> anyhow::Result<Request<Bytes>> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = Uri::from_static("/api/items?page=2");
    for (name, value) in [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("accept", "application/json"),
        ("accept-language", "en"),
        ("x-api-key", "0123456789abcdef"),
        ("cookie", "session=0123456789abcdef"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in &row.headers {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(request)
}
