//! The memory of an Envoy with one of the rows, beside one with the module without code.
//!
//! Resident memory is what the system counts for the process. After V8 has compiled a module, part of it is free: Envoy's
//! allocator keeps it. Memory in use is without that. What V8 maps itself is in both, and not in Envoy's own statistics.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hyper::StatusCode;
use serde_json::Value;

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

/// The memory of one Envoy, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) resident: u64,
    pub(super) in_use: u64,
}

/// The memory for each number of workers.
pub(super) struct Memory {
    /// Of an Envoy with the module without code.
    pub(super) noop: [Bytes; 2],
    /// What the suite's Envoy has more.
    pub(super) suite: [Bytes; 2],
    /// What the Envoy with five modules has more.
    pub(super) five_modules: [Bytes; 2],
    /// What the Envoy with the native chain has less.
    pub(super) chain_less: [Bytes; 2],
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
        let mut all = [[Bytes::default(); 2]; 4];
        for (row, found) in rows.iter().zip(&mut all) {
            for (workers, found) in WORKERS.into_iter().zip(found) {
                let mut starts = Vec::new();
                for _ in 0..STARTS {
                    starts.push(after_load(row, workers).await?);
                }
                let median = |figure: fn(&Bytes) -> u64| {
                    let mut figures: Vec<u64> = starts.iter().map(figure).collect();
                    figures.sort_unstable();
                    figures.get(STARTS / 2).copied().context("no start was measured")
                };
                *found = Bytes {
                    resident: median(|bytes| bytes.resident)?,
                    in_use: median(|bytes| bytes.in_use)?,
                };
            }
            eprintln!("memory: {}", row.name);
        }
        Ok(Self::of(all))
    }

    /// From the memory of the Envoys: with the module without code, the suite, five modules, the chain.
    fn of([noop, suite, five_modules, chain]: [[Bytes; 2]; 4]) -> Self {
        let more = |[one, four]: [Bytes; 2], [less_one, less_four]: [Bytes; 2]| {
            [one.without(less_one), four.without(less_four)]
        };
        Self {
            noop,
            suite: more(suite, noop),
            five_modules: more(five_modules, noop),
            chain_less: more(noop, chain),
        }
    }
}

impl Bytes {
    const fn without(self, other: Self) -> Self {
        Self {
            resident: self.resident.saturating_sub(other.resident),
            in_use: self.in_use.saturating_sub(other.in_use),
        }
    }
}

async fn after_load(row: &Row, workers: u32) -> anyhow::Result<Bytes> {
    let launch = Launch::new()?.concurrency(workers).log_level("warning");
    let envoy = launch.start(&Bootstrap::from_value(bootstrap(from_ref(row)))).await?;
    let request = request(row)?;
    let load = Load::http2(envoy.listener(&row.name).await?, CONNECTIONS, STREAMS, Until::Requests(REQUESTS));
    let report = load.run(move |_| request.clone(), |_, _| {}).await?;
    ensure!(report.count(StatusCode::OK) == REQUESTS, "`{}` answered {:?}", row.name, report.by_status);
    tokio::time::sleep(SETTLE).await;
    let resident = resident_bytes(envoy.pid())?;
    let free = kept_free(&envoy.admin().get("/memory").await?)?;
    Ok(Bytes { resident, in_use: resident.saturating_sub(free) })
}

/// What the allocator has of the system and nobody uses, by Envoy's `/memory`.
fn kept_free(answer: &str) -> anyhow::Result<u64> {
    let answer: Value = serde_json::from_str(answer).context("cannot read Envoy's memory")?;
    // Its numbers are strings.
    let bytes = |name: &str| {
        let text =
            answer.get(name).and_then(Value::as_str).with_context(|| format!("there is no `{name}`"))?;
        anyhow::Ok(text.parse::<u64>()?)
    };
    Ok(bytes("total_physical_bytes")?.saturating_sub(bytes("allocated")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_what_it_has_more_than_the_module_that_does_nothing() {
        let row = |figures: [u64; 2]| figures.map(|resident| Bytes { resident, in_use: resident / 2 });
        let memory = Memory::of([row([50, 60]), row([54, 76]), row([60, 100]), row([40, 58])]);
        assert_eq!(
            [memory.suite, memory.five_modules, memory.chain_less],
            [[4, 16], [10, 40], [10, 2]].map(row)
        );
    }

    #[test]
    fn what_is_free_is_what_is_not_allocated() {
        let answer = r#"{"allocated": "70", "heap_size": "200", "total_physical_bytes": "100"}"#;
        assert_eq!(kept_free(answer).unwrap(), 30);
        assert!(kept_free("{}").is_err());
    }
}
