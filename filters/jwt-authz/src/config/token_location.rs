//! Where a token is found in a request.

use mesh_config::kind::some;
use mesh_config::kinds::{Object, Text, by_fields, text};
use mesh_config::{Form, Kind, ProblemKind, Value};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::cookie_name;

/// Where a token is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenLocation {
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

/// Maximum length of a name or a prefix, in bytes.
const MAX_BYTES: usize = 64;

impl TokenLocation {
    /// The header in which one value would be a token for both locations.
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

    /// Whether the token is in this header, however it is spelt.
    pub(super) fn is_in(&self, header: &HeaderName) -> bool {
        matches!(self, Self::Header { name, .. } if header.is_same_variable(name.as_str().as_bytes()))
    }
}

impl Object for TokenLocation {
    type Context<'a> = ();

    const NAME: &'static str = "TokenLocation";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let header = HeaderName::kind_by(|value, name| {
            let name = HeaderName::read(value, name)?;
            let other = |expected| value.expected(ProblemKind::Conflict, expected);
            match name.as_str() {
                "cookie" => other("another header; for a cookie use `cookie`"),
                "host" => other("another header"),
                _ => Some(name),
            }
        });
        let location = form
            .one_of()
            .take_null()
            .case("header", "The header that has the token.", header, |name| Self::Header {
                name,
                prefix: "".into(),
            })
            .case("cookie", "The cookie that has the token.", short(text(cookie_name)), Self::Cookie)
            .case(
                "query",
                "The query parameter that has the token.",
                short(text(|_, name| Some(name.into()))),
                Self::Query,
            )
            .end();
        let prefix = form.omitted("prefix", PREFIX, some(prefix()));
        match (location?, prefix?) {
            (Self::Header { name, .. }, prefix) => {
                Some(Self::Header { name, prefix: prefix.unwrap_or_default() })
            }
            (location, None) => Some(location),
            (_, Some(_)) => {
                form.problem_at("prefix", ProblemKind::Conflict, "found one without `header`, expected none")
            }
        }
    }
}

const PREFIX: &str = "What is before the token in the header, compared without case.";

fn prefix() -> impl Kind<Out = Box<str>> {
    short(text(|value, prefix| {
        if prefix.starts_with(' ') || !prefix.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return value.expected(ProblemKind::BadPattern, "printable ASCII characters, as `Bearer `");
        }
        Some(prefix.into())
    }))
}

fn short<T>(text: Text<T>) -> Text<T> {
    text.not_empty().at_most(MAX_BYTES)
}
