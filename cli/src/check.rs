//! Checks a config with the parser that the module uses.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::registry::Filter;

/// Checks a file, or standard input for `-`, and prints every problem with its path, what was found and what
/// is expected.
///
/// # Errors
///
/// The config cannot be read.
pub fn check(filter: Filter, config: &Path) -> anyhow::Result<ExitCode> {
    let bytes = read(config).with_context(|| format!("cannot read `{}`", config.display()))?;
    match filter.check(&bytes) {
        Ok(()) => {
            println!("{}: a valid {} config", config.display(), filter.name());
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in problems.iter() {
                println!("{}: {problem}", config.display());
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(config: &Path) -> std::io::Result<Vec<u8>> {
    if config != Path::new("-") {
        return std::fs::read(config);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
