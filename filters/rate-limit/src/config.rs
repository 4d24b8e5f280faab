//! What a user writes, read into values that can only be valid.

mod cost;
mod key;
mod limit;
mod quota;
mod reject;

pub use cost::Cost;
pub use key::KeyPart;
pub use limit::{Limit, OnMissingKey, Override};
pub use reject::{Reject, ResponseHeaders};

use mesh_config::{Fields, Problems, Value};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::mode::Mode;
use mesh_policy::preflight::CorsPreflight;

/// A config of the filter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether any limit bites.
    pub mode: Mode,
    /// Where the client's address is found.
    pub client_ip: ClientIp,
    /// What becomes of CORS preflight requests.
    pub cors_preflight: CorsPreflight,
    /// The limits, in the order of the config.
    pub limits: Vec<Limit>,
    /// How a refusal looks.
    pub reject: Reject,
    /// Which headers tell a client how it stands.
    pub response_headers: ResponseHeaders,
    /// What becomes of a request whose bucket cannot be read or written.
    pub on_error: OnError,
    /// How many buckets the table has room for.
    pub capacity: u32,
}

/// What becomes of a request that cannot be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It goes on.
    #[default]
    Allow,
    /// It is refused.
    Deny,
}

/// A config with more is a mistake, or wants several plugins.
const MAX_LIMITS: usize = 256;
const DEFAULT_CAPACITY: u64 = 65_536;
/// A million buckets take about 90 MB.
const CAPACITIES: std::ops::RangeInclusive<u64> = 64..=1_048_576;

/// Reads a config.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Config, Problems> {
    mesh_config::read(bytes, Config::read)
}

impl Config {
    fn read(fields: &Fields<'_>) -> Option<Self> {
        let mode = fields.or("mode", Mode::default(), Mode::read);
        let client_ip = fields.or("client_ip", ClientIp::default(), ClientIp::read);
        let cors_preflight = fields.or("cors_preflight", CorsPreflight::default(), CorsPreflight::read);
        let limits = fields.restriction("limits", read_limits);
        let reject = fields.or("reject", Reject::default(), Reject::read);
        let response_headers =
            fields.or("response_headers", ResponseHeaders::default(), ResponseHeaders::read);
        let on_error = fields.or("on_error", OnError::default(), |value| {
            value.choice(&[("allow", OnError::Allow), ("deny", OnError::Deny)])
        });
        let capacity = fields.or("capacity", DEFAULT_CAPACITY, |value| value.integer(CAPACITIES));
        Some(Self {
            mode: mode?,
            client_ip: client_ip?,
            cors_preflight: cors_preflight?,
            limits: limits?.unwrap_or_default(),
            reject: reject?,
            response_headers: response_headers?,
            on_error: on_error?,
            capacity: u32::try_from(capacity?).ok()?,
        })
    }
}

fn read_limits(value: Value<'_>) -> Option<Vec<Limit>> {
    let mut names: Vec<String> = Vec::new();
    let limits = value.list(|item| item.object(|fields| Limit::read(fields, &mut names)))?;
    if limits.len() > MAX_LIMITS {
        return value.problem(format_args!("found {} limits, expected at most {MAX_LIMITS}", limits.len()));
    }
    Some(limits)
}

#[cfg(test)]
mod tests;
