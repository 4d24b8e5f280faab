//! The cost of a filter: the processor time that Envoy spends on a request, beside other listeners of the
//! same Envoy in the same run.
//!
//! The time is the scheduler's count for the Envoy process. Throughput would vary with whatever else runs
//! on the machine. Other processes can only add to the count, so there are many short rounds, each of them
//! measures every row once, and a row's figure is the mean of its lowest third. Two builds of a module are
//! compared round by round instead ([`pair`]), which is steadier for small differences. Quote ratios: the
//! absolute figures belong to one machine.

mod jwt_authz;
mod pair;
mod rate_limit;
mod rows;
mod sample;
mod sdk;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::module::Module;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds; each of them measures every row once.
    pub rounds: usize,
    /// Requests for each row in a round.
    pub requests: u64,
}

/// Measures a filter and prints a table. `against`: a folder with an older build of the module,
/// `<filter>.wasm`, which is measured in turns with the present one.
///
/// # Errors
///
/// The filter has no bench, the folder has no module, something cannot be built or started, or a listener
/// does not answer as it should.
pub fn bench(filter: &str, against: Option<&Path>, effort: Effort) -> anyhow::Result<()> {
    let older = against.map(|folder| older_module(filter, folder)).transpose()?;
    let module = Module::find(filter).with_context(|| format!("there is no filter `{filter}`"))?;
    let folder = tempfile::tempdir()?;
    let rows = |module: &Path| match filter {
        "jwt-authz" => jwt_authz::rows(module, folder.path()),
        "rate-limit" => rate_limit::rows(module, folder.path()),
        other => anyhow::bail!("there is no bench for `{other}`"),
    };
    let mut measured = rows(&module.build()?)?;
    if let Some(older) = older {
        measured = pair::beside(measured, rows(&older)?);
    }
    let samples = sample::measure(&measured, effort)?;
    print!("{}", table::table(&measured, &samples));
    Ok(())
}

fn older_module(filter: &str, folder: &Path) -> anyhow::Result<PathBuf> {
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
