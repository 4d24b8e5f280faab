//! What a user writes, read into values that can only be valid.

mod cost;
mod limit;
mod reject;
mod route;

pub use cost::Cost;
pub use limit::{Limit, OnMissingKey, Overflow, Override};
pub use reject::{Reject, ResponseHeaders};

use mesh_config::kinds::{choice, integer, list};
use mesh_policy::on_error::OnError;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::Settings;

/// Maximum number of limits, which are tried one by one.
const MAX_LIMITS: usize = 256;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// What happens to CORS preflights.
        pub cors_preflight: CorsPreflight = default("allow", choice()),
        /// The limits. A request is charged by each one that matches. Default: none.
        pub limits: Vec<Limit> = restriction(
            list(Limit::kind()).at_most(MAX_LIMITS, "limits").unique("name", "a name that no other limit has")
        ),
        /// The answer to a refused request.
        pub reject: Reject = default({}, Reject::kind()),
        /// Which [headers](#headers) tell clients their remaining quota; `[]` for none.
        pub response_headers: ResponseHeaders = default(["ratelimit", "retry-after"], ResponseHeaders::kind()),
        /// What happens to a request that [cannot be judged](#failures).
        pub on_error: OnError = default("allow", choice()),
        /// How many buckets the table has [room](#memory) for. A million take about 90 MB.
        pub capacity: u32 = default(65536, integer(64..=1_048_576)),
    }
}

mesh_config::root!(Config, "rate-limit");

#[cfg(test)]
mod tests;
