//! From a filter's source to the file that Envoy loads.
//!
//! [`Module::build`] is the only way: the command line, the demo, the tests and the benches all call it.
//!
//! 1. cargo builds the package's `[[example]]`, a cdylib, for `wasm32-wasip1`;
//! 2. [`strip`] takes away what the proxy has no use for;
//! 3. the file appears under its name at once and whole, whoever reads it meanwhile.
//!
//! The same source gives the same bytes, in whatever folder and by whatever command it was built.

pub(crate) mod appear;
mod compile;
pub mod strip;
mod toolchain;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use crate::workspace;

/// One module that the workspace can build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    name: &'static str,
    package: &'static str,
    shipped: bool,
    /// Whether its binary names the callbacks it uses, so that [`strip`] removes the others.
    names_callbacks: bool,
}

/// A module that shows what the host layer does. Only for tests.
pub const PROBE: Module = Module::of_probe("probe");

/// A module that does nothing, to measure what any module costs. Only for tests and benches.
pub const NOOP: Module = Module::of_probe("noop");

/// The same, written with the Rust SDK, with the exports that the SDK makes. Only for benches.
pub const SDK_NOOP: Module =
    Module { name: "sdk-noop", package: "sdk-noop", shipped: false, names_callbacks: false };

/// What this process has built, so that it is built once.
static BUILT: Mutex<BTreeMap<Module, PathBuf>> = Mutex::new(BTreeMap::new());

impl Module {
    /// The module of a filter, which has the name of its package.
    pub(crate) const fn of_filter(filter: &'static str) -> Self {
        Self { name: filter, package: filter, shipped: true, names_callbacks: true }
    }

    const fn of_probe(example: &'static str) -> Self {
        Self { name: example, package: "mesh-probe", shipped: false, names_callbacks: true }
    }

    /// The name: that of the file without `.wasm`, and for a shipped module that of its filter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The file that [`Module::build`] writes: in `dist/` when it is shipped, else under `target/`.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let folder = if self.shipped { workspace::dist() } else { workspace::test_modules() };
        folder.join(self.name).with_extension("wasm")
    }

    /// Builds the module and returns its file. Blocks; a process that asks again gets the first answer.
    ///
    /// Several processes may ask at once: cargo makes them queue, and the file is replaced in one step.
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
