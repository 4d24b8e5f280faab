//! How many tokens a request costs.

use mesh_config::kinds::{either, integer};
use mesh_config::{Form, JsonType, Kind, ProblemKind};
use mesh_policy::facts::Facts;
use mesh_policy::headers::HeaderName;

/// Maximum cost of a request, in tokens.
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
        /// What a request without it costs.
        default: u64,
        /// The least.
        min: u64,
        /// The most, and what a value costs that is no integer.
        max: u64,
    },
}

mesh_config::object! {
    /// A cost that a header says.
    struct HeaderCost {
        /// The header that says the cost.
        name as "header": HeaderName = required(HeaderName::kind_of_request()),
        /// What a request without the header costs. Default: `min`.
        default: Option<u64> = optional(integer(1..=MAX)),
        /// The least that a request costs.
        min: u64 = default(1, integer(1..=MAX)),
        /// The most that a request costs: also what a value costs that is no integer, and a header that is sent
        /// twice.
        max: u64 = required(integer(1..=MAX)),
    }
    check HeaderCost::check;
}

impl HeaderCost {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let Self { default, min, max, .. } = self;
        if min > max {
            let message = format_args!("found {min}, expected at most `max`, {max}");
            return form.problem_at("min", ProblemKind::Conflict, message);
        }
        match default {
            Some(default) if !(min..=max).contains(&default) => {
                let message = format_args!("found {default}, expected from {min} to {max}");
                form.problem_at("default", ProblemKind::Conflict, message)
            }
            _ => Some(()),
        }
    }
}

impl Cost {
    /// A number, or a header with its bounds.
    pub(super) fn kind() -> impl Kind<Out = Self> {
        let header = HeaderCost::kind().map(|HeaderCost { name, default, min, max }| Self::Header {
            name,
            default: default.unwrap_or(min),
            min,
            max,
        });
        either(JsonType::Object, header, integer(1..=MAX).map(Self::Fixed))
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

    /// What this request costs: the most if the header is no number, or is there twice.
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

/// An integer in digits; one that is too long for the type is not malformed but large.
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}
