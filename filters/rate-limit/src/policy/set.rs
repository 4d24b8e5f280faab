//! One set of the table: a few buckets that share a record.
//!
//! The record is read and written by one compare-and-swap, so everything that happens in a set
//! happens at once: a slot that two workers want to create, a spend that frees no slot, an eviction.
//!
//! A slot belongs to the bucket whose fingerprint it carries, until that bucket is full again. A full
//! bucket is forgotten without loss, because a new one is full as well; no other bucket is ever
//! forgotten, or a client that floods the table could come back with a full bucket. Where all slots
//! are taken, the limit's [`Overflow`] says what happens.

use super::bucket::{Level, OverflowLevel, Owed, Quota, Rate, Short};
use policy::time::Nanos;
use std::num::NonZeroU64;
use std::time::Duration;

/// How many slots a set has.
pub(crate) const WAYS: usize = 8;

/// What a record begins with. Another version of the table uses other record names as well.
const FORMAT: u64 = 1;
const HEADER_BYTES: usize = 16;
const SLOT_BYTES: usize = 56;
const RECORD_BYTES: usize = HEADER_BYTES + WAYS * SLOT_BYTES;

/// What to do with a request whose bucket finds no slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Charge it to the level that all such requests of the set share.
    #[default]
    Share,
    /// Let it through.
    Allow,
    /// Refuse it.
    Deny,
}

/// A charge to one bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    /// Names the bucket; never zero.
    pub(crate) fingerprint: u64,
    pub(crate) quota: &'a Quota,
    /// Which config the quota is from: a later one has a greater number.
    pub(crate) generation: u64,
    pub(crate) cost: u64,
    pub(crate) overflow: Overflow,
}

/// Where a charge went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To the bucket's own slot, which then stood at this level.
    Slot(Level),
    /// To the level that the set's overflow shares, which then stood at this.
    Overflow(OverflowLevel),
    /// To nothing: no slot was free, and the limit lets such requests through or refuses them.
    Nowhere,
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    pub(crate) verdict: Verdict,
    /// The quota by which the bucket was judged.
    pub(crate) quota: Quota,
    pub(crate) place: Place,
    /// The set has changed and is to be written.
    pub(crate) changed: bool,
}

/// Whether there were tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There were; this is owed now.
    Admitted { owed: Owed },
    /// There will be after `wait`; this is owed now, and not more.
    Refused { owed: Owed, wait: Duration },
    /// Let through without a charge.
    Unmetered,
    /// Refused for want of a slot.
    NoSlot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    fingerprint: u64,
    full_at: u128,
    quota: Quota,
    generation: u64,
}

/// A set, read from its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    overflow: OverflowLevel,
    slots: [Option<Slot>; WAYS],
}

impl Set {
    /// Reads a record; one that is not there, or is not a set, is a set of full buckets.
    pub(crate) fn parse(record: Option<&[u8]>) -> Self {
        record.and_then(Self::parse_record).unwrap_or_default()
    }

    fn parse_record(record: &[u8]) -> Option<Self> {
        let record: &[u8; RECORD_BYTES] = record.try_into().ok()?;
        let (header, slots) = record.split_first_chunk::<HEADER_BYTES>()?;
        if number(header, 0)? != FORMAT {
            return None;
        }
        let mut set = Self { overflow: OverflowLevel(number(header, 8)?), slots: [None; WAYS] };
        for (slot, bytes) in set.slots.iter_mut().zip(slots.as_chunks::<SLOT_BYTES>().0) {
            *slot = Slot::parse(bytes);
        }
        Some(set)
    }

    /// The record.
    pub(crate) fn to_record(&self) -> Vec<u8> {
        let mut record = Vec::with_capacity(RECORD_BYTES);
        record.extend(FORMAT.to_le_bytes());
        record.extend(self.overflow.0.to_le_bytes());
        for slot in &self.slots {
            record.extend(slot.map_or([0; SLOT_BYTES], |slot| slot.to_bytes()));
        }
        record
    }

