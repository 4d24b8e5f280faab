//! A test on the method.

use crate::truth::Truth;
use mesh_config::ProblemKind;
use mesh_config::kinds::{Text, text};

/// A method. Methods are case-sensitive (RFC 9110, section 9.1) and by convention in upper case. Some frameworks read
/// `delete` as `DELETE`, so a method that differs only in case is [undecided](Truth::Undecided).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodMatch(Box<str>);

/// Converts the name of a method to upper case. Only letters, digits and `-` are accepted: other characters of tokens (RFC
/// 9110, section 9.1) occur in no known method, and `GET|POST` is meant as two.
///
/// # Errors
/// What is expected instead.
pub fn parse_method(text: &str) -> Result<String, &'static str> {
    let method = text.to_ascii_uppercase();
    if ["*", "ANY", "ALL"].contains(&method.as_str()) {
        return Err("a method, as `GET`; for all of them leave `methods` out");
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if method.is_empty() || !method.bytes().all(is_name) {
        return Err("a method, as `GET`; each method is an item of its own");
    }
    Ok(method)
}

impl MethodMatch {
    /// A method, in any case.
    pub(crate) const fn kind() -> Text<Self> {
        text(|value, method| match parse_method(method) {
            Ok(method) => Some(Self(method.into())),
            Err(expected) => value.expected(ProblemKind::BadPattern, expected),
        })
        .described_as("^[A-Za-z0-9-]+$", &["GET"])
    }

    /// Whether the request has this method.
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
