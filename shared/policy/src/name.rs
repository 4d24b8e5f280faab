//! Names that a config gives to its parts.

use mesh_config::Value;

const MAX_BYTES: usize = 64;

/// Reads the name of a part, `what` (`limit`), and adds it to the names of such parts in front, which it
/// must not be. A name goes into counters, details and structured fields: no character that one of them
/// escapes.
pub fn read_name(value: &Value<'_>, what: &str, names: &mut Vec<String>) -> Option<String> {
    let name = value.text()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > MAX_BYTES || !name.bytes().all(plain) {
        return value.expected(format_args!("1 to {MAX_BYTES} letters, digits, `_`, `-` or `.`"));
    }
    if names.iter().any(|known| known == name) {
        return value.expected(format_args!("a name that no other {what} has"));
    }
    names.push(name.to_owned());
    Some(name.to_owned())
}
