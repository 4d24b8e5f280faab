//! A set of the table: up to eight entries in a record, the oldest first.
//!
//! An entry is the instant at which it expires (u64), the length of its id (u8), that of its headers (u16, all
//! little-endian), the id and the headers.

use super::headers::Headers;
use super::id::Id;
use mesh_policy::time::Nanos;
use std::ops::Range;

/// Number of entries in a set.
pub(super) const WAYS: usize = 8;

/// Format version at the start of a record. Another version of the table also uses other record names.
const FORMAT: u32 = 1;
const FORMAT_BYTES: usize = 4;
const ENTRY_HEADER_BYTES: usize = 11;

/// The entries of a record, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Set<'a> {
    slots: [Option<Slot<'a>>; WAYS],
}

/// An entry in its record.
#[derive(Debug)]
struct Slot<'a> {
    id: Id<'a>,
    /// From this instant on, the entry is not found.
    expires: Nanos,
    /// The entry as it is in the record.
    bytes: &'a [u8],
    /// Where its headers are in the record.
    headers: Range<usize>,
}

impl<'a> Set<'a> {
    /// Reads a record. A missing or damaged record is an empty set.
    pub(super) fn read(record: Option<&'a [u8]>) -> Self {
        record.and_then(Self::parse).unwrap_or_default()
    }

    fn parse(record: &'a [u8]) -> Option<Self> {
        let mut rest = record.strip_prefix(&FORMAT.to_le_bytes())?;
        let mut set = Self::default();
        for slot in &mut set.slots {
            if rest.is_empty() {
                break;
            }
            let (parsed, after) = Slot::parse(rest, record.len().saturating_sub(rest.len()))?;
            *slot = Some(parsed);
            rest = after;
        }
        rest.is_empty().then_some(set)
    }

    /// Where the headers of an id are in the record.
    pub(super) fn find(&self, id: Id<'_>, now: Nanos) -> Option<Range<usize>> {
        self.live(now).find(|slot| slot.id == id).map(|slot| slot.headers.clone())
    }

    /// The record with an entry in place of the one of this id, and whether another one gave way that had not expired.
    pub(super) fn with(&self, id: Id<'_>, headers: &[u8], expires: Nanos, now: Nanos) -> (Vec<u8>, bool) {
        let others = self.live(now).filter(|slot| slot.id != id);
        let is_full = others.clone().count() >= WAYS;
        let room = ENTRY_HEADER_BYTES.saturating_add(id.bytes().len()).saturating_add(headers.len());
        let mut record = record(others.skip(is_full.into()), room);
        record.extend(expires.0.to_le_bytes());
        // An id has at most 128 bytes, and headers have at most `max_entry_bytes`.
        record.push(id.bytes().len() as u8);
        record.extend((headers.len() as u16).to_le_bytes());
        record.extend(id.bytes());
        record.extend(headers);
        (record, is_full)
    }

    /// The record without the entry of this id; `None` if there is none.
    pub(super) fn without(&self, id: Id<'_>, now: Nanos) -> Option<Vec<u8>> {
        self.find(id, now)?;
        Some(record(self.live(now).filter(|slot| slot.id != id), 0))
    }

    /// The entries that have not expired.
    fn live(&self, now: Nanos) -> impl Iterator<Item = &Slot<'a>> + Clone {
        self.slots.iter().flatten().filter(move |slot| now < slot.expires)
    }
}

/// A record of these entries, with room for more.
fn record<'s, 'a: 's>(slots: impl Iterator<Item = &'s Slot<'a>> + Clone, room: usize) -> Vec<u8> {
    let sizes = slots.clone().map(|slot| slot.bytes.len());
    let mut record = Vec::with_capacity(sizes.fold(FORMAT_BYTES.saturating_add(room), usize::saturating_add));
    record.extend(FORMAT.to_le_bytes());
    slots.for_each(|slot| record.extend(slot.bytes));
    record
}

impl<'a> Slot<'a> {
    /// Splits off the first entry of bytes that are at this place of the record.
    fn parse(bytes: &'a [u8], at: usize) -> Option<(Self, &'a [u8])> {
        let (expires, rest) = bytes.split_first_chunk()?;
        let (id_length, rest) = rest.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_at_checked((*id_length).into())?;
        let (headers, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        if headers.is_empty() || !Headers::read(headers).are_whole() {
            return None;
        }
        let (bytes, _) = bytes.split_at_checked(bytes.len().saturating_sub(rest.len()))?;
        let end = at.saturating_add(bytes.len());
        let slot = Self {
            id: Id::new(id)?,
            expires: Nanos(u64::from_le_bytes(*expires)),
            bytes,
            headers: end.saturating_sub(headers.len())..end,
        };
        Some((slot, rest))
    }
}

#[cfg(test)]
mod tests;
