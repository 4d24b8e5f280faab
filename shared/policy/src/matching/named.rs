//! A string test on something that has a name: a header, a cookie, a query parameter.

use super::string::{Anchor, StringMatch};
use crate::cookie::unquoted;
use crate::headers::HeaderName;
use mesh_config::Value;

/// A name and a test on its values.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Box<str>,
    pub(crate) test: StringMatch,
}

impl Named {
    /// Reads `{"name": "session", "exact": "premium"}`.
    pub(crate) fn read(value: Value<'_>, name: impl Fn(Value<'_>) -> Option<Box<str>>) -> Option<Self> {
        value.object(|fields| {
            let name = fields.required("name", name);
            let test = StringMatch::read_fields(fields);
            Some(Self { name: name?, test: test? })
        })
    }

    /// The same for something whose values have no spaces and tabs at their ends.
    pub(crate) fn read_trimmed(
        value: Value<'_>,
        name: impl Fn(Value<'_>) -> Option<Box<str>>,
    ) -> Option<Self> {
        let named = Self::read(value.clone(), name)?;
        let test = named.test.possible_without_outer_spaces(&value)?;
        Some(Self { test, ..named })
    }

    /// The same for cookies, whose values have no quotes around them, either.
    pub(crate) fn read_cookie(value: Value<'_>) -> Option<Self> {
        let named = Self::read_trimmed(value.clone(), cookie_name)?;
        let (anchor, mut texts) = named.test.literals();
        let quoted = texts.find(|text| anchor == Anchor::Whole && unquoted(text).len() < text.len());
        if let Some(text) = quoted {
            return value.problem(format_args!(
                "found `{}`, which can never match, expected no quotes around it: values are compared without",
                text.escape_ascii(),
            ));
        }
        drop(texts);
        Some(named)
    }
}

/// The name of a header, or a pseudo-header that no other part of a match is for.
pub(crate) fn header_name(value: Value<'_>) -> Option<Box<str>> {
    match value.text()?.to_ascii_lowercase().as_str() {
        name @ (":scheme" | ":protocol") => Some(name.into()),
        ":path" => value.expected("a header name; for the path use `path` or `query`"),
        ":method" => value.expected("a header name; for the method use `methods`"),
        // Envoy makes `:authority` of it.
        ":authority" | "host" => value.expected("a header name; for the host use `hosts`"),
        _ => HeaderName::read(value).map(|name| name.as_str().into()),
    }
}

/// The name of a cookie (RFC 6265, section 4.1.1: a token, as a header's name is).
pub(crate) fn cookie_name(value: Value<'_>) -> Option<Box<str>> {
    let name = value.text()?;
    match HeaderName::new(name) {
        Some(_) => Some(name.into()),
        None => value.expected("a cookie name"),
    }
}

/// The name of a query parameter, decoded.
pub(crate) fn parameter_name(value: Value<'_>) -> Option<Box<str>> {
    value.non_empty_text().map(Into::into)
}
