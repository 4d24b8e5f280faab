//! Reading and writing single headers.

use crate::invalid::Invalid;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};

/// A header as it is written to a request.
pub(crate) type Written = (HeaderName, HeaderValue);

/// The value of a header that may be sent once.
pub(crate) fn only<'a>(headers: &'a Headers, name: &'a HeaderName) -> Result<Option<&'a [u8]>, Invalid> {
    let mut values = headers.get(name.as_str());
    let value = values.next();
    if values.next().is_some() { Err(Invalid::Repeated) } else { Ok(value) }
}

/// A header to write; `None` if the value has a control character, which no format here writes.
pub(crate) fn written(name: &HeaderName, value: impl Into<Vec<u8>>) -> Option<Written> {
    Some((name.clone(), HeaderValue::new(value)?))
}

/// Splits a value at the first `separator`. The second part is `None` if there is none.
pub(crate) fn split_once(value: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = value.splitn(2, |byte| *byte == separator);
    (parts.next().unwrap_or_default(), parts.next())
}

/// Whether a value is visible ASCII and spaces, as the formats here allow. Anything else is not passed on when a header is
/// written anew.
pub(crate) fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, 0x20..=0x7e))
}
