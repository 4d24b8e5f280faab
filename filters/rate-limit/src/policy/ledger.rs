//! Charges several buckets in the store: all of them or none.
//!
//! First a draft is made of each charge: the record is read and changed in memory. If one bucket refuses, nothing is
//! written, so a refusal costs no tokens. Otherwise the records are written one by one. If another worker has changed
//! a record in the meantime, its draft is made again. If that bucket now refuses, the previous charges are given back.

use super::set::{Charge, Charged, ChargedLevel, Set, Verdict};
use super::table::Location;
use mesh_policy::store::{Store, StoreError, Version, Written, update};
use std::borrow::Cow;

/// Maximum number of attempts to write a record that other workers write at the same time. Each failure means that
/// another worker succeeded.
pub(crate) const TRIES: u32 = 32;

/// A charge to a bucket, and the bucket's location.
#[derive(Clone, Debug)]
pub(crate) struct Reservation<'a> {
    pub(crate) limit: usize,
    pub(crate) location: Cow<'a, Location>,
    pub(crate) charge: Charge<'a>,
}

/// A charge that is computed, but not yet written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    set: Set,
    version: Version,
    pub(crate) charged: Charged,
    /// Whether the store has the charge, or there was nothing to write.
    pub(crate) committed: bool,
}

impl Reservation<'_> {
    fn record(&self) -> &[u8] {
        self.location.record.as_bytes()
    }

    /// Reads the bucket and computes the charge.
    pub(crate) fn draft(&self, store: &mut impl Store) -> Result<Draft, StoreError> {
        let snapshot = store.read(self.record())?;
        let mut set = Set::parse(snapshot.value);
        let charged = set.charge(&self.charge, snapshot.now);
        Ok(Draft { set, version: snapshot.version, charged, committed: false })
    }

    /// Writes the draft. If another worker has changed the record, makes the draft again; stops at a refusal.
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

    /// Writes the level if the refusal has clipped it. If another worker has changed the record, this is left to the next
    /// request, as another draft could take tokens for a refused request.
    pub(crate) fn note_refusal(&self, draft: &Draft, store: &mut impl Store) {
        if draft.charged.changed {
            let _unless_others_were_faster = store.write(self.record(), draft.set.record(), draft.version);
        }
    }

    /// Gives back the tokens of a charge.
    pub(crate) fn give_back(&self, level: &ChargedLevel, store: &mut impl Store) -> Result<(), StoreError> {
        update(store, self.record(), TRIES, |record, now| {
            let mut set = Set::parse(record.map(<[u8]>::to_vec));
            let changed = set.give_back(&self.charge, level, now);
            (changed.then(|| set.record().to_vec()), ())
        })
    }
}

impl Charged {
    /// Whether this bucket admits the request.
    pub(crate) const fn admits(&self) -> bool {
        matches!(self.verdict, Verdict::Admitted { .. } | Verdict::Unmetered)
    }

    /// Whether no slot was free for the bucket.
    pub(crate) const fn overflowed(&self) -> bool {
        !matches!(self.level, ChargedLevel::Slot(_))
    }
}
