//! How many tokens a request costs.

use mesh_config::{Fields, Value};
use mesh_policy::facts::Facts;
use mesh_policy::headers::HeaderName;

/// More than a bucket can sensibly hold.
const MAX: u64 = 1_000_000_000;

/// The tokens that a request costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The same for every request.
    Fixed(u64),
    /// What a header says.
    Header {
        /// The header.
        name: HeaderName,
        /// What a request without it costs; the least, if nothing else is said.
        default: u64,
        /// The least.
        min: u64,
        /// The most, and what a value costs that is no number.
        max: u64,
    },
}

impl Default for Cost {
    fn default() -> Self {
        Self::Fixed(1)
    }
}

impl Cost {
    /// Reads a number, or a header with its bounds.
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        if value.is_object() {
            value.object(Self::read_header)
        } else {
            value.integer(1..=MAX).map(Self::Fixed)
        }
    }

    fn read_header(fields: &Fields<'_>) -> Option<Self> {
        let name = fields.required("header", HeaderName::read_of_request);
        let default = fields.optional("default", |value| value.integer(1..=MAX));
        let min = fields.or("min", 1, |value| value.integer(1..=MAX));
        let max = fields.required("max", |value| value.integer(1..=MAX));
        let (name, default, min, max) = (name?, default?, min?, max?);
        let default = default.unwrap_or(min);
        if min > max {
            return fields.problem("min", &format!("found {min}, expected at most `max`, {max}"));
        }
        if !(min..=max).contains(&default) {
            return fields.problem("default", &format!("found {default}, expected from {min} to {max}"));
        }
        Some(Self::Header { name, default, min, max })
    }

    /// The most that a request can cost.
    pub(super) const fn largest(&self) -> u64 {
        match self {
            Self::Fixed(cost) => *cost,
            Self::Header { max, .. } => *max,
        }
    }

    pub(super) const fn needs_headers(&self) -> bool {
        matches!(self, Self::Header { .. })
    }

    /// What this request costs. Who sends nonsense, or two values, pays the most.
    pub(crate) fn of(&self, facts: &Facts<'_>) -> u64 {
        match self {
            Self::Fixed(cost) => *cost,
            Self::Header { name, default, min, max } => {
                let mut values = facts.headers.get(name.as_str());
                match (values.next(), values.next()) {
                    (None, _) => *default,
                    (Some(value), None) => number(value).map_or(*max, |cost| cost.clamp(*min, *max)),
                    (Some(_), Some(_)) => *max,
                }
            }
        }
    }
}

/// A whole number in digits; one that is too long for the type is not malformed but large.
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}
