//! A string test on a header, a cookie or a query parameter.

use super::string::{Anchor, StringMatch};
use crate::cookie::unquoted;
use crate::headers::HeaderName;
use mesh_config::kinds::{Text, object_with, string, text};
use mesh_config::{Kind, ProblemKind, Value};

mesh_config::object! {
    /// A name and a test on its values.
    #[derive(Clone, Debug)]
    pub(crate) struct NamedMatch(of: Of) {
        /// The name of the header, the cookie or the parameter.
        pub(crate) name: Box<str> = required(of.name()),
        /// The test.
        pub(crate) test: StringMatch = flatten(),
    }
}

/// The kind of named value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Of {
    #[default]
    Header,
    Cookie,
    Parameter,
}

impl NamedMatch {
    /// `{"name": "session", "exact": "premium"}`.
    pub(crate) fn test_of(of: Of) -> impl Kind<Out = Self> {
        object_with::<Self>(of).and_then(move |value, named| of.possible(value, &named.test).map(|()| named))
    }
}

impl Of {
    fn name(self) -> Text<Box<str>> {
        match self {
            Self::Header => text(header_name),
            Self::Cookie => text(cookie_name),
            Self::Parameter => string().not_empty(),
        }
    }

    /// `Some` if the strings of the test can match the values: headers and cookies have no leading or trailing spaces and
    /// tabs, and cookies have no surrounding quotes.
    fn possible(self, value: &Value<'_>, test: &StringMatch) -> Option<()> {
        if matches!(self, Self::Parameter) {
            return Some(());
        }
        test.possible_without_outer_spaces(value)?;
        let (anchor, mut texts) = test.literals();
        let is_quoted = |text: &&[u8]| anchor == Anchor::Whole && unquoted(text).len() < text.len();
        match texts.find(is_quoted) {
            Some(text) if matches!(self, Self::Cookie) => value.problem(
                ProblemKind::BadPattern,
                format_args!(
                    "found `{}`, which can never match, expected no quotes around it: values are compared without",
                    text.escape_ascii(),
                ),
            ),
            _ => Some(()),
        }
    }
}

/// The name of a header, or a pseudo-header that no other part of a match is for.
fn header_name(value: &Value<'_>, name: &str) -> Option<Box<str>> {
    let other = |expected| value.expected(ProblemKind::Conflict, expected);
    match name.to_ascii_lowercase().as_str() {
        name @ (":scheme" | ":protocol") => Some(name.into()),
        ":path" => other("a header name; for the path use `path` or `query`"),
        ":method" => other("a header name; for the method use `methods`"),
        // Envoy converts `host` to `:authority`.
        ":authority" | "host" => other("a header name; for the host use `hosts`"),
        _ => HeaderName::read(value, name).map(|name| name.as_str().into()),
    }
}

/// The name of a cookie (RFC 6265, section 4.1.1: a token, like a header name).
pub fn cookie_name<T: for<'a> From<&'a str>>(value: &Value<'_>, name: &str) -> Option<T> {
    match HeaderName::new(name) {
        Some(_) => Some(name.into()),
        None => value.expected(ProblemKind::BadPattern, "a cookie name"),
    }
}
