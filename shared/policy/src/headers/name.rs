//! A header's name.

use mesh_config::Value;
use std::borrow::Cow;

/// A valid header name in lower case (RFC 9110, section 5.1: a token).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderName(Cow<'static, str>);

impl HeaderName {
    /// A name known when the filter is compiled. For constants: a bad one does not compile there.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_token(name.as_bytes(), false), "not a header name in lower case");
        Self(Cow::Borrowed(name))
    }

    /// A name in any case; `None` if it is not a token.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        is_token(name.as_bytes(), true).then(|| Self(Cow::Owned(name.to_ascii_lowercase())))
    }

    /// Reads a header name from a config.
    pub fn read(value: Value<'_>) -> Option<Self> {
        match Self::new(value.text()?) {
            None => value.expected("a header name"),
            name => name,
        }
    }

    /// Reads the name of a header of requests from a config. Not `host`: Envoy makes `:authority` of it.
    pub fn read_of_request(value: Value<'_>) -> Option<Self> {
        let name = Self::read(value.clone())?;
        if name.as_str() == "host" {
            value.expected("another header: the proxy hands the host over by another name")
        } else {
            Some(name)
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an upstream may take a name found in a request for this one.
    ///
    /// CGI (RFC 3875, section 4.1.18), and WSGI after it, make `HTTP_X_USER` of `x-user`, `x_user` and
    /// `X-User` alike, and lighttpd does so with every character that is no letter or digit. So all of those
    /// are the same here. Strip every spelling: if only `x-user` is removed, a client can send `x_user` and
    /// impersonate anyone.
    #[must_use]
    pub fn is_same_variable(&self, found: &[u8]) -> bool {
        let variable =
            |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_uppercase() } else { b'_' };
        self.0.len() == found.len() && self.0.as_bytes().iter().map(variable).eq(found.iter().map(variable))
    }
}

const fn is_token(name: &[u8], upper_case: bool) -> bool {
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
