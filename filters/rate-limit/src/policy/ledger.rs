//! Charges buckets in the store: all of them or none.
//!
//! First every bucket is read and charged on paper. If one refuses, nothing is written: a refusal
//! costs nobody a token. If all agree, the records are written one by one; where another worker was
//! faster, that bucket is read and charged again. Only if it then refuses are the ones before it
//! given back.

use super::set::{Charge, Charged, Place, Set, Verdict};
use super::table::Location;
use mesh_policy::store::{Store, StoreError, Version, Written, update};
use std::borrow::Cow;

/// How often a record is tried that other workers write at the same moment: each failure means that
/// another one got through. After that the host is taken to have failed.
pub(crate) const TRIES: u32 = 32;

/// A charge and where its bucket is.
#[derive(Clone, Debug)]
pub(crate) struct Reservation<'a> {
    pub(crate) limit: usize,
    pub(crate) location: Cow<'a, Location>,
    pub(crate) charge: Charge<'a>,
}

/// A charge on paper.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    set: Set,
    version: Version,
    pub(crate) charged: Charged,
    /// It stands in the store as well: written, or nothing was to be written.
    pub(crate) committed: bool,
}

impl Reservation<'_> {
    fn record(&self) -> &[u8] {
        self.location.record.as_bytes()
    }

    /// Reads the bucket and charges it on paper.
    pub(crate) fn draft(&self, store: &mut impl Store) -> Result<Draft, StoreError> {
        let snapshot = store.read(self.record())?;
        let mut set = Set::parse(snapshot.value);
        let charged = set.charge(&self.charge, snapshot.now);
        Ok(Draft { set, version: snapshot.version, charged, committed: false })
    }

    /// Writes what was charged on paper; reads and charges again as often as others are faster, and
    /// stops at a refusal.
    pub(crate) fn commit(&self, draft: &mut Draft, store: &mut impl Store) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            if !draft.charged.changed
                || store.write(self.record(), draft.set.record(), draft.version)? == Written::Done
            {
                draft.committed = true;
                return Ok(());
            }
            *draft = self.draft(store)?;
        }
        Err(StoreError::Contention)
    }

    /// Writes down what a refusal has changed, if it has: a level was clipped. If others are faster, the
    /// next request does it; to charge again here could take tokens for a request that is refused.
    pub(crate) fn note_refusal(&self, draft: &Draft, store: &mut impl Store) {
        if draft.charged.changed {
            let _unless_others_were_faster = store.write(self.record(), draft.set.record(), draft.version);
        }
    }

    /// Puts back what a charge has taken.
    pub(crate) fn give_back(&self, place: &Place, store: &mut impl Store) -> Result<(), StoreError> {
        update(store, self.record(), TRIES, |record, now| {
            let mut set = Set::parse(record.map(<[u8]>::to_vec));
            let changed = set.give_back(&self.charge, place, now);
            (changed.then(|| set.record().to_vec()), ())
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
