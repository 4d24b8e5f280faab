//! The suite's own metrics.

use mesh_policy::metric::{self, Definition};

/// The suite's own metrics: there are none besides those that the host layer has for every module. Each block has those of
/// its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {}

impl metric::Metric for Metric {
    const ALL: &'static [Self] = &[];

    fn index(self) -> usize {
        match self {}
    }

    fn definition(self) -> Definition {
        match self {}
    }

    #[cfg(not(target_family = "wasm"))]
    fn help(self) -> String {
        match self {}
    }
}
