//! Members of the list.

use super::key::Key;
use crate::header::split_once;
use mesh_policy::headers::{is_token, trimmed};

/// A member as it came: `key=value;property;key=value` with spaces and tabs around each part (W3C Baggage, section "Definition").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// All of it, without the spaces around it.
    pub raw: &'a [u8],
    /// The key as it is spelt; `None` if the member does not follow the grammar, as an empty one.
    pub key: Option<&'a [u8]>,
}

impl<'a> Member<'a> {
    /// The members of a header's value, without the spaces around them.
    pub fn split(value: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        value.split(|byte| *byte == b',').map(trimmed)
    }

    /// Reads one that was [`split`](Self::split) off.
    #[must_use]
    pub fn read(raw: &'a [u8]) -> Self {
        Self { raw, key: key_of(raw) }
    }
}

fn key_of(member: &[u8]) -> Option<&[u8]> {
    let mut parts = member.split(|byte| *byte == b';');
    let (key, value) = split_once(parts.next()?, b'=');
    let key = trimmed(key);
    (is_token(key) && is_value(value?) && parts.all(is_property)).then_some(key)
}

fn is_property(property: &[u8]) -> bool {
    let (key, value) = split_once(property, b'=');
    is_token(trimmed(key)) && value.is_none_or(is_value)
}

fn is_value(value: &[u8]) -> bool {
    trimmed(value).iter().all(|byte| is_octet(*byte))
}

/// `baggage-octet`. A separator is not in what is left to judge here, but for `=`, which may be in a value.
const fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// Whether a byte stands for itself in a value (section "value").
const fn is_plain(byte: u8) -> bool {
    is_octet(byte) && byte != b'%'
}

/// The length of a member as [`push_encoded`] writes it.
pub(super) fn encoded_length(key: &Key, value: &[u8]) -> usize {
    let encoded = value.iter().filter(|byte| !is_plain(**byte)).count();
    key.as_str().len() + 1 + value.len() + 2 * encoded
}

/// Appends a member. Bytes that may not stand in a value are percent-encoded.
pub(super) fn push_encoded(all: &mut Vec<u8>, key: &Key, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    all.extend_from_slice(key.as_str().as_bytes());
    all.push(b'=');
    for byte in value {
        if is_plain(*byte) {
            all.push(*byte);
        } else {
            all.extend([b'%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}
