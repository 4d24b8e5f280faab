//! What happens to a request that cannot be judged.

mesh_config::choice! {
    /// What happens to a request that cannot be judged.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum OnError {
        /// It continues.
        #[default]
        Allow = "allow",
        /// It is refused.
        Deny = "deny",
    }
}
