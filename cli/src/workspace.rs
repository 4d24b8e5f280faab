//! Paths in the checkout.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The root of the checkout: the folder with `envoy-configs/` and the workspace's `Cargo.toml`.
///
/// Cargo sets `CARGO_MANIFEST_DIR` for a program that it runs; a program that is started directly uses the
/// checkout that it was built in. Cargo's value has priority, since checkouts that share a target folder
/// share the binary.
#[must_use]
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        let run_in = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let run_in = run_in.as_deref().and_then(root_above);
        run_in.or_else(|| root_above(built_in)).unwrap_or(built_in).to_owned()
    })
}

fn root_above(package: &Path) -> Option<&Path> {
    package.ancestors().find(|folder| folder.join("envoy-configs").is_dir())
}

/// The folder of the shipped modules: `dist/<filter>.wasm`.
#[must_use]
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The folder of the Envoy configurations, which docker compose, the demo and the tests share.
#[must_use]
pub fn envoy_configs() -> PathBuf {
    root().join("envoy-configs/envoy")
}

/// Cargo's target folder, for everything that can be built again.
///
/// A relative `CARGO_TARGET_DIR` is resolved against the root. Cargo resolves it against its working
/// directory, which a test does not know: cargo starts it in the folder of its package.
#[must_use]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => root().join(folder),
        _ => root().join("target"),
    }
}

/// The folder of the modules for tests: `target/modules/<name>.wasm`.
#[must_use]
pub fn test_modules() -> PathBuf {
    target().join("modules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_where_the_workspace_is() {
        assert!(root().join("rust-toolchain.toml").is_file(), "{}", root().display());
        assert_eq!(root_above(Path::new("/nowhere/at/all")), None);
    }
}
