//! Builds the modules that Envoy loads.
//!
//! The command line, the demo, the tests and the benches all call [`Module::build`]:
//!
//! 1. cargo builds the package's `[[example]]`, a cdylib, for `wasm32-wasip1`;
//! 2. [`strip`] removes what the proxy does not use;
//! 3. the file is replaced atomically.
//!
//! The same source gives the same bytes, in any folder and by any command.

pub(crate) mod appear;
mod compile;
pub mod strip;
mod toolchain;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use crate::workspace;

/// A module of the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    name: &'static str,
    package: &'static str,
    shipped: bool,
    /// Whether its binary lists the callbacks that it uses, so that [`strip`] can remove the others.
    names_callbacks: bool,
}

/// A module that exercises the host layer. Only for tests.
pub const PROBE: Module = Module::of_probe("probe");

/// A module that does nothing, to measure the cost of any module. Only for tests and benches.
pub const NOOP: Module = Module::of_probe("noop");

/// A module that does nothing, written with the Rust SDK and with its exports. Only for benches.
pub const SDK_NOOP: Module =
    Module { name: "sdk-noop", package: "sdk-noop", shipped: false, names_callbacks: false };

/// The modules that this process has built.
static BUILT: Mutex<BTreeMap<Module, PathBuf>> = Mutex::new(BTreeMap::new());

impl Module {
    /// The module of a filter, which has the name of its package.
    pub(crate) const fn of_filter(filter: &'static str) -> Self {
        Self { name: filter, package: filter, shipped: true, names_callbacks: true }
    }

    const fn of_probe(example: &'static str) -> Self {
        Self { name: example, package: "mesh-probe", shipped: false, names_callbacks: true }
    }

    /// The name of the file without `.wasm`; for a shipped module, the name of its filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The file that [`Module::build`] writes: in `dist/` for a shipped module, else under `target/`.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let folder = if self.shipped { workspace::dist() } else { workspace::test_modules() };
        folder.join(self.name).with_extension("wasm")
    }

    /// Builds the module, once per process, and returns its file. Blocks.
    ///
    /// Several processes may build at once: cargo queues them, and the file is replaced atomically.
    ///
    /// # Errors
    ///
    /// Cargo or the target is missing, the source does not compile, the module lacks a part that
    /// [`strip`] needs, or the file cannot be written.
    pub fn build(self) -> anyhow::Result<PathBuf> {
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = built.get(&self) {
            return Ok(path.clone());
        }
        let path = self.build_now().with_context(|| format!("cannot build the module `{}`", self.name))?;
        built.insert(self, path.clone());
        Ok(path)
    }

    fn build_now(self) -> anyhow::Result<PathBuf> {
        toolchain::ensure_target()?;
        let linked = compile::compile(self.package, self.name)?;
        let linked = std::fs::read(&linked).with_context(|| format!("cannot read `{}`", linked.display()))?;
        let path = self.path();
        let module = if self.names_callbacks { strip::strip(&linked)? } else { linked };
        appear::write(&path, &module)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_the_tests_is_not_among_the_shipped() {
        assert!(NOOP.path().starts_with(workspace::target()));
    }
}
