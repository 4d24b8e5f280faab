//! Which Envoy to run.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use super::binary::{Binary, DEFAULT_VERSION, SUPPORTED_MINORS, Version};
use super::install;

/// The Envoy that this process has found.
static FOUND: Mutex<Option<Binary>> = Mutex::new(None);

/// Finds the Envoy to use, or installs one. Blocks. Looks once per process.
///
/// In this order: `$ENVOY`; the version `$ENVOY_VERSION`, installed under the target folder; `envoy` on
/// `PATH` if its version is supported; [`DEFAULT_VERSION`], installed under the target folder.
///
/// # Errors
///
/// `$ENVOY` is not an Envoy, `$ENVOY_VERSION` is not a supported version, or the installation fails, for
/// which Python 3 and a network are needed.
pub fn envoy() -> anyhow::Result<Binary> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(binary) = &*found {
        return Ok(binary.clone());
    }
    let binary = look()?;
    *found = Some(binary.clone());
    Ok(binary)
}

fn look() -> anyhow::Result<Binary> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = set("ENVOY") {
        return Binary::at(Path::new(&path)).context("`$ENVOY` names no Envoy");
    }
    if let Some(version) = set("ENVOY_VERSION") {
        return install::installed(wanted(&version)?);
    }
    match Binary::at(Path::new("envoy")) {
        Ok(binary) if binary.version.is_supported() => Ok(binary),
        Ok(binary) => {
            eprintln!("The Envoy on PATH is {}; using {DEFAULT_VERSION} instead.", binary.version);
            install::installed(DEFAULT_VERSION)
        }
        Err(_) => install::installed(DEFAULT_VERSION),
    }
}

/// Reads `$ENVOY_VERSION`.
fn wanted(value: &OsStr) -> anyhow::Result<Version> {
    let text = value.to_string_lossy();
    let version = Version::parse(&text)
        .with_context(|| format!("`$ENVOY_VERSION` is `{text}`, expected a version like `1.40.0`"))?;
    ensure!(
        version.is_supported(),
        "`$ENVOY_VERSION` is `{text}`, supported are 1.{} to 1.{}",
        SUPPORTED_MINORS.start(),
        SUPPORTED_MINORS.end()
    );
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_releases_may_be_asked_for() {
        assert_eq!(wanted("1.36.4".as_ref()).unwrap(), Version { major: 1, minor: 36, patch: 4 });
        assert!(wanted("1.35.0".as_ref()).unwrap_err().to_string().contains("supported are 1.36 to 1.40"));
        assert!(wanted("latest".as_ref()).unwrap_err().to_string().contains("`latest`"));
    }
}
