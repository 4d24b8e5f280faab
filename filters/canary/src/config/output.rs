//! Where the variant is written, and who may name it.

use mesh_config::kinds::{Text, text};
use mesh_config::{Form, ProblemKind};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::RequestMatch;

mesh_config::object! {
    /// Where the variant is written. If it is given, only where it says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Output {
        /// The request header that takes the variant. A client's own is removed, in every spelling. Default: none.
        pub header: Option<HeaderName> = optional(HeaderName::kind_of_filter()),
        /// The filter state `wasm.<name>` that takes the variant, for routes that match on it. Default: none.
        pub filter_state: Option<String> = optional(state_name()),
        /// The response header that tells the client its variant. It replaces the upstream's. Default: none.
        pub response_header: Option<HeaderName> = optional(HeaderName::kind_by(HeaderName::read_of_response)),
    }
    check Output::check;
}

mesh_config::object! {
    /// Which requests may name their variant, and how.
    #[derive(Clone, Debug)]
    pub struct TrustedOverride {
        /// The request header that names the variant. It is removed from every request. It may be the output's header:
        /// then a choice that a proxy in front has made is kept.
        pub header: HeaderName = required(HeaderName::kind_of_filter()),
        /// Which requests are trusted, see [match](#match); `{}` for all.
        pub matches as "match": RequestMatch = required(RequestMatch::kind()),
    }
}

impl Output {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        if self.header.is_none() && self.filter_state.is_none() {
            return form.require_one_of(&["header", "filter_state"]);
        }
        Some(())
    }
}

/// A name of filter state that no filter writes for the access log or for other filters.
fn state_name() -> Text<String> {
    text(|value, key| {
        let name: String = mesh_policy::name::read(value, key)?;
        let is_written = ["jwt_claims", "trace_id"].contains(&&*name) || name.ends_with("_decision");
        if is_written {
            return value.expected(ProblemKind::Conflict, "another name: a filter writes this one already");
        }
        Some(name)
    })
    .described_as(mesh_policy::name::PATTERN, &[])
}
