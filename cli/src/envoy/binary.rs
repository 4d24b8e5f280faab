//! An Envoy executable and its version.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// The version that is installed where none is found, and the main one that the tests run on.
pub const DEFAULT_VERSION: Version = Version { major: 1, minor: 40, patch: 0 };

/// Minor versions of Envoy 1.x that the filters support.
pub const SUPPORTED_MINORS: RangeInclusive<u32> = 36..=40;

/// A version of Envoy, as `1.40.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 1 so far.
    pub major: u32,
    /// The quarterly release.
    pub minor: u32,
    /// The patch of that release.
    pub patch: u32,
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

    /// Whether the filters support it.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self.major == 1 && SUPPORTED_MINORS.contains(&self.minor)
    }

    /// Finds the version in the output of `envoy --version`,
    /// `envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL`. Development builds end in `-dev`.
    fn in_output(output: &str) -> Option<Self> {
        let build = output.lines().find_map(|line| line.split_once(" version: "))?.1;
        let version = build.split('/').nth(1)?;
        Self::parse(version.split_once('-').map_or(version, |(release, _)| release))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// An Envoy that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// The executable.
    pub path: PathBuf,
    /// The version that it reports.
    pub version: Version,
}

impl Binary {
    /// Runs the executable at a path, or of a name on `PATH`, with `--version`.
    ///
    /// # Errors
    ///
    /// It cannot be started, or its output does not contain a version of Envoy.
    pub fn at(path: &Path) -> anyhow::Result<Self> {
        let output = Command::new(path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{}`", path.display()))?;
        let output = String::from_utf8_lossy(&output.stdout);
        let version = Version::in_output(&output)
            .with_context(|| format!("`{} --version` names no version of Envoy", path.display()))?;
        Ok(Self { path: path.to_owned(), version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_the_answer() {
        let release = "\nenvoy  version: 9e55809337/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(Version::in_output(release), Some(DEFAULT_VERSION));
        let between = "/usr/bin/envoy  version: 0/1.36.2-dev/Modified/DEBUG/BoringSSL";
        assert_eq!(Version::in_output(between), Some(Version { major: 1, minor: 36, patch: 2 }));
        assert_eq!(Version::in_output("envoy of the French ministry, version: 2"), None);
    }

    #[test]
    fn what_is_no_envoy_is_not_taken_for_one() {
        let error = format!("{:#}", Binary::at(Path::new("/nowhere/envoy")).unwrap_err());
        assert!(error.contains("cannot start `/nowhere/envoy`"), "{error}");
        assert!(Binary::at(Path::new("true")).is_err());
    }
}
