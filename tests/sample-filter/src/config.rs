//! What a user writes.

use mesh_config::{Problems, Schema};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::settings::Settings;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// The requests that the filter is for.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// The header that these requests must have.
        pub header: HeaderName = required(HeaderName::kind_of_request()),
    }
}

/// Reads a config.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Config, Problems> {
    mesh_config::read(bytes, &Config::kind())
}

/// What a config may be.
#[must_use]
pub fn schema() -> Schema {
    mesh_config::schema("sample-filter", "A config of the sample filter.", &Config::kind())
}
