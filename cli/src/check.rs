//! Checks a config with the parser that the module uses.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use mesh_config::Problems;

/// The filters whose configs can be checked.
pub const FILTERS: [&str; 2] = ["jwt-authz", "rate-limit"];

/// Checks a file, or standard input for `-`, and prints every problem: where, what was found, what is
/// allowed.
///
/// # Errors
///
/// The config cannot be read, or there is no such filter.
pub fn check(filter: &str, config: &Path) -> anyhow::Result<ExitCode> {
    let bytes = read(config).with_context(|| format!("cannot read `{}`", config.display()))?;
    match problems(filter, &bytes)? {
        None => {
            println!("{}: a valid {filter} config", config.display());
            Ok(ExitCode::SUCCESS)
        }
        Some(problems) => {
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

fn problems(filter: &str, config: &[u8]) -> anyhow::Result<Option<Problems>> {
    match filter {
        "jwt-authz" => Ok(jwt_authz::config::parse(config).err()),
        "rate-limit" => Ok(rate_limit::config::parse(config).err()),
        other => bail!("there is no filter `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_known() {
        for filter in FILTERS {
            let of = |config: &[u8]| problems(filter, config).unwrap().map_or(0, |all| all.iter().count());
            assert_eq!(of(b"{\"x\": 1}"), of(b"{}") + 1, "{filter}");
        }
    }
}
