//! A source of keys in one worker: the loaded key set, and the lease on the next fetch.

use super::record::{State, decode_set, encode_set};
use crate::config::{Location, Remote};
use crate::crypto::{KeySet, Origin};
use mesh_policy::store::{Store, StoreError, Written, update};
use mesh_policy::time::Nanos;
use std::time::Duration;

/// A source of keys. Plugins with the same source share its key set.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Source {
    remote: Remote,
    state_key: Vec<u8>,
    set_key: Vec<u8>,
    /// Identifies the leases of this worker.
    owner: u64,
    /// The set number in the state when the set's record was last read.
    read: Option<u64>,
    /// The number of the loaded set. It is ahead of the state's while a fetch is between its two writes, or if its
    /// worker stopped there.
    loaded: Option<u64>,
    state: State,
}

/// Maximum number of attempts to write a record if other workers write it at the same time.
const TRIES: u32 = 8;
/// Minimum time between refreshes; a shorter `max-age` is raised to it.
const SHORTEST_REFRESH: Duration = Duration::from_secs(10);
/// Duration of a lease beyond the timeouts of its calls.
const GRACE: Duration = Duration::from_secs(2);
/// Version of the record layout. Records outlive the module that wrote them. The version is part of their names, so
/// that modules with different layouts do not overwrite each other's records.
const LAYOUT: &str = "mesh_filters.jwt_authz/1";

impl Source {
    /// `owner` is a random number.
    #[must_use]
    pub fn new(remote: Remote, owner: u64) -> Self {
        let (kind, path) = match &remote.location {
            Location::KeySet(path) => ("keys", path),
            Location::Discovery(path) => ("discovery", path),
        };
        let key = |record: &str| {
            // Unambiguous: only the cluster may contain the separator, and it comes before the others.
            let parts = [
                format!("{LAYOUT}/{record}/{kind}").into_bytes(),
                remote.cluster.clone().into_bytes(),
                remote.host.as_bytes().to_vec(),
                path.as_bytes().to_vec(),
            ];
            parts.join(&0)
        };
        let (state_key, set_key) = (key("state"), key("set"));
        Self { remote, state_key, set_key, owner, read: None, loaded: None, state: State::default() }
    }

    /// Location and timing of the source.
    #[must_use]
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Reads the state, and the key set if there is a new one, which it returns with the current time.
    ///
    /// # Errors
    /// The shared data cannot be read.
    pub fn look(&mut self, store: &mut impl Store) -> Result<(Option<KeySet>, Nanos), StoreError> {
        let (state, now) = self.state(store)?;
        self.state = state;
        if self.read == Some(state.set) {
            return Ok((None, now));
        }
        let record = store.read(&self.set_key)?.value;
        self.read = Some(state.set);
        let Some((number, text)) = record.as_deref().and_then(decode_set) else { return Ok((None, now)) };
        if self.loaded == Some(number) {
            return Ok((None, now));
        }
        let set = KeySet::read(text, Origin::Remote).ok();
        if set.is_some() {
            self.loaded = Some(number);
        }
        Ok((set, now))
    }

    /// When the last fetch began, as of the last look.
    #[must_use]
    pub const fn started(&self) -> Nanos {
        self.state.started
    }

    /// When the last fetch ended, as of the last look.
    #[must_use]
    pub const fn ended(&self) -> Nanos {
        self.state.ended
    }

    /// When the last successful fetch began, as of the last look.
    #[must_use]
    pub const fn answered(&self) -> Nanos {
        self.state.answered
    }

    /// Whether no fetch has ended yet, as of the last look.
    #[must_use]
    pub fn is_first_try(&self) -> bool {
        self.state.ended == Nanos(0)
    }

    /// Whether a fetch is in progress, as of the last look.
    #[must_use]
    pub fn is_fetching(&self, now: Nanos) -> bool {
        self.state.is_fetching(now)
    }

    /// The earliest time at which [`Source::acquire_lease`] may succeed, as of the last look. `wanted` says that a
    /// request needs a key that is not in the set.
    #[must_use]
    pub fn next(&self, wanted: bool) -> Nanos {
        self.state.next(wanted, self.remote.refresh)
    }

