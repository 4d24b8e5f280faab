//! A test on the method.

use super::truth::Truth;
use mesh_config::Value;

/// One method. Methods are case-sensitive (RFC 9110, section 9.1) and, by custom, in upper case; several
/// frameworks read `delete` as `DELETE` all the same, so a method that differs only in case is
/// [undecided](Truth::Undecided).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodMatch(Box<str>);

/// Reads the name of a method, and answers it in upper case. A token may hold more than letters, digits and `-`
/// (RFC 9110, section 9.1), but no method does, and who writes `GET|POST` means two.
pub fn read_method(value: &Value<'_>) -> Option<String> {
    let method = value.text()?.to_ascii_uppercase();
    if ["*", "ANY", "ALL"].contains(&method.as_str()) {
        return value.expected("a method, as `GET`; for all of them leave `methods` out");
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if method.is_empty() || !method.bytes().all(is_name) {
        return value.expected("a method, as `GET`; each method is an item of its own");
    }
    Some(method)
}

impl MethodMatch {
    /// Reads a method, in any case.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        read_method(&value).map(|method| Self(method.into()))
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
