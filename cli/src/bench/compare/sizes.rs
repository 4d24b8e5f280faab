//! The sizes of the modules' files.

use super::listeners::Modules;

/// The sizes of all modules.
pub(super) struct Sizes {
    /// The five filters by name, in bytes.
    pub(super) filters: Vec<(&'static str, u64)>,
    /// The suite, in bytes.
    pub(super) suite: u64,
}

impl Sizes {
    /// Reads them from the files.
    pub(super) fn of(modules: &Modules) -> anyhow::Result<Self> {
        let [filters @ .., (_, suite)] = &modules.built;
        let size = |path| anyhow::Ok(std::fs::metadata(path)?.len());
        Ok(Self {
            filters: filters
                .iter()
                .map(|(module, path)| anyhow::Ok((module.name(), size(path)?)))
                .collect::<Result<_, _>>()?,
            suite: size(suite)?,
        })
    }

    /// The five filters together, in bytes.
    pub(super) fn together(&self) -> u64 {
        self.filters.iter().map(|(_, bytes)| bytes).sum()
    }

    /// The suite as a multiple of the five together.
    pub(super) fn ratio(&self) -> f64 {
        self.suite as f64 / self.together() as f64
    }
}
