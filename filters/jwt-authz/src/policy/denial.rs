//! A refusal: its reason, provider and rule.

use mesh_policy::reason::Reason;

/// Why a request is refused, and which provider and rule are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Row of the table in [`reason`](super::reason).
    pub reason: Reason,
    /// Index of the token's provider, once it is known.
    pub provider: Option<usize>,
    /// Index of the rule that denies the request.
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
