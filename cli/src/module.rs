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

/// The modules that users get, in the order in which the command line lists them.
pub const SHIPPED: [Module; 2] = [JWT_AUTHZ, RATE_LIMIT];

/// The jwt-authz filter.
pub const JWT_AUTHZ: Module = Module::shipped("jwt-authz");

/// The rate-limit filter.
pub const RATE_LIMIT: Module = Module::shipped("rate-limit");

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
    const fn shipped(filter: &'static str) -> Self {
        Self { name: filter, package: filter, shipped: true, names_callbacks: true }
    }

    const fn of_probe(example: &'static str) -> Self {
        Self { name: example, package: "mesh-probe", shipped: false, names_callbacks: true }
    }

    /// The shipped module of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        SHIPPED.into_iter().find(|module| module.name == name)
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
    fn only_shipped_modules_have_a_name_for_users() {
        assert_eq!(Module::find("rate-limit").unwrap().path(), workspace::dist().join("rate-limit.wasm"));
        assert_eq!(Module::find("noop"), None);
        assert!(NOOP.path().starts_with(workspace::target()));
    }
}
