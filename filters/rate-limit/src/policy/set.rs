//! One set of the table: a few buckets that share a record.
//!
//! The record is read and written by one compare-and-swap, so everything that happens in a set
//! happens at once: a slot that two workers want to create, a spend that frees no slot, an eviction.
//!
//! A slot belongs to the bucket whose fingerprint it carries, until that bucket is full again and owes
//! no [`Debt`]. Such a bucket is forgotten without loss, because a new one is full as well; no other
//! bucket is ever forgotten, or a client that floods the table could come back with a full bucket.
//! Where all slots are taken, the limit's [`Overflow`] says what happens.

use super::bucket::{Level, OverflowLevel, Owed, Quota, Rate};
use super::debt::{DEBT_BYTES, Debt};
pub(crate) use crate::config::Overflow;
use crate::quota::Short;
use mesh_policy::time::Nanos;
use std::num::NonZeroU64;
use std::time::Duration;

/// How many slots a set has.
pub(crate) const WAYS: usize = 8;

/// What a record begins with. Another version of the table uses other record names as well.
const FORMAT: u64 = 2;
/// How long a later config's quota holds after its last charge.
pub(crate) const REIGN: Duration = Duration::from_secs(10);

const OVERFLOW_AT: usize = 8;
const HEADER_BYTES: usize = 16;
const SLOT_BYTES: usize = 64;
const RECORD_BYTES: usize = HEADER_BYTES + WAYS * SLOT_BYTES;
/// With a debt for each slot. A record is as long as this only while one of its buckets has a debt.
const LONG_RECORD_BYTES: usize = RECORD_BYTES + WAYS * DEBT_BYTES;

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
    /// When a config of this generation last charged it.
    charged_at: Nanos,
    /// What it owes beyond its level.
    debt: Option<Debt>,
}

/// A set, which is its record: slots are read and written where they stand.
///
/// INVARIANT: the record has [`RECORD_BYTES`] or [`LONG_RECORD_BYTES`] and begins with [`FORMAT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    record: Vec<u8>,
}

impl Set {
    /// Reads a record; one that is not there, or is not a set, is a set of full buckets.
    pub(crate) fn parse(record: Option<Vec<u8>>) -> Self {
        match record {
            Some(record)
                if matches!(record.len(), RECORD_BYTES | LONG_RECORD_BYTES)
                    && number(&record, 0) == Some(FORMAT) =>
            {
                Self { record }
            }
            _ => {
                let mut set = Self { record: vec![0; RECORD_BYTES] };
                set.put(0, &FORMAT.to_le_bytes());
                set
            }
        }
    }

