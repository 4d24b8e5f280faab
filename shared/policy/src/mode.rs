//! Whether a policy bites.

use mesh_config::Value;
use std::fmt;

/// `enforce`, `shadow` (decide, count and log, but let the request go on) or `off`. Ordered from
/// strict to lenient: of the filter's and a rule's mode the greater holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The decision is carried out.
    #[default]
    Enforce,
    /// The decision is taken and counted, and the request goes on.
    Shadow,
    /// No decision is taken.
    Off,
}

impl Mode {
    /// Reads a mode from a config.
    pub fn read(value: Value<'_>) -> Option<Self> {
        value.choice(&[("enforce", Self::Enforce), ("shadow", Self::Shadow), ("off", Self::Off)])
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::Off => "off",
        })
    }
}
