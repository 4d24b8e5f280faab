//! The mode of a filter or a rule.

use mesh_config::kinds::Choice as _;
use std::fmt;

mesh_config::choice! {
    /// Whether decisions are enforced, only recorded, or skipped. Ordered from strict to lenient: the more
    /// lenient of the filter's and a rule's mode applies.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Mode {
        /// Decide, and carry the decision out.
        #[default]
        Enforce = "enforce",
        /// Decide, count and log, but let every request continue.
        Shadow = "shadow",
        /// Do nothing.
        Off = "off",
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(Self::WORDS.get(*self as usize).copied().unwrap_or_default())
    }
}
