//! How long a request takes at half of what an Envoy with one worker answers at most.
//!
//! First a closed loop finds the most. Then requests come at random, and none waits for another: the time of each counts
//! from when it was due, so a stall is in the times of all requests that it holds up.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hyper::StatusCode;
use tokio::runtime::Handle;

use super::arrivals::Arrivals;
use super::listeners::{self, Modules};
use super::shuffle::order;
use crate::bench::estimate::Estimate;
use crate::bench::rows::{Row, bootstrap};
use crate::bench::sample::{CONNECTIONS, STREAMS, request};
use crate::envoy::usage::cpu_nanos;
use crate::envoy::{Bootstrap, Envoy, Launch};
use crate::http::{Connection, Load, Protocol, Until};

const ROUNDS: usize = 7;
/// Time of a closed loop, of which each row has three.
const CLOSED: Duration = Duration::from_secs(1);
const CLOSED_LOOPS: usize = 3;
/// Time of a load with random arrivals.
const OPEN: Duration = Duration::from_millis(1500);

/// The times of a row.
pub(super) struct Latency {
    pub(super) name: String,
    /// Most requests in a second.
    pub(super) most: f64,
    /// How busy Envoy's threads were then: 1 is one core.
    pub(super) busy: f64,
    /// Half of all requests take less, in microseconds.
    pub(super) p50: Estimate,
    /// One in a hundred takes more, in microseconds.
    pub(super) p99: Estimate,
}

/// Measures the listener without a filter, the suite, five modules and the native chain.
pub(super) async fn measure(modules: &Modules) -> anyhow::Result<Vec<Latency>> {
    let rows = [
        listeners::bare(),
        listeners::suite(modules)?,
        listeners::five_modules(modules)?,
        listeners::chain(),
    ];
    let mut measured = Vec::new();
    for row in rows {
        let launch = Launch::new()?.concurrency(1).log_level("warning");
        let envoy = launch.start(&Bootstrap::from_value(bootstrap(from_ref(&row)))).await?;
        let (most, busy) = saturate(&envoy, &row).await?;
        measured.push((row, envoy, most, busy, Vec::new(), Vec::new()));
    }
    for round in 0..ROUNDS {
        let seed = getrandom::u64()?;
        for place in order(measured.len(), seed) {
            let Some((row, envoy, most, _, p50s, p99s)) = measured.get_mut(place) else { continue };
            // Each row has the same arrivals in a round, but for their rate.
            let mut times = open(envoy, row, Arrivals::new(*most / 2.0, seed)).await?;
            times.sort_by(f64::total_cmp);
            p50s.push(quantile(&times, 0.5).context("no answers")?);
            p99s.push(quantile(&times, 0.99).context("no answers")?);
        }
        eprintln!("latency: round {} of {ROUNDS}", round + 1);
    }
    let found = measured.into_iter().map(|(row, _, most, busy, p50s, p99s)| {
        let p50 = Estimate::of(p50s).context("too few rounds")?;
        Ok(Latency { name: row.name, most, busy, p50, p99: Estimate::of(p99s).context("too few rounds")? })
    });
    found.collect()
}

/// The most requests a second, and how busy Envoy was.
async fn saturate(envoy: &Envoy, row: &Row) -> anyhow::Result<(f64, f64)> {
    let address = envoy.listener(&row.name).await?;
    let mut best = (0.0, 0.0);
    for _ in 0..CLOSED_LOOPS {
        let request = request(row)?;
        let before = cpu_nanos(envoy.pid())?;
        let load = Load::http2(address, CONNECTIONS, STREAMS, Until::Elapsed(CLOSED));
        let report = load.run(move |_| request.clone(), |_, _| {}).await?;
        let seconds = report.elapsed().as_secs_f64();
        let busy = cpu_nanos(envoy.pid())?.saturating_sub(before) as f64 / 1e9 / seconds;
        let rate = report.count(StatusCode::OK) as f64 / seconds;
        ensure!(rate > 0.0, "`{}` answered {:?}", row.name, report.by_status);
        if rate > best.0 {
            best = (rate, busy);
        }
    }
    Ok(best)
}

/// The times of all requests that come in [`OPEN`], in microseconds.
async fn open(envoy: &Envoy, row: &Row, arrivals: Arrivals) -> anyhow::Result<Vec<f64>> {
    let address = envoy.listener(&row.name).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address, Protocol::Http2).await?);
    }
    let request = request(row)?;
    let runtime = Handle::current();
    // Tokio's timers count milliseconds; a thread's sleep is exact to a fraction of one.
    let sending = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        let due = arrivals.take_while(|after| *after < OPEN).zip(connections.iter().cycle());
        let sent = due.filter_map(|(after, connection)| {
            let due = start + after;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (mut connection, request) = (connection.share()?, request.clone());
            Some(runtime.spawn(async move {
                let answer = connection.send(request).await?;
                ensure!(answer.status == StatusCode::OK, "the answer is {}", answer.status);
                Ok(due.elapsed().as_secs_f64() * 1e6)
            }))
        });
        sent.collect::<Vec<_>>()
    });
    let mut times = Vec::new();
    for answer in sending.await? {
        times.push(answer.await??);
    }
    Ok(times)
}

/// The smallest of the sorted samples that at least this part of them does not exceed.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_sample() {
        let samples: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(
            [0.0, 0.5, 0.99, 1.0].map(|part| quantile(&samples, part)),
            [1.0, 100.0, 198.0, 200.0].map(Some)
        );
        assert_eq!(quantile(&[], 0.5), None);
    }
}
