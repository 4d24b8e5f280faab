//! How the filter answers.

use mesh_config::kinds::{choice, integer, list};
use mesh_config::{Kind, Value};
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::reply::{self, ContentType};

mesh_config::object! {
    /// How a refusal looks.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Reject {
        /// The status of a refusal because the bucket has too few tokens, or no slot.
        pub status: u16 = default(429, integer(400..=599)),
        /// The status of a refusal by `on_missing_key: deny`: the client is to correct its request, not to wait.
        pub missing_key_status: u16 = default(400, integer(400..=599)),
        /// The body of a refusal because the bucket has too few tokens, or no slot. A missing key and `on_error` have
        /// their own problem documents. Default: a problem document (RFC 9457) with the limit's name.
        pub body: Option<String> = optional(reply::body()),
        /// Headers on refusals, besides those that the filter sets.
        pub headers: Vec<(HeaderName, HeaderValue)> = default({}, reply::headers(header_name)),
        /// The type of `body`; an error without one, since the problem document has its own type
        /// (`application/problem+json`). Default: `text/plain`.
        pub content_type: ContentType = omitted(
            reply::content_type(body.as_ref().map(Option::is_some))
        ),
    }
}

/// Which headers tell a client how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `RateLimit` and `RateLimit-Policy`.
    pub ratelimit: bool,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub x_ratelimit: bool,
    /// `Retry-After`, on refusals.
    pub retry_after: bool,
}

mesh_config::choice! {
    /// A header, or a group of them, that tells a client how it stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum ResponseHeader {
        RateLimit = "ratelimit",
        XRateLimit = "x-ratelimit",
        RetryAfter = "retry-after",
    }
}

/// Headers that the filter sets itself.
const OF_THE_FILTER: [&str; 7] = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
    "x-envoy-ratelimited",
];

fn header_name(name: &str, value: &Value<'_>) -> Option<HeaderName> {
    reply::header_name(name, value, &OF_THE_FILTER, "reject.content_type")
}

impl ResponseHeaders {
    pub(super) fn kind() -> impl Kind<Out = Self> {
        list(choice::<ResponseHeader>()).map(|headers| Self {
            ratelimit: headers.contains(&ResponseHeader::RateLimit),
            x_ratelimit: headers.contains(&ResponseHeader::XRateLimit),
            retry_after: headers.contains(&ResponseHeader::RetryAfter),
        })
    }
}