    /// Acquires the fetch lease if a fetch is due and no worker holds the lease.
    ///
    /// # Errors
    /// The shared data cannot be read or written.
    pub fn acquire_lease(&mut self, store: &mut impl Store, wanted: bool) -> Result<bool, StoreError> {
        let calls = match self.remote.location {
            Location::KeySet(_) => 1,
            Location::Discovery(_) => 2,
        };
        let (lease, owner, refresh) = (self.remote.timeout * calls + GRACE, self.owner, self.remote.refresh);
        let acquired = update(store, &self.state_key, TRIES, |record, now| {
            let mut state = record.and_then(State::decode).unwrap_or_default();
            if now < state.next(wanted, refresh) {
                return (None, false);
            }
            state.begin(owner, lease, refresh, now);
            (Some(state.encode()), true)
        });
        match acquired {
            // Another worker was faster.
            Err(StoreError::Contention) => Ok(false),
            acquired => acquired,
        }
    }

    /// Stores the fetched key set `text` for all workers, and schedules the next fetch. `max_age` is from the response;
    /// `roll` is a random number that spreads the fetches of many proxies. Returns whether the text is new.
    ///
    /// # Errors
    /// The shared data cannot be read or written.
    pub fn succeed(
        &self,
        store: &mut impl Store,
        text: &[u8],
        max_age: Option<Duration>,
        roll: u64,
    ) -> Result<bool, StoreError> {
        let longest = self.remote.refresh;
        let refresh = max_age.map_or(longest, |age| age.clamp(SHORTEST_REFRESH.min(longest), longest));
        // Up to 10% earlier.
        let earlier = u32::try_from(roll % 1024).map_or(Duration::ZERO, |roll| refresh / 10 * roll / 1024);
        let refresh = refresh.saturating_sub(earlier);
        // The set is written before the state, so a worker that reads the new state finds the new set.
        let Some((number, is_new)) = self.keep(store, text)? else { return Ok(false) };
        self.end(store, |state, now| state.succeed(number, refresh, now))?;
        Ok(is_new)
    }

    /// Records that the fetch failed. The key set is kept.
    ///
    /// # Errors
    /// The shared data cannot be read or written.
    pub fn fail(&self, store: &mut impl Store) -> Result<(), StoreError> {
        // Usually the number in the state, unless the previous lease holder stopped between its two writes.
        let kept = store.read(&self.set_key)?.value;
        let number = kept.as_deref().and_then(decode_set).map(|(number, _)| number);
        self.end(store, |state, now| {
            state.set = number.unwrap_or(state.set);
            state.fail(self.remote.refresh, now);
        })
    }

    /// Writes the set's record, unless another worker has taken over the lease. Returns the set's number, and whether
    /// the set is new.
    ///
    /// The record is read before the lease. A worker that takes over the lease later also writes later: either its write
    /// makes this one fail, or it sees this one. So a delayed worker never replaces a newer set. This requires that a set
    /// is written even if it is unchanged.
    fn keep(&self, store: &mut impl Store, text: &[u8]) -> Result<Option<(u64, bool)>, StoreError> {
        for _ in 0..TRIES {
            let kept = store.read(&self.set_key)?;
            let (state, _) = self.state(store)?;
            if !state.is_of(self.owner) {
                return Ok(None);
            }
            let (number, is_new) = match kept.value.as_deref().and_then(decode_set) {
                Some((number, same)) if same == text => (number, false),
                Some((number, _)) => (number.max(state.set).saturating_add(1), true),
                None => (state.set.saturating_add(1), true),
            };
            if store.write(&self.set_key, &encode_set(number, text), kept.version)? == Written::Done {
                return Ok(Some((number, is_new)));
            }
        }
        Err(StoreError::Contention)
    }

    /// Ends this worker's fetch. Does nothing if another worker has taken over the lease.
    fn end(&self, store: &mut impl Store, change: impl Fn(&mut State, Nanos)) -> Result<(), StoreError> {
        update(store, &self.state_key, TRIES, |record, now| {
            let mut state = record.and_then(State::decode).unwrap_or_default();
            if !state.is_of(self.owner) {
                return (None, ());
            }
            change(&mut state, now);
            (Some(state.encode()), ())
        })
    }

    #[cfg(test)]
    pub(super) const fn owner(&self) -> u64 {
        self.owner
    }

    fn state(&self, store: &mut impl Store) -> Result<(State, Nanos), StoreError> {
        let snapshot = store.read(&self.state_key)?;
        Ok((snapshot.value.as_deref().and_then(State::decode).unwrap_or_default(), snapshot.now))
    }
}
