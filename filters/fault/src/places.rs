//! How many streams the plugin holds, and how many requests it has in flight, over all workers.
//!
//! A place is what a stream needs to be held. Places are bounded exactly: each VM has an entry with the number of places
//! that it holds in one record of the proxy's shared data, and takes a place by compare-and-swap. An entry always has the
//! VM's own number, never a difference, so that a write that fails, or is made again, changes nothing else.
//!
//! Requests in flight are counted in gauges, without shared data. A VM counts only while it knows that it has an entry.
//!
//! A VM renews its entry. One that was not renewed for 8 s belongs to a VM that was lost. The VM that removes it also
//! takes from the gauges what that VM had added. If that VM was only slow, it finds its entry gone, and adds its numbers
//! again.
//!
//! The gauges are exact whenever no call is running, if a call that begins or ends a request takes less than a second. No
//! gauge becomes negative. If a VM is lost within a call, a gauge may stay too high by what that call has changed.

mod gauges;
mod local;
mod record;

pub use gauges::{Gauge, Gauges};
pub use record::SLOTS;

use local::Local;
use mesh_policy::store::{Store, StoreError, update};
use mesh_policy::time::Nanos;
use record::{Entry, Lost, Record};
use std::cell::Cell;
use std::time::Duration;

/// Time between two calls of [`Places::renew`].
pub const RENEWAL: Duration = Duration::from_secs(2);
/// A VM whose entry is older renews it before it counts a request.
const FRESH: Duration = Duration::from_secs(3);
/// A VM whose entry is older, and cannot be renewed, changes no gauge: another VM may be about to remove the entry.
const SURE: Duration = Duration::from_secs(7);
/// Number of attempts to change the record.
const TRIES: u32 = 32;

/// The places and the requests in flight of a plugin, as one VM sees them. All configs of the plugin in a VM share it.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub struct Places {
    record: String,
    owner: u64,
    local: Cell<Local>,
}

/// Why a VM changes its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To take a place, of at most so many.
    Take(Option<u32>),
    /// To write its numbers.
    Keep,
    /// To write its numbers, or to remove the entry if it holds nothing.
    Renew,
}

/// A change of the record.
#[derive(Debug)]
struct Change {
    /// Whether a place is taken.
    taken: bool,
    /// The own entry afterwards.
    entry: Option<Entry>,
    /// The entries of lost VMs that are removed.
    lost: Vec<Lost>,
    is_written: bool,
}

impl Places {
    /// A VM that holds nothing. `record` is the name of the plugin's record; another version of the format needs another
    /// name. `owner` is a random number that identifies the VM.
    #[must_use]
    pub fn new(record: String, owner: u64) -> Self {
        Self { record, owner, local: Cell::default() }
    }

    /// Takes a place if fewer than `max` are taken; `None` is no bound. Returns whether it is taken.
    ///
    /// There is also no place if [`SLOTS`] other VMs hold something.
    ///
    /// # Errors
    /// The store fails. No place is taken.
    pub fn take(
        &self,
        max: Option<u32>,
        store: &mut impl Store,
        gauges: &mut impl Gauges,
    ) -> Result<bool, StoreError> {
        self.change(Purpose::Take(max), store, gauges)
    }

    /// Gives back a place that was taken. If the store fails, the next call that writes the record corrects it.
    pub fn give_back(&self, store: &mut impl Store, gauges: &mut impl Gauges) {
        let mut local = self.local.get();
        local.held = local.held.saturating_sub(1);
        self.local.set(local);
        let _later = self.change(Purpose::Keep, store, gauges);
    }

    /// Counts a request that begins. Returns how many others are in flight; `None` if that cannot be known now.
    pub fn begin(&self, now: Nanos, store: &mut impl Store, gauges: &mut impl Gauges) -> Option<u64> {
        let mut local = self.local.get();
        local.in_flight = local.in_flight.saturating_add(1);
        self.local.set(local);
        if !self.count(now, store, gauges) {
            return None;
        }
        let all = gauges.get(Gauge::InFlight)?.cast_signed();
        u64::try_from(all.saturating_sub(1)).ok().or(Some(0))
    }

