//! Where a token is found in a request.

use mesh_config::{Fields, Value};
use mesh_policy::headers::HeaderName;

/// A place for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A header's value, or what follows a prefix in it.
    Header {
        /// The header.
        name: HeaderName,
        /// Compared without case, since a scheme has none (RFC 9110, section 11.1).
        prefix: Box<str>,
    },
    /// A cookie.
    Cookie(Box<str>),
    /// A query parameter (RFC 6750, section 2.3, which advises against it).
    Query(Box<str>),
}

const MAX_BYTES: usize = 64;
const NAMES: [&str; 3] = ["header", "cookie", "query"];

impl Place {
    /// RFC 6750, section 2.1.
    #[must_use]
    pub fn bearer() -> Self {
        Self::Header { name: HeaderName::from_static("authorization"), prefix: "Bearer ".into() }
    }

    /// The header in which one value would be a token for both places.
    pub(super) fn overlaps(&self, other: &Self) -> Option<&str> {
        let (Self::Header { name, prefix }, Self::Header { name: same, prefix: second }) = (self, other)
        else {
            return None;
        };
        let begins = |one: &str, with: &str| {
            one.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        (name.is_same_variable(same.as_str().as_bytes())
            && prefix != second
            && (begins(prefix, second) || begins(second, prefix)))
        .then(|| name.as_str())
    }

    /// Whether the place is in this header, however it is spelt.
    pub(super) fn is_in(&self, header: &HeaderName) -> bool {
        matches!(self, Self::Header { name, .. } if header.is_same_variable(name.as_str().as_bytes()))
    }

    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        value.object(Self::read_fields)
    }

    fn read_fields(fields: &Fields<'_>) -> Option<Self> {
        let header = fields.optional("header", |value| {
            let name = HeaderName::read(value.clone())?;
            match name.as_str() {
                "cookie" => value.expected("another header; for a cookie use `cookie`"),
                "host" => value.expected("another header"),
                _ => Some(name),
            }
        });
        let prefix = fields.optional("prefix", read_prefix);
        let cookie = fields.optional("cookie", read_cookie);
        let query = fields.optional("query", |value| short(&value));
        let given: Vec<_> = NAMES.into_iter().filter(|name| fields.get(name).is_some()).collect();
        if given.len() != 1 {
            let found = if given.is_empty() { "none" } else { "several" };
            return fields
                .problem_here(&format!("found {found}, expected one of `header`, `cookie`, `query`"));
        }
        if matches!(prefix, Some(Some(_))) && !matches!(header, None | Some(Some(_))) {
            return fields.problem("prefix", "found one without `header`, expected none");
        }
        match (header?, cookie?, query?) {
            (Some(name), ..) => Some(Self::Header { name, prefix: prefix?.unwrap_or_default() }),
            (_, Some(name), _) => Some(Self::Cookie(name)),
            (.., Some(name)) => Some(Self::Query(name)),
            _ => None,
        }
    }
}

fn read_prefix(value: Value<'_>) -> Option<Box<str>> {
    let prefix = short(&value)?;
    if prefix.starts_with(' ') || !prefix.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return value.expected("printable ASCII characters, as `Bearer `");
    }
    Some(prefix)
}

fn read_cookie(value: Value<'_>) -> Option<Box<str>> {
    let name = short(&value)?;
    match HeaderName::new(&name) {
        Some(_) => Some(name),
        None => value.expected("a cookie name"),
    }
}

fn short(value: &Value<'_>) -> Option<Box<str>> {
    let name = value.non_empty_text()?;
    if name.len() > MAX_BYTES {
        return value.problem(format_args!("found {} bytes, expected at most {MAX_BYTES}", name.len()));
    }
    Some(name.into())
}
