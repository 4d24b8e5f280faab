//! Ids in hexadecimal and decimal digits.

use crate::context::{SpanId, TraceId};
use crate::invalid::Invalid;

/// Which hexadecimal digits a format accepts. All formats write lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Lower case only.
    Lower,
    /// Both: the format's specification says no more than "hexadecimal".
    Any,
}

/// A trace id of at most 32 digits.
pub(crate) fn trace_id(digits: &[u8], case: Case) -> Result<TraceId, Invalid> {
    let (upper, lower) = match digits.split_last_chunk::<16>() {
        Some((upper, lower)) => (upper, lower.as_slice()),
        None => (&[][..], digits),
    };
    let (upper, lower) = (hex(upper, case)?, hex(lower, case)?);
    TraceId::from_halves(upper, lower).ok_or(Invalid::ZeroId)
}

/// A span id of exactly 16 digits.
pub(crate) fn span_id(digits: &[u8], case: Case) -> Result<SpanId, Invalid> {
    if digits.len() != 16 {
        return Err(Invalid::Length);
    }
    SpanId::new(hex(digits, case)?).ok_or(Invalid::ZeroId)
}

/// A hexadecimal number of at most 16 digits; no digits are zero.
pub(crate) fn hex(digits: &[u8], case: Case) -> Result<u64, Invalid> {
    if digits.len() > 16 {
        return Err(Invalid::Length);
    }
    let mut number = 0;
    for digit in digits {
        let nibble = match digit {
            b'0'..=b'9' => digit & 0xf,
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' if case == Case::Any => digit - b'A' + 10,
            _ => return Err(Invalid::Hex),
        };
        number = (number << 4) | u64::from(nibble);
    }
    Ok(number)
}

/// A decimal number of 64 bits, without a sign.
pub(crate) fn decimal(digits: &[u8]) -> Result<u64, Invalid> {
    // 2^64 has 20 digits.
    if !(1..=20).contains(&digits.len()) {
        return Err(Invalid::Decimal);
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte & 0xf));
    let number =
        digits.iter().try_fold(0u64, |number, byte| number.checked_mul(10)?.checked_add(digit(byte)?));
    number.ok_or(Invalid::Decimal)
}

/// Appends the lowest `digits` hexadecimal digits of a number.
pub(crate) fn push_hex(value: &mut Vec<u8>, number: u64, digits: u32) {
    for digit in (0..digits).rev() {
        let nibble = (number >> (digit * 4)) as u8 & 0xf;
        value.push(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
    }
}

/// Appends a trace id of 32 digits.
pub(crate) fn push_trace_id(value: &mut Vec<u8>, trace_id: TraceId) {
    push_hex(value, trace_id.upper(), 16);
    push_hex(value, trace_id.lower(), 16);
}

/// Appends a trace id: of 16 digits if its upper half is zero, else of 32.
pub(crate) fn push_short_trace_id(value: &mut Vec<u8>, trace_id: TraceId) {
    if !trace_id.is_short() {
        push_hex(value, trace_id.upper(), 16);
    }
    push_hex(value, trace_id.lower(), 16);
}

/// Appends a span id of 16 digits.
pub(crate) fn push_span_id(value: &mut Vec<u8>, span_id: SpanId) {
    push_hex(value, span_id.get(), 16);
}

/// Appends a decimal number.
pub(crate) fn push_decimal(value: &mut Vec<u8>, number: u64) {
    value.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
