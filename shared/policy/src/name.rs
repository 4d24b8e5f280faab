//! Names of parts of a config, such as limits and rules.

use mesh_config::ProblemKind::BadPattern;
use mesh_config::Value;
use mesh_config::kinds::{Text, text};

const MAX_BYTES: usize = 64;

/// The form of a name, as a regular expression.
pub const PATTERN: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// The name of a part, such as a limit. It goes into counters, details and structured fields, so it has no
/// character that one of them escapes.
#[must_use]
pub fn name() -> Text<String> {
    text(read).described_as(PATTERN, &[])
}

/// Whether a text is a name.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !text.is_empty() && text.len() <= MAX_BYTES && text.bytes().all(plain)
}

/// Reads a name; anything else is reported.
pub fn read(value: &Value<'_>, name: &str) -> Option<String> {
    if !is_name(name) {
        let expected = format_args!("1 to {MAX_BYTES} letters, digits, `_`, `-` or `.`");
        return value.expected(BadPattern, expected);
    }
    Some(name.to_owned())
}
