//! Calls cargo so that the module depends on nothing but the source.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::toolchain::{self, TARGET};
use crate::workspace;

/// Builds an example of a package and returns the file that the linker wrote.
///
/// Cargo's progress goes to stderr.
pub(super) fn compile(package: &str, example: &str) -> anyhow::Result<PathBuf> {
    let target_dir = workspace::target();
    // The cargo that runs this program, not the first on PATH: with two compilers each would rebuild what
    // the other has built.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--target", TARGET, "--package", package, "--example", example])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(&target_dir)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    for (name, _) in std::env::vars_os().filter(|(name, _)| changes_the_build(name)) {
        command.env_remove(name);
    }
    // This variable has priority over all configuration files.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(&target_dir)?);
    let output = command.output().context("cannot start `cargo`")?;
    ensure!(output.status.success(), "`cargo build` failed: {}", output.status);
    artifact(&String::from_utf8_lossy(&output.stdout), example)
        .context("`cargo build` wrote no WebAssembly module: is the example a cdylib?")
}

/// Whether an environment variable can change the module.
///
/// `cargo test`, `cargo run` and coverage tools set many. Those that only say where to find and how to fetch
/// crates are harmless.
fn changes_the_build(name: &OsStr) -> bool {
    const HARMLESS: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    // A name that is not UTF-8 is none of cargo's.
    let name = name.to_string_lossy();
    let of_cargo = name == "RUSTFLAGS"
        || name == "LLVM_PROFILE_FILE"
        || name.starts_with("CARGO_")
        || name.starts_with("RUSTC_");
    of_cargo && name != "CARGO_BUILD_JOBS" && !HARMLESS.iter().any(|prefix| name.starts_with(prefix))
}

/// Compiler flags that keep this machine's folders out of panic messages, in cargo's encoding.
///
/// If several prefixes match, the compiler uses the last: inner folders come after outer ones.
fn flags(target_dir: &Path) -> anyhow::Result<OsString> {
    let library = toolchain::sysroot()?.join("lib/rustlib/src/rust");
    let home = cargo_home().context("neither `CARGO_HOME` nor `HOME` is set")?;
    let renamed = [
        (workspace::root(), "/mesh-filters".to_owned()),
        (target_dir, "/target".to_owned()),
        (&home, "/cargo".to_owned()),
        // If the component rust-src is installed, the compiler uses its paths instead of the official ones.
        (&library, format!("/rustc/{}", toolchain::commit()?)),
    ];
    let mut flags = OsString::new();
    for (folder, name) in renamed {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// The line of cargo's output that names the module.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Finds the example's module in cargo's output, which has one JSON value per line.
fn artifact(report: &str, example: &str) -> Option<PathBuf> {
    let is_ours = |message: &Message| {
        message.reason == "compiler-artifact"
            && message.target.as_ref().is_some_and(|target| {
                target.name == example && target.kind.iter().any(|kind| kind == "example")
            })
    };
    report
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(is_ours)
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_by_its_name_and_kind() {
        let report = r#"{"reason":"compiler-artifact","target":{"name":"rate-limit","kind":["lib"]},"filenames":["/t/lib.rlib"]}
not json
{"reason":"compiler-artifact","target":{"name":"rate-limit","kind":["example"]},"filenames":["/t/x.d","/t/x.wasm"]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(artifact(report, "rate-limit"), Some(PathBuf::from("/t/x.wasm")));
        assert_eq!(artifact(report, "canary"), None);
    }

    #[test]
    fn what_tells_cargo_how_to_compile_is_kept_away_from_it() {
        for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_PROFILE_RELEASE_LTO", "RUSTC_WRAPPER"] {
            assert!(changes_the_build(name.as_ref()), "{name}");
        }
        for name in ["PATH", "CARGO_HOME", "CARGO_REGISTRIES_X_INDEX", "CARGO_BUILD_JOBS", "CARGO", "RUSTC"] {
            assert!(!changes_the_build(name.as_ref()), "{name}");
        }
    }
}
