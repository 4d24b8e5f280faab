//! What a filter costs: the processor time that Envoy takes for a request, beside other listeners of
//! the same Envoy in the same run.
//!
//! The time is the scheduler's own count for the Envoy process, not throughput, which moves with
//! whoever shares the machine. Neighbours can only ever add to it: so there are many short rounds, the
//! rows take turns, and of each the mean of the lowest third counts. Quote ratios; the absolute
//! figures are those of one machine.

pub(crate) mod jwt_authz;
pub(crate) mod rate_limit;
mod rows;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Request, StatusCode};

use crate::envoy::usage::cpu_nanos;
use crate::envoy::{Bootstrap, Envoy, Launch};
use crate::http::{Load, Until};
use rows::bootstrap;

pub(crate) use rows::{Row, Rows};

const CONNECTIONS: usize = 8;
const STREAMS: usize = 8;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds; each has every row once.
    pub rounds: usize,
    /// Requests for each row in a round.
    pub requests: u64,
}

/// Measures the rows, for which there is an empty folder, and prints a table.
pub(crate) fn run(
    rows: impl FnOnce(&Path) -> anyhow::Result<Vec<Row>>,
    effort: Effort,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rows = rows(folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let figures = runtime.block_on(measure(&rows, effort))?;
    print(&rows, &figures);
    Ok(())
}

/// Nanoseconds a request, for each row.
async fn measure(rows: &[Row], effort: Effort) -> anyhow::Result<Vec<f64>> {
    let launch = Launch::new()?.concurrency(1).log_level("warning");
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(rows))).await?;
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for round in 0..=effort.rounds {
        for (row, samples) in rows.iter().zip(&mut samples) {
            let nanos = sample(&envoy, row, effort.requests).await?;
            // The first round warms up.
            if round > 0 {
                samples.push(nanos);
            }
        }
        eprintln!("round {round} of {}", effort.rounds);
    }
    Ok(samples.into_iter().map(lowest_third).collect())
}

async fn sample(envoy: &Envoy, row: &Row, requests: u64) -> anyhow::Result<f64> {
    let address = envoy.listener(row.name).await?;
    let load = Load::http2(address, CONNECTIONS, STREAMS, Until::Requests(requests));
    let before = cpu_nanos(envoy.pid())?;
    let token = row.token;
    let report = load.run(move |_| request(token), |_, _| {}).await?;
    // What is still under way after the last answer (logs, frees) belongs to it.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let spent = cpu_nanos(envoy.pid())?.saturating_sub(before);
    let admitted = report.count(StatusCode::OK);
    ensure!(admitted == requests, "`{}` answered {:?}", row.name, report.by_status);
    Ok(spent as f64 / requests as f64)
}

/// About as many headers as a browser's request brings.
fn request(token: Option<&str>) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = hyper::Uri::from_static("/api/items?page=2");
    for (name, value) in [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        ("accept", "application/json"),
        ("accept-language", "en"),
        ("x-api-key", "0123456789abcdef"),
        ("cookie", "session=0123456789abcdef"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(token) = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok()) {
        request.headers_mut().insert(hyper::header::AUTHORIZATION, token);
    }
    request
}

fn lowest_third(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.truncate(samples.len().div_ceil(3));
    samples.iter().sum::<f64>() / samples.len() as f64
}

fn print(rows: &[Row], figures: &[f64]) {
    let of = |name: &str| {
        rows.iter().zip(figures).find(|(row, _)| row.name == name).map_or(0.0, |(_, nanos)| *nanos)
    };
    let bare = of(rows::BARE);
    let noop = of(rows::NOOP) - bare;
    println!("{:<28} {:>14} {:>10} {:>12}", "listener", "CPU us/request", "added us", "x do-nothing");
    for (row, nanos) in rows.iter().zip(figures) {
        let added = nanos - bare;
        println!("{:<28} {:>14.2} {:>10.2} {:>12.2}", row.name, nanos / 1e3, added / 1e3, added / noop);
    }
}