    /// The record.
    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }

    /// How many slots are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self, now: Nanos) -> usize {
        (0..WAYS).filter(|place| self.slot(*place).is_some_and(|slot| !slot.is_free(now))).count()
    }

    fn overflow(&self) -> OverflowLevel {
        OverflowLevel(number(&self.record, OVERFLOW_AT).unwrap_or_default())
    }

    fn slots(&self) -> &[[u8; SLOT_BYTES]] {
        self.record.get(HEADER_BYTES..RECORD_BYTES).unwrap_or_default().as_chunks().0
    }

    /// The debts; none of them in a record that has no room for them.
    fn debts(&self) -> &[[u8; DEBT_BYTES]] {
        self.record.get(RECORD_BYTES..).unwrap_or_default().as_chunks().0
    }

    /// Where the bucket's slot is.
    fn find(&self, fingerprint: u64) -> Option<usize> {
        self.slots().iter().position(|slot| number(slot, 0) == Some(fingerprint))
    }

    fn slot(&self, place: usize) -> Option<Slot> {
        let debt = self.debts().get(place).and_then(Debt::parse);
        Some(Slot { debt, ..Slot::parse(self.slots().get(place)?)? })
    }

    fn put_slot(&mut self, place: usize, slot: Slot) {
        self.put(HEADER_BYTES + place * SLOT_BYTES, &slot.to_bytes());
        if slot.debt.is_some() {
            self.record.resize(LONG_RECORD_BYTES, 0);
        }
        if self.record.len() == LONG_RECORD_BYTES {
            let debt = slot.debt.map_or([0; DEBT_BYTES], Debt::to_bytes);
            self.put(RECORD_BYTES + place * DEBT_BYTES, &debt);
            if self.debts().iter().all(|debt| Debt::parse(debt).is_none()) {
                self.record.truncate(RECORD_BYTES);
            }
        }
    }

    fn put<const N: usize>(&mut self, at: usize, bytes: &[u8; N]) {
        if let Some(place) = self.record.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *place = *bytes;
        }
    }

    /// Takes tokens, if there are enough.
    ///
    /// While an old config drains and a new one already serves, both charge the same bucket. The
    /// later config's quota holds for both, until the bucket is forgotten or that config has not
    /// charged it for [`REIGN`]: after a rollback the proxy may go on with the earlier config as it
    /// was, older than what it takes the place of. A config that takes a bucket over begins with all
    /// that the bucket owes, its [`Debt`] included.
    pub(crate) fn charge(&mut self, charge: &Charge<'_>, now: Nanos) -> Charged {
        let Charge { fingerprint, quota, generation, cost, overflow } = *charge;
        let (place, slot) = match self.find(fingerprint) {
            Some(place) => (place, self.slot(place)),
            None => {
                let free = |place: &usize| self.slot(*place).is_none_or(|slot| slot.is_free(now));
                let Some(place) = (0..WAYS).find(free) else {
                    return self.charge_overflow(overflow, quota, cost, now);
                };
                (place, None)
            }
        };
        let (read, ruler) = match slot {
            Some(slot) if slot.outranks(generation, now) => {
                // One config has a generation in each worker, and charges in all of them.
                let charged_at = if slot.quota == *quota { now } else { slot.charged_at };
                (slot.level().owed(&slot.quota, now), Slot { charged_at, ..slot })
            }
            Some(slot) if slot.quota == *quota => {
                (slot.level().owed(quota, now), Slot { generation, charged_at: now, ..slot })
            }
            Some(slot) => {
                let debt = Debt::taken_over(&slot.level(), slot.debt.as_ref(), quota.rate, now);
                let slot = Slot { quota: *quota, generation, charged_at: now, debt: Some(debt), ..slot };
                (debt.owed(quota, now), slot)
            }
            None => {
                let quota = *quota;
                let slot = Slot { fingerprint, full_at: 0, quota, generation, charged_at: now, debt: None };
                (self.overflow().as_start(&quota, now), slot)
            }
        };
        let quota = ruler.quota;
        let (verdict, owed, debt, changed) = match quota.take(read.owed, cost) {
            Ok(owed) => {
                let debt = ruler.debt.map(|debt| debt.charged(cost, now));
                (Verdict::Admitted { owed }, owed, debt, true)
            }
            Err(Short { wait }) => {
                (Verdict::Refused { owed: read.owed, wait }, read.owed, ruler.debt, read.clipped)
            }
        };
        let level = Level::new(&quota, owed, now);
        if changed {
            let debt = debt.and_then(|debt| debt.above(&level, now));
            self.put_slot(place, Slot { full_at: level.full_at, debt, ..ruler });
        }
        Charged { verdict, quota, place: Place::Slot(level), changed }
    }

    fn charge_overflow(&mut self, overflow: Overflow, quota: &Quota, cost: u64, now: Nanos) -> Charged {
        let nowhere = |verdict| Charged { verdict, quota: *quota, place: Place::Nowhere, changed: false };
        match overflow {
            Overflow::Allow => nowhere(Verdict::Unmetered),
            Overflow::Deny => nowhere(Verdict::NoSlot),
            Overflow::Share => {
                let level = self.overflow();
                let owed = level.owed(quota, now);
                match quota.take(owed, cost) {
                    Ok(owed) => {
                        let level = OverflowLevel::new(quota, owed, now);
                        self.put(OVERFLOW_AT, &level.0.to_le_bytes());
                        let place = Place::Overflow(level);
                        Charged { verdict: Verdict::Admitted { owed }, quota: *quota, place, changed: true }
                    }
                    Err(Short { wait }) => Charged {
                        verdict: Verdict::Refused { owed, wait },
                        quota: *quota,
                        place: Place::Overflow(level),
                        changed: false,
                    },
                }
            }
        }
    }

    /// Puts back what a charge has taken; whether the set has changed.
    pub(crate) fn give_back(&mut self, charge: &Charge<'_>, place: &Place, now: Nanos) -> bool {
        match place {
            Place::Slot(charged) => {
                let own = self.find(charge.fingerprint);
                let slot = own.and_then(|place| Some((place, self.slot(place)?)));
                // A slot that is gone was full, and full is all that giving back could make it.
                let Some((place, slot)) = slot else { return false };
                let full_at = slot.level().after_giving_back(charge.cost, charged, now);
                let returned = slot.full_at.saturating_sub(full_at);
                let debt = slot.debt.map(|debt| debt.after_giving_back(returned, slot.quota.rate));
                self.put_slot(place, Slot { full_at, debt, ..slot });
                full_at != slot.full_at
            }
            Place::Overflow(charged) => {
                let level = self.overflow();
                let after = level.after_giving_back(charge.quota, charge.cost, *charged, now);
                self.put(OVERFLOW_AT, &after.0.to_le_bytes());
                after != level
            }
            Place::Nowhere => false,
        }
    }
}

impl Slot {
    /// Whether a later config than that of this generation still rules here.
    fn outranks(&self, generation: u64, now: Nanos) -> bool {
        self.generation > generation && !self.is_free(now) && now.since(self.charged_at) < REIGN
    }

    /// Whether the bucket can be forgotten: it is full and owes nothing.
    fn is_free(&self, now: Nanos) -> bool {
        self.level().is_full(now) && self.debt.is_none_or(|debt| debt.is_paid(now))
    }

    const fn level(&self) -> Level {
        Level { full_at: self.full_at, rate: self.quota.rate }
    }

    fn parse(bytes: &[u8; SLOT_BYTES]) -> Option<Self> {
        let fingerprint = number(bytes, 0).filter(|fingerprint| *fingerprint != 0)?;
        let full_at = u128::from(number(bytes, 8)?) | u128::from(number(bytes, 16)?) << 64;
        let rate = Rate::from_terms(number(bytes, 24)?, number(bytes, 32)?)?;
        let quota = Quota { rate, burst: NonZeroU64::new(number(bytes, 40)?)? };
        let (generation, charged_at) = (number(bytes, 48)?, Nanos(number(bytes, 56)?));
        Some(Self { fingerprint, full_at, quota, generation, charged_at, debt: None })
    }

    fn to_bytes(self) -> [u8; SLOT_BYTES] {
        let (tokens, nanos) = self.quota.rate.terms();
        let (full_at_low, full_at_high) = (self.full_at as u64, (self.full_at >> 64) as u64);
        let burst = self.quota.burst.get();
        let since = [self.generation, self.charged_at.0];
        let parts = [[self.fingerprint, full_at_low], [full_at_high, tokens], [nanos, burst], since];
        let mut bytes = [0; SLOT_BYTES];
        for (chunk, part) in bytes.as_chunks_mut().0.iter_mut().zip(parts.into_iter().flatten()) {
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
