//! Parts of a reply that a user words: body, type and headers.

use crate::headers::{HeaderName, HeaderValue};
use mesh_config::kinds::{Entries, Text, entries, string};
use mesh_config::{Kind, ProblemKind, Value};

const MAX_BODY_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 32;

/// Headers that the proxy sets itself. For a gRPC request it makes the status and the message of the reply.
const OF_THE_PROXY: [&str; 4] = ["content-length", "grpc-message", "grpc-status", "transfer-encoding"];

/// The type of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType(pub HeaderValue);

impl Default for ContentType {
    fn default() -> Self {
        Self(HeaderValue::text("text/plain"))
    }
}

/// A body.
#[must_use]
pub fn body() -> Text<String> {
    string().at_most(MAX_BODY_BYTES)
}

/// The type of a body. `has_body`: whether there is a body that it is the type of, if that is known.
pub fn content_type(has_body: Option<bool>) -> impl Kind<Out = ContentType> {
    HeaderValue::kind().and_then(move |value, content_type| {
        if has_body == Some(false) {
            let message = "found one without `body`, expected none: the default body has its own";
            return value.problem(ProblemKind::Conflict, message);
        }
        Some(ContentType(content_type))
    })
}

/// Headers with their values. `name` reads a name, see [`header_name`].
pub fn headers(
    name: fn(&str, &Value<'_>) -> Option<HeaderName>,
) -> Entries<HeaderName, impl Kind<Out = HeaderValue>> {
    entries(name, HeaderValue::kind(), MAX_HEADERS, "headers")
}

/// Reads the name of a header that neither the proxy nor the filter sets itself. `of_the_filter`: those that it sets.
/// `content_type`: path of the field with the type of the body.
pub fn header_name(
    name: &str,
    value: &Value<'_>,
    of_the_filter: &[&str],
    content_type: &str,
) -> Option<HeaderName> {
    let Some(name) = HeaderName::new(name) else {
        return value.problem(ProblemKind::BadPattern, "not a header name");
    };
    if name.as_str() == "content-type" {
        let message = format_args!("expected in `{content_type}` instead");
        return value.problem(ProblemKind::Conflict, message);
    }
    if OF_THE_PROXY.iter().chain(of_the_filter).any(|other| *other == name.as_str()) {
        let message = "expected another name: the proxy or the filter sets this header itself";
        return value.problem(ProblemKind::Conflict, message);
    }
    Some(name)
}
