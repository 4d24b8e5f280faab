//! A set of the table: a few buckets that share a record.
//!
//! A record is written by compare-and-swap, so every change of a set is atomic: creating a slot, charging it, and
//! evicting it.
//!
//! A slot belongs to the bucket with its fingerprint until that bucket is full again and has no [`Debt`]. Such a bucket
//! is evicted without loss, as a new one is full, too. No other bucket is ever evicted, or clients could flood the table
//! to get a full bucket. If all slots are taken, the limit's [`Overflow`] decides.

use super::bucket::{Level, OverflowLevel, Owed, Quota, Rate};
use super::debt::{DEBT_BYTES, Debt};
pub(crate) use crate::config::Overflow;
use crate::quota::Short;
use mesh_policy::time::Nanos;
use std::num::NonZeroU64;
use std::time::Duration;

/// Number of slots in a set.
pub(crate) const WAYS: usize = 8;

/// Format version at the start of a record. Another version of the table also uses other record names.
const FORMAT: u64 = 2;
/// How long a later config's quota takes precedence after its last charge.
pub(crate) const PRECEDENCE: Duration = Duration::from_secs(10);

const OVERFLOW_AT: usize = 8;
const HEADER_BYTES: usize = 16;
const SLOT_BYTES: usize = 64;
const RECORD_BYTES: usize = HEADER_BYTES + WAYS * SLOT_BYTES;
/// Size of a record with a debt for each slot. A record has this size only while one of its buckets has a debt.
const LONG_RECORD_BYTES: usize = RECORD_BYTES + WAYS * DEBT_BYTES;

/// A charge to one bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    /// Identifies the bucket; never zero.
    pub(crate) fingerprint: u64,
    pub(crate) quota: &'a Quota,
    /// Identifies the config of the quota; a later config has a greater number.
    pub(crate) generation: u64,
    pub(crate) cost: u64,
    pub(crate) overflow: Overflow,
}

/// What was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChargedLevel {
    /// The bucket's slot, with its level after the charge.
    Slot(Level),
    /// The set's overflow, with its level after the charge.
    Overflow(OverflowLevel),
    /// Nothing: no slot was free, and the limit's overflow is `allow` or `deny`.
    Nowhere,
}

/// The result of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    pub(crate) verdict: Verdict,
    /// The quota that was applied.
    pub(crate) quota: Quota,
    pub(crate) level: ChargedLevel,
    /// Whether the set has changed and must be written.
    pub(crate) changed: bool,
}

/// Whether the bucket admits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Admitted; what the bucket owes after the charge.
    Admitted { owed: Owed },
    /// Refused; there are enough tokens after `wait`. What the bucket owes is unchanged.
    Refused { owed: Owed, wait: Duration },
    /// Admitted without a charge.
    Unmetered,
    /// Refused, as no slot was free.
    NoSlot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    fingerprint: u64,
    full_at: u128,
    quota: Quota,
    generation: u64,
    /// When a config of this generation last charged the bucket.
    charged_at: Nanos,
    /// What the bucket owes beyond its level.
    debt: Option<Debt>,
}

/// A set, held as its record. Slots are read and written in place.
///
/// INVARIANT: the record has [`RECORD_BYTES`] or [`LONG_RECORD_BYTES`] and begins with [`FORMAT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    record: Vec<u8>,
}

