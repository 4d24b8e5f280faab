//! The suite beside what it competes with: five modules one after another, and Envoy's own filters.
//!
//! All rows are listeners of one Envoy with one worker and get the same requests. A round measures each row once, in a
//! random order, and the one without a filter three times. What a row adds is the median of its differences to that one,
//! and a ratio is the median of the rounds' ratios: what slows the machine down for longer than a round cancels out.
//!
//! - [`listeners`] and [`policies`]: the rows and the configs of their filters;
//! - [`rounds`], [`estimate`](super::estimate) and [`costs`]: what each row adds;
//! - [`sizes`], [`memory`], [`push`] and [`latency`]: what else tells one VM from five;
//! - [`findings`], [`text`], [`chart`] and [`write`]: the report.

mod arrivals;
mod chart;
mod costs;
mod findings;
mod latency;
mod listeners;
mod machine;
mod memory;
mod policies;
mod push;
mod rounds;
mod shuffle;
mod sizes;
mod table;
mod text;
mod write;

use self::findings::Findings;
use self::listeners::Modules;
use super::effort::Effort;
use crate::workspace;

/// Measures everything and prints it. `write`: also writes it into `docs/benchmarks.md`, with a chart.
///
/// # Errors
///
/// There are too few or too many rounds for an interval, something cannot be built or started, a listener does not
/// answer as it should, or the files cannot be written.
pub fn run(effort: Effort, write: bool) -> anyhow::Result<()> {
    effort.allows_intervals()?;
    let folder = tempfile::tempdir()?;
    let modules = Modules::build(folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let findings = runtime.block_on(Findings::measure(&modules, effort))?;
    print!("{}", findings.report(None));
    if write { write::write(workspace::root(), &findings) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
