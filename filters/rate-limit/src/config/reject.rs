//! How the filter answers.

use mesh_config::{Fields, Value};
use mesh_policy::headers::{HeaderName, HeaderValue};

/// How a refusal looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP status where a part of a key is missing.
    pub missing_key_status: u16,
    /// The body; by default a problem document with the limit's name.
    pub body: Option<String>,
    /// The body's type.
    pub content_type: HeaderValue,
    /// Headers on top.
    pub headers: Vec<(HeaderName, HeaderValue)>,
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

/// What the proxy says of a reply's length, and the filter of a client's standing, is said once.
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

impl Default for Reject {
    fn default() -> Self {
        Self {
            status: 429,
            missing_key_status: 400,
            body: None,
            content_type: HeaderValue::text("text/plain"),
            headers: Vec::new(),
        }
    }
}

impl Reject {
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        value.object(|fields: &Fields<'_>| {
            let default = Self::default();
            let status =
                |name, default: u16| fields.or(name, default.into(), |value| value.integer(400..=599));
            let missing_key_status = status("missing_key_status", default.missing_key_status);
            let status = status("status", default.status);
            let body = fields.optional("body", |value| match value.text()? {
                body if body.len() > MAX_BODY_BYTES => value
                    .problem(format_args!("found {} bytes, expected at most {MAX_BODY_BYTES}", body.len())),
                body => Some(body.to_owned()),
            });
            let content_type = fields.optional("content_type", HeaderValue::read);
            let headers = fields.or("headers", Vec::new(), read_headers);
            if let (Some(Some(_)), Some(None)) = (&content_type, &body) {
                return fields.problem(
                    "content_type",
                    "found one without `body`, expected none: the default body has its own",
                );
            }
            Some(Self {
                status: u16::try_from(status?).ok()?,
                missing_key_status: u16::try_from(missing_key_status?).ok()?,
                body: body?,
                content_type: content_type?.unwrap_or(default.content_type),
                headers: headers?,
            })
        })
    }
}

fn read_headers(value: Value<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut names = Vec::new();
    let headers = value.entries(|name, value| {
        let Some(name) = HeaderName::new(name) else { return value.problem("not a header name") };
        if name.as_str() == "content-type" {
            return value.problem("expected in `reject.content_type` instead");
        }
        if NOT_THE_USERS.contains(&name.as_str()) {
            return value.problem("expected another name: the proxy or the filter sets this header itself");
        }
        if names.contains(&name) {
            return value.problem("found twice, expected once");
        }
        names.push(name.clone());
        HeaderValue::read(value).map(|value| (name, value))
    })?;
    if headers.len() > MAX_HEADERS {
        return value
            .problem(format_args!("found {} headers, expected at most {MAX_HEADERS}", headers.len()));
    }
    Some(headers)
}

impl Default for ResponseHeaders {
    fn default() -> Self {
        Self { ratelimit: true, x_ratelimit: false, retry_after: true }
    }
}

impl ResponseHeaders {
    const NONE: Self = Self { ratelimit: false, x_ratelimit: false, retry_after: false };

    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        let names = value.list(|item| {
            item.choice(&[
                ("ratelimit", Self { ratelimit: true, ..Self::NONE }),
                ("x-ratelimit", Self { x_ratelimit: true, ..Self::NONE }),
                ("retry-after", Self { retry_after: true, ..Self::NONE }),
            ])
        })?;
        Some(names.iter().fold(Self::NONE, |all, one| Self {
            ratelimit: all.ratelimit | one.ratelimit,
            x_ratelimit: all.x_ratelimit | one.x_ratelimit,
            retry_after: all.retry_after | one.retry_after,
        }))
    }
}