impl Set {
    /// Reads a record. A missing or damaged record is a set of full buckets.
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

    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }

    /// Number of slots that are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self, now: Nanos) -> usize {
        (0..WAYS).filter(|index| self.slot(*index).is_some_and(|slot| !slot.is_free(now))).count()
    }

    fn overflow(&self) -> OverflowLevel {
        OverflowLevel(number(&self.record, OVERFLOW_AT).unwrap_or_default())
    }

    fn slots(&self) -> &[[u8; SLOT_BYTES]] {
        self.record.get(HEADER_BYTES..RECORD_BYTES).unwrap_or_default().as_chunks().0
    }

    /// The debts of the slots; empty if the record has none.
    fn debts(&self) -> &[[u8; DEBT_BYTES]] {
        self.record.get(RECORD_BYTES..).unwrap_or_default().as_chunks().0
    }

    /// Index of the bucket's slot.
    fn find(&self, fingerprint: u64) -> Option<usize> {
        self.slots().iter().position(|slot| number(slot, 0) == Some(fingerprint))
    }

    fn slot(&self, index: usize) -> Option<Slot> {
        let debt = self.debts().get(index).and_then(Debt::parse);
        Some(Slot { debt, ..Slot::parse(self.slots().get(index)?)? })
    }

    fn put_slot(&mut self, index: usize, slot: Slot) {
        self.put(HEADER_BYTES + index * SLOT_BYTES, &slot.to_bytes());
        if slot.debt.is_some() {
            self.record.resize(LONG_RECORD_BYTES, 0);
        }
        if self.record.len() == LONG_RECORD_BYTES {
            let debt = slot.debt.map_or([0; DEBT_BYTES], Debt::to_bytes);
            self.put(RECORD_BYTES + index * DEBT_BYTES, &debt);
            if self.debts().iter().all(|debt| Debt::parse(debt).is_none()) {
                self.record.truncate(RECORD_BYTES);
            }
        }
    }

    fn put<const N: usize>(&mut self, at: usize, bytes: &[u8; N]) {
        if let Some(target) = self.record.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *target = *bytes;
        }
    }

    /// Takes tokens from a bucket if there are enough.
    ///
    /// While an old config drains and a new one is already in use, both charge the same bucket. The later config's quota
    /// applies to both until the bucket is evicted, or that config has not charged it for [`PRECEDENCE`]: after a rollback
    /// the proxy may continue with the earlier config and its generation. A config that takes over a bucket starts with all
    /// that the bucket owes, including its [`Debt`].
    pub(crate) fn charge(&mut self, charge: &Charge<'_>, now: Nanos) -> Charged {
        let Charge { fingerprint, quota, generation, cost, overflow } = *charge;
        let (index, slot) = match self.find(fingerprint) {
            Some(index) => (index, self.slot(index)),
            None => {
                let free = |index: &usize| self.slot(*index).is_none_or(|slot| slot.is_free(now));
                let Some(index) = (0..WAYS).find(free) else {
                    return self.charge_overflow(overflow, quota, cost, now);
                };
                (index, None)
            }
        };
        let (read, charged) = match slot {
            Some(slot) if slot.outranks(generation, now) => {
                // A config has another generation in each worker; a charge in any of them counts.
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
        let quota = charged.quota;
        let (verdict, owed, debt, changed) = match quota.take(read.owed, cost) {
            Ok(owed) => {
                let debt = charged.debt.map(|debt| debt.charged(cost, now));
                (Verdict::Admitted { owed }, owed, debt, true)
            }
            Err(Short { wait }) => {
                (Verdict::Refused { owed: read.owed, wait }, read.owed, charged.debt, read.clipped)
            }
        };
        let level = Level::new(&quota, owed, now);
        if changed {
            let debt = debt.and_then(|debt| debt.above(&level, now));
            self.put_slot(index, Slot { full_at: level.full_at, debt, ..charged });
        }
        Charged { verdict, quota, level: ChargedLevel::Slot(level), changed }
    }

    fn charge_overflow(&mut self, overflow: Overflow, quota: &Quota, cost: u64, now: Nanos) -> Charged {
        let nowhere =
            |verdict| Charged { verdict, quota: *quota, level: ChargedLevel::Nowhere, changed: false };
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
                        let level = ChargedLevel::Overflow(level);
                        Charged { verdict: Verdict::Admitted { owed }, quota: *quota, level, changed: true }
                    }
                    Err(Short { wait }) => Charged {
                        verdict: Verdict::Refused { owed, wait },
                        quota: *quota,
                        level: ChargedLevel::Overflow(level),
                        changed: false,
                    },
                }
            }
        }
    }

    /// Gives back the tokens of a charge. Returns whether the set has changed.
    pub(crate) fn give_back(&mut self, charge: &Charge<'_>, level: &ChargedLevel, now: Nanos) -> bool {
        match level {
            ChargedLevel::Slot(charged) => {
                let found = self.find(charge.fingerprint);
                let slot = found.and_then(|index| Some((index, self.slot(index)?)));
                // A bucket without a slot is full.
                let Some((index, slot)) = slot else { return false };
                let full_at = slot.level().after_giving_back(charge.cost, charged, now);
                let returned = slot.full_at.saturating_sub(full_at);
                let debt = slot.debt.map(|debt| debt.after_giving_back(returned, slot.quota.rate));
                self.put_slot(index, Slot { full_at, debt, ..slot });
                full_at != slot.full_at
            }
            ChargedLevel::Overflow(charged) => {
                let level = self.overflow();
                let after = level.after_giving_back(charge.quota, charge.cost, *charged, now);
                self.put(OVERFLOW_AT, &after.0.to_le_bytes());
                after != level
            }
            ChargedLevel::Nowhere => false,
        }
    }
}

impl Slot {
    /// Whether the quota of a later config than this generation takes precedence.
    fn outranks(&self, generation: u64, now: Nanos) -> bool {
        self.generation > generation && !self.is_free(now) && now.since(self.charged_at) < PRECEDENCE
    }

    /// Whether the bucket can be evicted: it is full and has no debt.
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
