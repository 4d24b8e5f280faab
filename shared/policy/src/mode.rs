//! Whether decisions are carried out.

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
