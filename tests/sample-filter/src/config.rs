//! What a user writes.

use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::Settings;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// What happens to CORS preflights.
        pub cors_preflight: CorsPreflight = default("allow", CorsPreflight::kind()),
        /// The requests that the filter is for.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// The header that these requests must have.
        pub header: HeaderName = required(HeaderName::kind_of_request()),
    }
}

mesh_config::root!(Config, "sample-filter");