    /// Counts the end of a request that has begun.
    pub fn end(&self, now: Nanos, store: &mut impl Store, gauges: &mut impl Gauges) {
        let mut local = self.local.get();
        local.in_flight = local.in_flight.saturating_sub(1);
        self.local.set(local);
        // Without an entry nothing of this VM is in the gauges.
        if local.entry.is_some() {
            self.count(now, store, gauges);
        }
    }

    /// Keeps what this VM holds, and frees what lost VMs held. To be called every [`RENEWAL`] from the first call of another
    /// method on, until it returns `false`; and once when a VM has started more than 8 s ago, for the VM that it replaces.
    ///
    /// Returns whether this VM still holds something, or the store has failed.
    pub fn renew(&self, store: &mut impl Store, gauges: &mut impl Gauges) -> bool {
        self.change(Purpose::Renew, store, gauges).is_err() || self.local.get().holds()
    }

    /// Brings the gauges in line with the requests of this VM. Returns whether they are.
    fn count(&self, now: Nanos, store: &mut impl Store, gauges: &mut impl Gauges) -> bool {
        if !self.local.get().is_renewed(now, FRESH) {
            let _tried = self.change(Purpose::Keep, store, gauges);
        }
        let mut local = self.local.get();
        let is_sure = local.is_renewed(now, SURE);
        if is_sure {
            local.count(gauges);
            self.local.set(local);
        }
        is_sure
    }

    /// Writes the own entry, and removes those of lost VMs. Returns whether a place is taken.
    fn change(
        &self,
        purpose: Purpose,
        store: &mut impl Store,
        gauges: &mut impl Gauges,
    ) -> Result<bool, StoreError> {
        let mut local = self.local.get();
        let change = update(store, self.record.as_bytes(), TRIES, |bytes, now| {
            let before = Record::read(bytes, now);
            local.found(before.of(self.owner));
            let (change, record) = self.plan(purpose, &before, &local, now, gauges);
            if !change.is_written {
                return (None, change);
            }
            // Before the write, since afterwards another VM may remove the entry, and subtract it.
            local.show(change.entry.map_or(0, |entry| entry.held), gauges);
            (Some(record.to_bytes()), change)
        });
        if let Ok(change) = &change {
            for lost in &change.lost {
                gauges.add(Gauge::Active, -i64::from(lost.held));
                local::subtract(lost.slot, lost.in_flight, gauges);
            }
            local.held = local.held.saturating_add(change.taken.into());
            local.entry = change.entry;
            if change.is_written {
                local.count(gauges);
            }
        }
        local.hide(gauges);
        self.local.set(local);
        change.map(|change| change.taken)
    }

    /// What is to become of a record, and the record afterwards.
    fn plan(
        &self,
        purpose: Purpose,
        before: &Record,
        local: &Local,
        now: Nanos,
        gauges: &mut impl Gauges,
    ) -> (Change, Record) {
        let mut record = before.clone();
        let own = record.take(self.owner);
        // The gauges are read before the write. A VM that is only slow must renew its entry before it changes them, and then
        // the write conflicts.
        let lost = record.remove_lost(now, |slot| gauges.get(Gauge::InFlightOf(slot)));
        let slot = own.map(|own| own.slot).or_else(|| record.free_slot());
        let held = u64::from(local.held).saturating_add(record.held(now));
        let taken = match purpose {
            Purpose::Take(max) => slot.is_some() && max.is_none_or(|max| held < u64::from(max)),
            Purpose::Keep | Purpose::Renew => false,
        };
        let held = local.held.saturating_add(taken.into());
        let is_kept = held > 0 || local.has_requests() || (own.is_some() && purpose != Purpose::Renew);
        let entry = slot.filter(|_| is_kept);
        let entry = entry.map(|slot| Entry { slot, owner: self.owner, renewed: now, held });
        if let Some(entry) = entry {
            record.put(entry);
        }
        // A refusal alone is no reason to write.
        let is_refused = matches!(purpose, Purpose::Take(_)) && !taken;
        let is_same = lost.is_empty() && own.map(|own| own.held) == entry.map(|entry| entry.held);
        let is_written = record != *before && !(is_refused && is_same);
        let entry = if is_written { entry } else { own };
        (Change { taken, entry, lost, is_written }, record)
    }
}

#[cfg(test)]
mod tests;
