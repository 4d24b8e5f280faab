//! The fields that every filter's config has.

use crate::client_ip::ClientIp;
use crate::mode::Mode;
use crate::preflight::CorsPreflight;

/// The fields that every filter's config has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Whether decisions are enforced, only recorded, or skipped.
    pub mode: Mode,
    /// Where the client's address is found.
    pub client_ip: ClientIp,
    /// Whether CORS preflights pass without a decision.
    pub cors_preflight: CorsPreflight,
    /// Which decisions are written to filter state.
    pub decision_log: DecisionLog,
}

/// Which decisions are written to filter state `wasm.<filter>_decision`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecisionLog {
    /// Refusals, shadow refusals, errors, and what the filter calls notable.
    #[default]
    Notable,
    /// The decision on every request.
    All,
}
