//! A test on the method.

use super::truth::Truth;
use crate::config::Value;
use crate::headers::HeaderName;

/// One method. Methods are case-sensitive (RFC 9110, section 9.1) and, by custom, in upper case; several
/// frameworks read `delete` as `DELETE` all the same, so a method that differs only in case is
/// [undecided](Truth::Undecided).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodMatch(Box<str>);

impl MethodMatch {
    /// Reads a method, in any case.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        match HeaderName::new(value.text()?) {
            Some(token) if token.as_str() == "*" => {
                value.expected("a method, as `GET`; for all of them leave `methods` out")
            }
            Some(token) => Some(Self(token.as_str().to_ascii_uppercase().into())),
            None => value.expected("a method, as `GET`"),
        }
    }

    /// Whether this is the request's method.
    pub(crate) fn test(&self, method: &[u8]) -> Truth {
        if *self.0.as_bytes() == *method {
            Truth::Yes
        } else if self.0.as_bytes().eq_ignore_ascii_case(method) {
            Truth::Undecided
        } else {
            Truth::No
        }
    }
}
