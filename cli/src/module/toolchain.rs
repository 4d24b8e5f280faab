//! The compiler for `wasm32-wasip1`, installed if rustup does not install it by itself.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::workspace;

/// The target of the modules.
pub(super) const TARGET: &str = "wasm32-wasip1";

/// Installs [`TARGET`] for the toolchain of the checkout if it is missing.
///
/// `rust-toolchain.toml` names the target, but rustup installs it only if it may (`RUSTUP_AUTO_INSTALL=0`
/// forbids that).
pub(super) fn ensure_target() -> anyhow::Result<()> {
    if sysroot()?.join("lib/rustlib").join(TARGET).join("lib").is_dir() {
        return Ok(());
    }
    eprintln!("The Rust target {TARGET} is missing: rustup target add {TARGET}");
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match added {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`rustup target add {TARGET}` failed: {status}"),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the Rust target `{TARGET}` is not installed and there is no rustup to add it; \
             install it the way this Rust was installed"
        ),
        Err(error) => Err(error).context("cannot start `rustup`"),
    }
}

/// The folder of the toolchain that builds the modules.
pub(super) fn sysroot() -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(ask_rustc(&["--print", "sysroot"])?.trim()))
}

/// The commit of the standard library, which is part of its source paths.
pub(super) fn commit() -> anyhow::Result<String> {
    let version = ask_rustc(&["-vV"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    Ok(commit.context("`rustc -vV` names no commit")?.to_owned())
}

/// Runs the compiler that cargo uses.
fn ask_rustc(arguments: &[&str]) -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(arguments)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", rustc.display()))?;
    ensure!(
        output.status.success(),
        "`{} {}` failed: {}",
        rustc.display(),
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).context("the output of `rustc` is not UTF-8")
}
