//! The record of a plugin: an entry for each VM that holds something.

use mesh_policy::time::Nanos;
use std::time::Duration;

/// An entry that was not renewed for so long belongs to a lost VM.
pub(super) const LEASE: Duration = Duration::from_secs(8);

/// Number of VMs that can have an entry.
pub const SLOTS: u16 = 256;

/// Format version at the start of a record.
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 22;

/// What a VM holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Unique in the record.
    pub(super) slot: u16,
    /// Identifies the VM.
    pub(super) owner: u64,
    /// When the VM last wrote the entry.
    pub(super) renewed: Nanos,
    /// Number of places.
    pub(super) held: u32,
}

/// What a lost VM held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) slot: u16,
    /// Number of places.
    pub(super) held: u32,
    /// Number of requests in the gauge of its slot.
    pub(super) in_flight: i64,
}

/// The entries of all VMs.
///
/// INVARIANT: slots ascend, and are less than [`SLOTS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    entries: Vec<Entry>,
}

impl Record {
    /// Reads a record. One that is missing, damaged, of another version or from the future has no entries.
    pub(super) fn read(bytes: Option<&[u8]>, now: Nanos) -> Self {
        bytes.and_then(|bytes| Self::parse(bytes, now)).unwrap_or_default()
    }

    fn parse(bytes: &[u8], now: Nanos) -> Option<Self> {
        let entries = bytes.strip_prefix(&FORMAT.to_le_bytes())?;
        let (entries, []) = entries.as_chunks::<ENTRY_BYTES>() else { return None };
        let entries = entries.iter().map(Entry::parse).collect::<Option<Vec<_>>>()?;
        let is_valid = entries.is_sorted_by(|one, next| one.slot < next.slot)
            && entries.iter().all(|entry| entry.slot < SLOTS && entry.renewed <= now);
        is_valid.then_some(Self { entries })
    }

    /// The record as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let size = self.entries.len().saturating_mul(ENTRY_BYTES).saturating_add(HEADER_BYTES);
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(FORMAT.to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.slot.to_le_bytes());
            bytes.extend(entry.owner.to_le_bytes());
            bytes.extend(entry.renewed.0.to_le_bytes());
            bytes.extend(entry.held.to_le_bytes());
        }
        bytes
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a VM.
    pub(super) fn of(&self, owner: u64) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.owner == owner).copied()
    }

    /// Removes the entry of a VM.
    pub(super) fn take(&mut self, owner: u64) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.owner == owner)?;
        Some(self.entries.remove(index))
    }

    /// Adds an entry; no effect if its slot is taken or does not exist.
    pub(super) fn put(&mut self, entry: Entry) {
        let index = self.entries.partition_point(|other| other.slot < entry.slot);
        let is_taken = self.entries.get(index).is_some_and(|other| other.slot == entry.slot);
        if entry.slot < SLOTS && !is_taken {
            self.entries.insert(index, entry);
        }
    }

    /// The first slot without an entry.
    pub(super) fn free_slot(&self) -> Option<u16> {
        let is_free =
            |slot: &u16| self.entries.get(usize::from(*slot)).is_none_or(|entry| entry.slot != *slot);
        (0..SLOTS).find(is_free)
    }

    /// Places of the VMs that are not lost.
    pub(super) fn held(&self, now: Nanos) -> u64 {
        self.entries.iter().filter(|entry| !entry.is_lost(now)).map(|entry| u64::from(entry.held)).sum()
    }

    /// Removes the entries of lost VMs. `in_flight` reads the gauge of a slot; if it fails, the entry stays for the next call.
    pub(super) fn remove_lost(
        &mut self,
        now: Nanos,
        mut in_flight: impl FnMut(u16) -> Option<u64>,
    ) -> Vec<Lost> {
        let mut all = Vec::new();
        self.entries.retain(|entry| {
            let in_flight = if entry.is_lost(now) { in_flight(entry.slot) } else { None };
            let lost = in_flight.map(|in_flight| Lost {
                slot: entry.slot,
                held: entry.held,
                in_flight: in_flight.cast_signed(),
            });
            all.extend(lost);
            lost.is_none()
        });
        all
    }
}

impl Entry {
    /// Whether the VM has not renewed the entry in time.
    fn is_lost(&self, now: Nanos) -> bool {
        now.since(self.renewed) >= LEASE
    }

    fn parse(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (slot, bytes) = bytes.split_first_chunk()?;
        let (owner, bytes) = bytes.split_first_chunk()?;
        let (renewed, held) = bytes.split_first_chunk()?;
        Some(Self {
            slot: u16::from_le_bytes(*slot),
            owner: u64::from_le_bytes(*owner),
            renewed: Nanos(u64::from_le_bytes(*renewed)),
            held: u32::from_le_bytes(*held.first_chunk()?),
        })
    }
}

#[cfg(test)]
mod tests;
