//! Headers as bytes: for each header the lengths of its name and its value (u16, little-endian), its name and its value.

use crate::format::w3c;
use mesh_policy::headers::HeaderName;

/// The size of a header beyond its name and its value.
const LENGTHS: usize = 4;

/// The headers of an entry, each as the bytes of its name and of its value, in the order in which they were stored.
///
/// Names are in lower case. A record that was damaged can contain any bytes.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

/// Headers as bytes, within bounds.
#[derive(Debug)]
pub(super) struct Packed {
    /// `None` if there are no headers, or they are too large.
    pub(super) headers: Option<Vec<u8>>,
    /// Number of values that are too long, plus one if the rest is too large.
    pub(super) too_large: usize,
}

/// Packs the headers of which no value has more than `max_value_bytes`, if they have at most `max_bytes` together.
///
/// Several headers of a name are one list, so they are packed together or not at all. `tracestate` is not packed without the
/// `traceparent` that it belongs to.
pub(super) fn pack(headers: &[(&HeaderName, &[u8])], max_value_bytes: u16, max_bytes: u16) -> Packed {
    let is_too_long = |value: &[u8]| value.len() > usize::from(max_value_bytes);
    let too_long = headers.iter().filter(|(_, value)| is_too_long(value));
    let left_out = too_long.clone().count();
    // A config names at most 32 headers, and hardly ever is a value too long.
    let mut names: Vec<&HeaderName> = Vec::new();
    for (name, _) in too_long {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let [traceparent, tracestate] = &w3c::HEADERS;
    if names.contains(&traceparent) {
        names.push(tracestate);
    }
    let fitting = headers.iter().filter(|(name, _)| !names.contains(name));
    let fitting = fitting.map(|(name, value)| (name.as_str().as_bytes(), *value));
    let size = |(name, value): (&[u8], &[u8])| LENGTHS.saturating_add(name.len()).saturating_add(value.len());
    let (count, bytes) = fitting.clone().fold((0, 0), |(count, bytes): (usize, usize), header| {
        (count + 1, bytes.saturating_add(size(header)))
    });
    if bytes > usize::from(max_bytes) {
        return Packed { headers: None, too_large: left_out.saturating_add(1) };
    }
    let mut packed = Vec::with_capacity(bytes);
    for (name, value) in fitting {
        // Both lengths are at most `max_bytes`.
        packed.extend((name.len() as u16).to_le_bytes());
        packed.extend((value.len() as u16).to_le_bytes());
        packed.extend(name);
        packed.extend(value);
    }
    Packed { headers: (count > 0).then_some(packed), too_large: left_out }
}

impl<'a> Headers<'a> {
    /// Reads headers that were packed.
    pub(super) const fn read(packed: &'a [u8]) -> Self {
        Self { rest: packed }
    }

    /// Whether the bytes are headers, up to the last byte.
    pub(super) fn are_whole(mut self) -> bool {
        self.by_ref().for_each(drop);
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.rest.split_first_chunk()?;
        let (value, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*name).into())?;
        let (value, rest) = rest.split_at_checked(u16::from_le_bytes(*value).into())?;
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests;
