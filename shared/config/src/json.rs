//! JSON that others wrote and signed: tokens and key sets.

use crate::Node;
use serde_json::Value;
use std::fmt;

/// Reads JSON in which no object, at whatever depth, has a name twice.
///
/// What a second one means is the parser's choice (RFC 8259, section 4): serde_json keeps the last
/// and says nothing, the upstream's may keep the first, so that what was verified here is not what
/// is read there. RFC 7515, section 4, and RFC 7519, section 4, leave a choice of two: refuse, or
/// keep the last. Names are compared as they are read: `"a"` and `"\u0061"` are one.
///
/// Nesting is bounded (128). How long `bytes` may be is the caller's to bound.
///
/// # Errors
/// [`InvalidJson`], with nothing in it of what was read: it may be a token, and a log is not secret.
pub fn parse(bytes: &[u8]) -> Result<Value, InvalidJson> {
    // The reader of configs, which keeps what stands twice: another one would be more code in a module.
    let node = Node::parse(bytes)
        .map_err(|error| InvalidJson::Malformed { line: error.line(), column: error.column() })?;
    node.to_json().ok_or(InvalidJson::NameTwice)
}

/// Why bytes are not JSON that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidJson {
    /// It is not JSON, or is nested too deeply, at this place; both counted from 1.
    Malformed {
        /// The line.
        line: usize,
        /// The byte of the line.
        column: usize,
    },
    /// An object has a name twice.
    NameTwice,
}

impl fmt::Display for InvalidJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, column } => {
                write!(formatter, "not valid JSON at line {line}, column {column}")
            }
            Self::NameTwice => formatter.write_str("found a name twice in an object, expected once"),
        }
    }
}

impl std::error::Error for InvalidJson {}

#[cfg(test)]
mod tests;
