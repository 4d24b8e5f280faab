//! A reason to refuse a request, and what it is about.

use mesh_policy::reason::Reason;

/// A reason to refuse a request, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The reason.
    pub reason: Reason,
    /// The token's provider, by its place in the config, once it is known.
    pub provider: Option<usize>,
    /// The rule that denies the request, by its place in the config.
    pub rule: Option<usize>,
}

impl Denial {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, provider: None, rule: None }
    }

    pub(crate) const fn of_provider(self, provider: usize) -> Self {
        Self { provider: Some(provider), ..self }
    }

    pub(crate) const fn by_rule(self, rule: usize) -> Self {
        Self { rule: Some(rule), ..self }
    }
}
