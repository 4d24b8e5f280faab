//! How a fault is marked.

use mesh_config::Value;
use mesh_config::kinds::{Text, text};
use mesh_policy::headers::HeaderName;

mesh_config::object! {
    /// The headers that tell a fault from an outage. Their value is the rule's name; `trigger` for a fault that the request
    /// has asked for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Marker {
        /// The header of a request that goes on after a delay; `""` for none.
        pub request_header: Option<HeaderName> = default("x-mesh-fault", name_or_none(|value, name| {
            if name.is_empty() { Some(None) } else { HeaderName::read_of_filter(value, name).map(Some) }
        })),
        /// The header of a response that was faulted, or whose request was; `""` for none.
        pub response_header: Option<HeaderName> = default("x-mesh-fault", name_or_none(|value, name| {
            if name.is_empty() { Some(None) } else { HeaderName::read_of_response(value, name).map(Some) }
        })),
    }
}

fn name_or_none(read: fn(&Value<'_>, &str) -> Option<Option<HeaderName>>) -> Text<Option<HeaderName>> {
    text(read).described_as("^[!#$%&'*+.^_`|~0-9A-Za-z-]*$", &[])
}
