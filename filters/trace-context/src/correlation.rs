//! The table that correlates inbound requests with the outbound calls that they cause: the headers of each inbound
//! request, by the request's [`Id`].
//!
//! The table has a fixed number of sets, each a record in the proxy's shared data with up to eight entries. A set is
//! changed by compare-and-swap, so an entry always has the headers of one call of [`Table::store`]. If a set is full, the
//! entries that have expired give way, otherwise the oldest one.
//!
//! All configs of a plugin share the table. An entry has the time to live of the config that stored it. A config with
//! another capacity looks for most ids in another set, so entries of the earlier one are no longer found after a push.
//!
//! The table takes at most [`Settings::capacity`] times ([`Settings::max_entry_bytes`] + 200) bytes, with the names of the
//! records and what the proxy needs for each, if the names of plugin and block have up to 300 bytes together. A record cannot be deleted, so after a
//! push it keeps its size until it is written again.

mod entry;
mod headers;
mod id;
mod seeded;
mod set;

pub use entry::Entry;
pub use headers::Headers;
pub use id::Id;
pub use seeded::Seeded;

use mesh_policy::hash::Key;
use mesh_policy::headers::HeaderName;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Store, StoreError, update};
use mesh_policy::table::{Names, scaled};
use set::{Set, WAYS};
use std::time::Duration;

/// The table and the version of its records.
const LAYOUT: &str = "mf.tc1";
/// Number of attempts to change a record.
const TRIES: u32 = 32;

/// The bounds of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long an entry is found.
    pub ttl: Duration,
    /// Maximum number of entries, rounded down to a multiple of 8; less than 8 count as 8.
    pub capacity: u32,
    /// Maximum length of a header's value.
    pub max_value_bytes: u16,
    /// Maximum size of an entry: for each header its name, its value and 4 bytes.
    pub max_entry_bytes: u16,
}

/// The table of a scope.
#[derive(Clone, Debug)]
pub struct Table {
    names: Names,
    settings: Settings,
    sets: u64,
    seed: Key,
}

/// What became of the headers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Whether an entry gave way that had not expired.
    pub evicted: bool,
    /// Number of values that are too long to be stored, plus one if the entry was not stored because of its size.
    pub too_large: usize,
}

impl Table {
    /// The table of a scope. All workers need the same seed.
    #[must_use]
    fn new(scope: &Scope, settings: Settings, seed: Key) -> Self {
        let sets = (u64::from(settings.capacity) / WAYS as u64).max(1);
        Self { names: Names::new(LAYOUT, scope), settings, sets, seed }
    }

    /// Stores the headers of a request in place of those that were stored under its id before. A name may occur several
    /// times.
    ///
    /// If a value is too long, all headers of its name are left out, and `tracestate` with `traceparent`. If the rest is too
    /// large, or is empty, there is no entry: nothing is found under the id afterwards.
    ///
    /// # Errors
    /// The store fails. What was stored under the id before may still be found.
    pub fn store(
        &self,
        id: Id<'_>,
        headers: &[(&HeaderName, &[u8])],
        store: &mut impl Store,
    ) -> Result<Stored, StoreError> {
        let Settings { ttl, max_value_bytes, max_entry_bytes, .. } = self.settings;
        let packed = headers::pack(headers, max_value_bytes, max_entry_bytes);
        let evicted = update(store, self.record(id).as_bytes(), TRIES, |record, now| {
            let set = Set::read(record);
            match &packed.headers {
                Some(headers) => {
                    let (record, evicted) = set.with(id, headers, now.after(ttl), now);
                    (Some(record), evicted)
                }
                None => (set.without(id, now), false),
            }
        })?;
        Ok(Stored { evicted, too_large: packed.too_large })
    }

    /// What was stored under an id, unless it has expired or given way.
    ///
    /// # Errors
    /// The store fails.
    pub fn find(&self, id: Id<'_>, store: &mut impl Store) -> Result<Option<Entry>, StoreError> {
        let snapshot = store.read(self.record(id).as_bytes())?;
        let Some(record) = snapshot.value else { return Ok(None) };
        let headers = Set::read(Some(&record)).find(id, snapshot.now);
        Ok(headers.map(|headers| Entry::new(record, headers)))
    }

    /// The name of the record that has the entry of an id.
    fn record(&self, id: Id<'_>) -> String {
        let mut hasher = self.seed.hasher();
        hasher.part(id.bytes());
        let (low, _) = hasher.finish_halves();
        self.names.set(scaled(low, self.sets))
    }
}

#[cfg(test)]
mod tests;
