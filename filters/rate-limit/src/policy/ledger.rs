//! Charges several buckets in the store: all of them or none.
//!
//! First a draft is made of each charge: the record is read and changed in memory. If one bucket refuses, nothing is
//! written, so a refusal costs no tokens. Otherwise the records are written one by one. If another worker has changed
//! a record in the meantime, its draft is made again. If that bucket now refuses, the previous charges are given back.

use super::set::{Charge, Charged, ChargedLevel, Set, Verdict};
use super::table::Location;
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use mesh_policy::store::{Store, StoreError, Version, Written, update};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Maximum number of attempts to write a record that other workers write at the same time. Each failure means that
/// another worker succeeded.
pub(crate) const TRIES: u32 = 32;

/// A charge to a bucket, and the bucket's location.
#[derive(Clone, Debug)]
pub(crate) struct Reservation<'a> {
    pub(crate) limit: usize,
    pub(crate) terms: Terms,
    pub(crate) location: Cow<'a, Location>,
    pub(crate) charge: Charge<'a>,
}

/// What becomes of a request that a limit refuses, or cannot judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// `Enforce` or `Shadow`.
    pub(crate) mode: Mode,
    /// The share of refusals that are enforced.
    pub(crate) enforced: Percentage,
    /// Whether the request is refused if the bucket cannot be read or written.
    pub(crate) denies_errors: bool,
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

impl Terms {
    /// Whether a refusal is enforced. `roll` returns uniformly random numbers.
    pub(crate) fn is_enforced(self, roll: &mut dyn FnMut() -> u64) -> bool {
        self.mode == Mode::Enforce && (self.enforced == Percentage::ALL || self.enforced.holds(roll()))
    }

    /// Terms under which a request is refused if it is under one of these.
    pub(crate) fn stricter(self, other: Self) -> Self {
        match self.mode.cmp(&other.mode) {
            Ordering::Less => self,
            Ordering::Greater => other,
            Ordering::Equal => Self {
                mode: self.mode,
                enforced: self.enforced.max(other.enforced),
                denies_errors: self.denies_errors || other.denies_errors,
            },
        }
    }
}

impl Reservation<'_> {
    /// Makes this charge at least as strict as another one to the same bucket. A shadow limit refuses nobody, so it does not
    /// make an enforced one stricter.
    pub(crate) fn tighten(&mut self, other: Self) {
        match self.terms.mode.cmp(&other.terms.mode) {
            Ordering::Less => {}
            Ordering::Greater => *self = other,
            Ordering::Equal => {
                self.charge.cost = self.charge.cost.max(other.charge.cost);
                self.charge.overflow = self.charge.overflow.stricter(other.charge.overflow);
                self.terms = self.terms.stricter(other.terms);
            }
        }
    }

    /// Whether it is part of all or none.
    pub(crate) fn is_enforced(&self) -> bool {
        self.terms.mode == Mode::Enforce
    }

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
