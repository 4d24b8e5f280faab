//! Header names.

use mesh_config::kinds::{Text, text};
use mesh_config::{ProblemKind, Value};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Headers that the connection or another filter depends on.
const WITH_MEANING: [&str; 14] = [
    "host",
    "content-length",
    "content-type",
    "expect",
    "grpc-timeout",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "cookie",
    "authorization",
];

/// Headers that are for one message or one connection (RFC 9110, sections 7.6 and 8.6), besides `proxy-…`.
const OF_ONE_MESSAGE: [&str; 8] =
    ["connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// Headers that upstreams, or the proxy itself, take a caller's rights from, besides `x-envoy-…`.
const WITH_ACCESS: [&str; 5] =
    ["authorization", "cookie", "set-cookie", "x-forwarded-client-cert", "x-forwarded-for"];

/// Headers of responses that the connection or the client depends on.
const WITH_MEANING_IN_RESPONSES: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "grpc-message",
    "grpc-status",
    "location",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A valid header name in lower case (RFC 9110, section 5.1: a token).
///
/// A clone needs no allocation: verdicts on requests have copies of the config's names.
#[derive(Clone, Debug)]
pub struct HeaderName(Name);

#[derive(Clone, Debug)]
enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.as_str().hash(hasher);
    }
}

impl HeaderName {
    /// A name for a constant, where an invalid name is a compile-time error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_token_in(name.as_bytes(), false), "not a header name in lower case");
        Self(Name::Static(name))
    }

    /// A name, converted to lower case; `None` if it is not a token.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        is_token(name.as_bytes()).then(|| Self(Name::Shared(name.to_ascii_lowercase().into())))
    }

    /// The name of a header.
    #[must_use]
    pub const fn kind() -> Text<Self> {
        Self::kind_by(Self::read)
    }

    /// The name of a header of requests. Not `host`: Envoy makes `:authority` of it.
    #[must_use]
    pub const fn kind_of_request() -> Text<Self> {
        Self::kind_by(Self::read_of_request)
    }

    /// The name of a header that a filter tells the upstream something in, and that no client may set. Not one that the
    /// connection or another filter depends on.
    #[must_use]
    pub const fn kind_of_filter() -> Text<Self> {
        Self::kind_by(Self::read_of_filter)
    }

    /// The name of a header, read by a function that is stricter than [`HeaderName::read`].
    #[must_use]
    pub const fn kind_by(read: fn(&Value<'_>, &str) -> Option<Self>) -> Text<Self> {
        text(read).described_as("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &[])
    }

    /// Reads the name of a header; anything else is reported.
    pub fn read(value: &Value<'_>, name: &str) -> Option<Self> {
        match Self::new(name) {
            None => value.expected(ProblemKind::BadPattern, "a header name"),
            name => name,
        }
    }

    /// Reads the name of a header for [`HeaderName::kind_of_request`].
    pub fn read_of_request(value: &Value<'_>, name: &str) -> Option<Self> {
        let name = Self::read(value, name)?;
        if name.as_str() == "host" {
            let message = "another header: the proxy passes the host on as `:authority`";
            return value.expected(ProblemKind::Conflict, message);
        }
        Some(name)
    }

    /// Reads the name of a header of requests that can mean the same in another request. Not one that is for one message or
    /// one connection, in any spelling.
    pub fn read_end_to_end(value: &Value<'_>, name: &str) -> Option<Self> {
        let name = Self::read_of_request(value, name)?;
        if name.is_any_of(&OF_ONE_MESSAGE, "proxy-") {
            let message = "another header: this one is for one message or one connection";
            return value.expected(ProblemKind::Conflict, message);
        }
        Some(name)
    }

    /// Reads the name of a header that may be put on requests of others. Like [`HeaderName::read_end_to_end`], and not one
    /// that grants access, in any spelling.
    pub fn read_without_access(value: &Value<'_>, name: &str) -> Option<Self> {
        let name = Self::read_end_to_end(value, name)?;
        if name.is_any_of(&WITH_ACCESS, "x-envoy-") {
            let message =
                "another header: this one grants access, and could be put on calls that others have caused";
            return value.expected(ProblemKind::Conflict, message);
        }
        Some(name)
    }

    /// Whether an upstream may read this as one of these names, or as one that begins with `prefix`.
    fn is_any_of(&self, names: &[&'static str], prefix: &str) -> bool {
        let folded = |name: &str| -> Vec<u8> { name.bytes().map(|byte| in_variable(&byte)).collect() };
        let own = self.variable();
        own.starts_with(&folded(prefix)) || names.iter().any(|name| folded(name) == own)
    }

    /// Reads the name of a header for [`HeaderName::kind_of_filter`].
    pub fn read_of_filter(value: &Value<'_>, name: &str) -> Option<Self> {
        Self::read_except(&WITH_MEANING, value, name)
    }

    /// Reads the name of a header of responses that a filter may set. Not one that the connection or the client depends on.
    pub fn read_of_response(value: &Value<'_>, name: &str) -> Option<Self> {
        Self::read_except(&WITH_MEANING_IN_RESPONSES, value, name)
    }

    fn read_except(others: &[&str], value: &Value<'_>, name: &str) -> Option<Self> {
        let name = Self::read(value, name)?;
        if others.contains(&name.as_str()) {
            return value.expected(
                ProblemKind::Conflict,
                "another header: the connection, the client or another filter depends on this one",
            );
        }
        Some(name)
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Static(name) => name,
            Name::Shared(name) => name,
        }
    }

    /// Whether an upstream may read `found`, a name in a request, as this name.
    ///
    /// CGI (RFC 3875, section 4.1.18) and WSGI map `x-user`, `x_user` and `X-User` to `HTTP_X_USER`; lighttpd replaces
    /// every character that is not a letter or digit. So all of these are the same here. Strip every spelling: if only
    /// `x-user` is removed, a client can send `x_user` and impersonate anyone.
    #[must_use]
    pub fn is_same_variable(&self, found: &[u8]) -> bool {
        let name = self.as_str().as_bytes();
        name.len() == found.len() && name.iter().map(in_variable).eq(found.iter().map(in_variable))
    }

    /// The name as a CGI variable, equal for names that are [the same](HeaderName::is_same_variable).
    #[must_use]
    pub fn variable(&self) -> Vec<u8> {
        self.as_str().bytes().map(|byte| in_variable(&byte)).collect()
    }
}

fn in_variable(byte: &u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_uppercase() } else { b'_' }
}

/// Whether this is a token (RFC 9110, section 5.6.2), as names of headers and keys of baggage are.
#[must_use]
pub const fn is_token(text: &[u8]) -> bool {
    is_token_in(text, true)
}

const fn is_token_in(name: &[u8], upper_case: bool) -> bool {
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        let token = match byte {
            b'!'
            | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
            | b'0'..=b'9'
            | b'a'..=b'z' => true,
            b'A'..=b'Z' => upper_case,
            _ => false,
        };
        if !token {
            return false;
        }
        rest = after;
    }
    !name.is_empty()
}
