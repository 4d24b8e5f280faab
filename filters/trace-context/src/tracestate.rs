//! `tracestate`: what tracing systems add to `traceparent` (W3C Trace Context Level 2,
//! <https://www.w3.org/TR/trace-context-2/>, section "Tracestate Header").
//!
//! It is judged and never changed: while `traceparent` passes unchanged, `tracestate` must as well (section "Mutating the
//! traceparent Field").

use crate::invalid::Invalid;
use mesh_policy::headers::{Headers, trimmed};

/// Most members of a list, those that are empty included (section "list").
const MAX_MEMBERS: usize = 32;
/// Longest key, and longest value, in bytes (section "list-members").
const MAX_BYTES: usize = 256;

/// Judges all `tracestate` headers of a request, which are one list. No header is a valid list, too.
///
/// Members may be empty, and a key may be repeated. The key is a lower-case letter or a digit, then those, `_`, `-`, `*`, `/`
/// and `@`, which Level 1 allowed in one place only. The value is printable ASCII without `,` and `=` that does not end in
/// a space.
///
/// # Errors
/// Why the list is none.
pub fn check(headers: &Headers) -> Result<(), Invalid> {
    let members = headers.get("tracestate").flat_map(|value| value.split(|byte| *byte == b','));
    for (index, member) in members.enumerate() {
        if index >= MAX_MEMBERS {
            return Err(Invalid::Members);
        }
        check_member(trimmed(member))?;
    }
    Ok(())
}

fn check_member(member: &[u8]) -> Result<(), Invalid> {
    if member.is_empty() {
        return Ok(());
    }
    let at = member.iter().position(|byte| *byte == b'=').ok_or(Invalid::Grammar)?;
    let (key, value) = member.split_at_checked(at).ok_or(Invalid::Grammar)?;
    let value = value.strip_prefix(b"=").unwrap_or_default();
    if key.len() > MAX_BYTES || value.len() > MAX_BYTES {
        return Err(Invalid::Length);
    }
    let begins = matches!(key, [b'a'..=b'z' | b'0'..=b'9', ..]);
    let is_key = begins && key.iter().all(|byte| is_in_key(*byte));
    let is_value = !value.is_empty() && value.iter().all(|byte| is_in_value(*byte));
    if is_key && is_value { Ok(()) } else { Err(Invalid::Grammar) }
}

const fn is_in_key(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@')
}

const fn is_in_value(byte: u8) -> bool {
    matches!(byte, 0x20..=0x2b | 0x2d..=0x3c | 0x3e..=0x7e)
}

#[cfg(test)]
mod tests;
