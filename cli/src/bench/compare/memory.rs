//! The memory of an Envoy with one of the rows, beside one with the module that does nothing.
//!
//! It is the resident memory of the process: what V8 maps is not in Envoy's own statistics.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hyper::StatusCode;

use super::listeners::{self, Modules};
use crate::bench::rows::{Row, bootstrap};
use crate::bench::sample::request;
use crate::envoy::usage::resident_bytes;
use crate::envoy::{Bootstrap, Launch};
use crate::http::{Load, Until};

/// The numbers of workers, each with a VM of its own.
pub(super) const WORKERS: [u32; 2] = [1, 4];

/// How often each Envoy is started. The median counts.
pub(super) const STARTS: usize = 3;

/// Enough for V8 to compile again what runs often.
pub(super) const REQUESTS: u64 = 6000;
/// Several for each worker.
const CONNECTIONS: usize = 32;
const STREAMS: usize = 2;

/// Time for V8's threads to finish.
const SETTLE: Duration = Duration::from_millis(500);

/// The memory for each number of workers.
pub(super) struct Memory {
    /// Of an Envoy with the module that does nothing, in bytes.
    pub(super) noop: [u64; 2],
    /// What the suite's Envoy has more, in bytes.
    pub(super) suite: [u64; 2],
    /// What the Envoy with five modules has more, in bytes.
    pub(super) five_modules: [u64; 2],
    /// What the Envoy with the native chain has less, in bytes.
    pub(super) chain_less: [u64; 2],
}

impl Memory {
    /// Starts an Envoy for each row and number of workers, several times.
    pub(super) async fn measure(modules: &Modules) -> anyhow::Result<Self> {
        let rows = [
            listeners::noop(modules),
            listeners::suite(modules)?,
            listeners::five_modules(modules)?,
            listeners::chain(),
        ];
        let mut resident = [[0; 2]; 4];
        for (row, resident) in rows.iter().zip(&mut resident) {
            for (workers, resident) in WORKERS.into_iter().zip(resident) {
                let mut found = Vec::new();
                for _ in 0..STARTS {
                    found.push(resident_after_load(row, workers).await?);
                }
                found.sort_unstable();
                *resident = found.get(STARTS / 2).copied().context("no start was measured")?;
            }
            eprintln!("memory: {}", row.name);
        }
        Ok(Self::of(resident))
    }

    /// From the memory of the Envoys in bytes: with the module that does nothing, the suite, five modules, the chain.
    fn of([noop, suite, five_modules, chain]: [[u64; 2]; 4]) -> Self {
        let more = |[one, four]: [u64; 2], [less_one, less_four]: [u64; 2]| {
            [one.saturating_sub(less_one), four.saturating_sub(less_four)]
        };
        Self {
            noop,
            suite: more(suite, noop),
            five_modules: more(five_modules, noop),
            chain_less: more(noop, chain),
        }
    }

    /// The suite's as a multiple of the five modules'.
    pub(super) fn ratio(&self) -> [f64; 2] {
        let ([one, four], [five_one, five_four]) = (self.suite, self.five_modules);
        [one as f64 / five_one as f64, four as f64 / five_four as f64]
    }
}

async fn resident_after_load(row: &Row, workers: u32) -> anyhow::Result<u64> {
    let launch = Launch::new()?.concurrency(workers).log_level("warning");
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(from_ref(row)))).await?;
    let request = request(row)?;
    let load = Load::http2(envoy.listener(&row.name).await?, CONNECTIONS, STREAMS, Until::Requests(REQUESTS));
    let report = load.run(move |_| request.clone(), |_, _| {}).await?;
    ensure!(report.count(StatusCode::OK) == REQUESTS, "`{}` answered {:?}", row.name, report.by_status);
    tokio::time::sleep(SETTLE).await;
    resident_bytes(envoy.pid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_what_it_has_more_than_the_module_that_does_nothing() {
        let memory = Memory::of([[50, 60], [54, 76], [60, 100], [45, 59]]);
        assert_eq!((memory.suite, memory.five_modules, memory.chain_less), ([4, 16], [10, 40], [5, 1]));
        assert_eq!(memory.ratio(), [0.4, 0.4]);
    }
}
