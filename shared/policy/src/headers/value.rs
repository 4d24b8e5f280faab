//! Header values.

use mesh_config::ProblemKind;
use mesh_config::kinds::{Text, text};

/// A valid header value (RFC 9110, section 5.5): without control characters, except for tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderValue(Vec<u8>);

impl HeaderValue {
    /// A value; `None` if it has an invalid byte.
    #[must_use]
    pub fn new(value: impl Into<Vec<u8>>) -> Option<Self> {
        let value = value.into();
        value.iter().all(|byte| can_stand(*byte)).then_some(Self(value))
    }

    /// A value from the filter's own text. Invalid bytes are replaced by `_`.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        let mut value = value.into().into_bytes();
        for byte in &mut value {
            if !can_stand(*byte) {
                *byte = b'_';
            }
        }
        Self(value)
    }

    /// The value of a header.
    #[must_use]
    pub const fn kind() -> Text<Self> {
        text(|value, header| match Self::new(header) {
            None => value.expected(ProblemKind::BadPattern, "a header value, without control characters"),
            header => header,
        })
    }

    /// The value's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn can_stand(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..)
}
