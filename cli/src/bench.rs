//! The cost of a filter: the processor time that Envoy spends on a request, beside other listeners of the
//! same Envoy in the same run.
//!
//! The time is the scheduler's count for the Envoy process. Throughput would vary with whatever else runs
//! on the machine. Other processes can only add to the count, so there are many short rounds, each of them
//! measures every row once, and a row's figure is the mean of its lowest third. Two builds of a module are
//! compared round by round instead ([`pair`]), which is steadier for small differences. Quote ratios: the
//! absolute figures belong to one machine.
//!
//! [`compare()`] measures the suite, all filters and Envoy's own in one Envoy, with more care for small differences.

mod by_hand;
pub(crate) mod canary;
mod compare;
mod connection_manager;
mod effort;
mod estimate;
pub(crate) mod fault;
pub(crate) mod jwt_authz;
mod pair;
pub(crate) mod rate_limit;
mod rows;
mod sample;
mod sdk;
pub(crate) mod suite;
mod table;
pub(crate) mod trace_context;
mod upstream;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

pub use compare::run as compare;
pub use effort::Effort;
pub(crate) use rows::Rows;

/// Measures the rows of a module, each beside the same row with an older module if there is one, and prints
/// a table.
pub(crate) fn run(rows: Rows, module: &Path, older: Option<&Path>, effort: Effort) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut measured = rows(module, folder.path())?;
    if let Some(older) = older {
        effort.allows_intervals()?;
        measured = pair::beside(measured, rows(older, folder.path())?);
    }
    let samples = sample::measure(&measured, effort)?;
    print!("{}", table::table(&measured, &samples));
    Ok(())
}

/// An older build of a filter's module in a folder, by the name that `build` gives it.
pub(crate) fn older_module(filter: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join(filter).with_extension("wasm");
    ensure!(path.is_file(), "there is no `{}` to compare with", path.display());
    // Envoy runs in a folder of its own.
    std::path::absolute(&path).with_context(|| format!("cannot resolve `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_module_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = older_module("rate-limit", folder.path()).unwrap_err().to_string();
        let path = folder.path().join("rate-limit.wasm");
        assert_eq!(error, format!("there is no `{}` to compare with", path.display()));
        std::fs::write(&path, "").unwrap();
        assert_eq!(older_module("rate-limit", folder.path()).unwrap(), path);
    }
}
