//! How the filter answers.

use mesh_config::kinds::{choice, entries, integer, list, string};
use mesh_config::{Kind, ProblemKind, Value};
use mesh_policy::headers::{HeaderName, HeaderValue};

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
        pub body: Option<String> = optional(string().at_most(MAX_BODY_BYTES)),
        /// Headers on refusals, besides those that the filter sets.
        pub headers: Vec<(HeaderName, HeaderValue)> = default(
            {}, entries(header_name, HeaderValue::kind(), MAX_HEADERS, "headers")
        ),
        /// The type of `body`; an error without one, since the problem document has its own type
        /// (`application/problem+json`). Default: `text/plain`.
        pub content_type: ContentType = omitted(content_type(body.as_ref().map(Option::is_some))),
    }
}

/// The type of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType(pub HeaderValue);

impl Default for ContentType {
    fn default() -> Self {
        Self(HeaderValue::text("text/plain"))
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

/// Headers that the proxy or the filter sets itself.
const NOT_THE_USERS: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
    "x-envoy-ratelimited",
];

const MAX_BODY_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 32;

/// `has_body`: whether there is a body that it is the type of, if that is known.
fn content_type(has_body: Option<bool>) -> impl Kind<Out = ContentType> {
    HeaderValue::kind().and_then(move |value, content_type| {
        if has_body == Some(false) {
            let message = "found one without `body`, expected none: the default body has its own";
            return value.problem(ProblemKind::Conflict, message);
        }
        Some(ContentType(content_type))
    })
}

fn header_name(name: &str, value: &Value<'_>) -> Option<HeaderName> {
    let Some(name) = HeaderName::new(name) else {
        return value.problem(ProblemKind::BadPattern, "not a header name");
    };
    if name.as_str() == "content-type" {
        return value.problem(ProblemKind::Conflict, "expected in `reject.content_type` instead");
    }
    if NOT_THE_USERS.contains(&name.as_str()) {
        let message = "expected another name: the proxy or the filter sets this header itself";
        return value.problem(ProblemKind::Conflict, message);
    }
    Some(name)
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
