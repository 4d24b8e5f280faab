//! Where things are in the checkout.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The root of the checkout: the folder with `envoy-configs/` and the workspace's `Cargo.toml`.
///
/// Cargo tells a program that it runs; one that is called by itself belongs to the checkout it was
/// built in. The first comes first because checkouts that share a target folder share the binary.
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

/// The folder of the modules as they are shipped: `dist/<filter>.wasm`.
#[must_use]
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The folder of the Envoy configurations that docker compose, the demo and the tests share.
#[must_use]
pub fn envoy_configs() -> PathBuf {
    root().join("envoy-configs/envoy")
}

/// The folder for everything that can be made again: cargo's, as cargo itself was told.
///
/// A relative `CARGO_TARGET_DIR` counts from the root. Cargo counts it from where it was called, which
/// a test cannot know: cargo starts it in the folder of its package.
#[must_use]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => root().join(folder),
        _ => root().join("target"),
    }
}

/// The folder of the modules that only tests load: `target/modules/<name>.wasm`.
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