    /// Takes tokens, if there are enough.
    ///
    /// While an old config drains and a new one already serves, both come to the same bucket. The
    /// later config's quota holds for both, from its first charge on: if each judged by its own,
    /// what the smaller bucket cannot owe would be forgiven to the larger, again and again.
    pub(crate) fn charge(&mut self, charge: &Charge<'_>, now: Nanos) -> Charged {
        let Charge { fingerprint, quota, generation, cost, overflow } = *charge;
        let own = |slot: &Slot| slot.fingerprint == fingerprint;
        let (place, read, quota, generation) =
            match self.slots.iter().position(|slot| slot.is_some_and(|slot| own(&slot))) {
                Some(place) => match self.slots.get(place).copied().flatten() {
                    Some(slot) if slot.generation > generation => {
                        (place, slot.level().owed(&slot.quota, now), slot.quota, slot.generation)
                    }
                    Some(slot) => (place, slot.level().owed(quota, now), *quota, generation),
                    None => (place, self.overflow.as_start(quota, now), *quota, generation),
                },
                None => {
                    match self.slots.iter().position(|slot| slot.is_none_or(|slot| slot.level().is_full(now)))
                    {
                        Some(place) => (place, self.overflow.as_start(quota, now), *quota, generation),
                        None => return self.charge_overflow(overflow, quota, cost, now),
                    }
                }
            };
        let (verdict, owed, changed) = match quota.take(read.owed, cost) {
            Ok(owed) => (Verdict::Admitted { owed }, owed, true),
            Err(Short { wait }) => (Verdict::Refused { owed: read.owed, wait }, read.owed, read.clipped),
        };
        let level = Level::new(&quota, owed, now);
        if let Some(slot) = self.slots.get_mut(place).filter(|_| changed) {
            *slot = Some(Slot { fingerprint, full_at: level.full_at, quota, generation });
        }
        Charged { verdict, quota, place: Place::Slot(level), changed }
    }

    fn charge_overflow(&mut self, overflow: Overflow, quota: &Quota, cost: u64, now: Nanos) -> Charged {
        let nowhere = |verdict| Charged { verdict, quota: *quota, place: Place::Nowhere, changed: false };
        match overflow {
            Overflow::Allow => nowhere(Verdict::Unmetered),
            Overflow::Deny => nowhere(Verdict::NoSlot),
            Overflow::Share => {
                let owed = self.overflow.owed(quota, now);
                match quota.take(owed, cost) {
                    Ok(owed) => {
                        self.overflow = OverflowLevel::new(quota, owed, now);
                        let place = Place::Overflow(self.overflow);
                        Charged { verdict: Verdict::Admitted { owed }, quota: *quota, place, changed: true }
                    }
                    Err(Short { wait }) => Charged {
                        verdict: Verdict::Refused { owed, wait },
                        quota: *quota,
                        place: Place::Overflow(self.overflow),
                        changed: false,
                    },
                }
            }
        }
    }

    /// Puts back what a charge has taken; whether the set has changed.
    pub(crate) fn give_back(&mut self, charge: &Charge<'_>, place: &Place, now: Nanos) -> bool {
        let before = self.clone();
        match place {
            Place::Slot(charged) => {
                let own = self.slots.iter_mut().flatten().find(|slot| slot.fingerprint == charge.fingerprint);
                // A slot that is gone was full, and full is all that giving back could make it.
                if let Some(slot) = own {
                    slot.full_at = slot.level().after_giving_back(charge.cost, charged, now);
                }
            }
            Place::Overflow(charged) => self.overflow.give_back(charge.quota, charge.cost, *charged, now),
            Place::Nowhere => {}
        }
        *self != before
    }
}

impl Slot {
    const fn level(&self) -> Level {
        Level { full_at: self.full_at, rate: self.quota.rate }
    }

    fn parse(bytes: &[u8; SLOT_BYTES]) -> Option<Self> {
        let fingerprint = number(bytes, 0).filter(|fingerprint| *fingerprint != 0)?;
        let full_at = u128::from(number(bytes, 8)?) | u128::from(number(bytes, 16)?) << 64;
        let rate = Rate::from_terms(number(bytes, 24)?, number(bytes, 32)?)?;
        let quota = Quota { rate, burst: NonZeroU64::new(number(bytes, 40)?)? };
        Some(Self { fingerprint, full_at, quota, generation: number(bytes, 48)? })
    }

    fn to_bytes(self) -> [u8; SLOT_BYTES] {
        let (tokens, nanos) = self.quota.rate.terms();
        let (full_at_low, full_at_high) = (self.full_at as u64, (self.full_at >> 64) as u64);
        let burst = self.quota.burst.get();
        let parts = [self.fingerprint, full_at_low, full_at_high, tokens, nanos, burst, self.generation];
        let mut bytes = [0; SLOT_BYTES];
        for (chunk, part) in bytes.as_chunks_mut().0.iter_mut().zip(parts) {
            *chunk = part.to_le_bytes();
        }
        bytes
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
