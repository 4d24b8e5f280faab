//! Charges buckets in the store: all of them or none.
//!
//! First every bucket is read and charged on paper. If one refuses, nothing is written: a refusal
//! costs nobody a token. If all agree, the records are written one by one; where another worker was
//! faster, that bucket is read and charged again. Only if it then refuses are the ones before it
//! given back.

use super::set::{Charge, Charged, Place, Set, Verdict};
use super::table::Location;
use policy::store::{Store, StoreError, Version, Written, update};

/// How often a record is tried that other workers write at the same moment: each failure means that
/// another one got through. After that the host is taken to have failed.
pub(crate) const TRIES: u32 = 32;

/// A charge and where its bucket is.
#[derive(Clone, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) limit: usize,
    pub(crate) location: Location,
    pub(crate) charge: Charge<'a>,
}

/// A charge on paper.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    set: Set,
    version: Version,
    pub(crate) charged: Charged,
}

impl Claim<'_> {
    fn record(&self) -> &[u8] {
        self.location.record.as_bytes()
    }

    /// Reads the bucket and charges it on paper.
    pub(crate) fn draft(&self, store: &mut impl Store) -> Result<Draft, StoreError> {
        let snapshot = store.read(self.record())?;
        let mut set = Set::parse(snapshot.value.as_deref());
        let charged = set.charge(&self.charge, snapshot.now);
        Ok(Draft { set, version: snapshot.version, charged })
    }

    /// Writes what was charged on paper; reads and charges again as often as others are faster, and
    /// stops at a refusal.
    pub(crate) fn commit(&self, mut draft: Draft, store: &mut impl Store) -> Result<Charged, StoreError> {
        for _ in 0..TRIES {
            if !draft.charged.changed {
                return Ok(draft.charged);
            }
            if store.write(self.record(), &draft.set.to_record(), draft.version)? == Written::Done {
                return Ok(draft.charged);
            }
            draft = self.draft(store)?;
        }
        Err(StoreError::Contention)
    }

    /// Puts back what a charge has taken.
    pub(crate) fn give_back(&self, place: &Place, store: &mut impl Store) -> Result<(), StoreError> {
        update(store, self.record(), TRIES, |record, now| {
            let mut set = Set::parse(record);
            let changed = set.give_back(&self.charge, place, now);
            (changed.then(|| set.to_record()), ())
        })
    }
}

impl Charged {
    /// Whether the request may go on, as far as this bucket is concerned.
    pub(crate) const fn admits(&self) -> bool {
        matches!(self.verdict, Verdict::Admitted { .. } | Verdict::Unmetered)
    }

    /// Whether the bucket found no slot.
    pub(crate) const fn overflowed(&self) -> bool {
        !matches!(self.place, Place::Slot(_))
    }
}
