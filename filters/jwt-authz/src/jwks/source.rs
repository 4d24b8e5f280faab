//! One source as one worker sees it: what of it is loaded, and the lease on the next fetch.

use super::record::{State, decode_set, encode_set};
use crate::config::{Location, Remote};
use crate::crypto::{KeySet, Origin};
use mesh_policy::store::{Store, StoreError, Written, update};
use mesh_policy::time::Nanos;
use std::time::Duration;

/// A source of keys. Plugins that name the same one share what is fetched.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Source {
    remote: Remote,
    state_key: Vec<u8>,
    set_key: Vec<u8>,
    /// Tells this worker's leases from the others'.
    owner: u64,
    /// The state's number of the set when the set's record was last read.
    read: Option<u64>,
    /// The number of the set that is loaded. It may be ahead of the state's, whose writer is a moment
    /// behind or has gone silent between the two.
    loaded: Option<u64>,
    state: State,
}

/// How often a worker's attempt to write a record may be outrun by others.
const TRIES: u32 = 8;
/// A shorter `max-age` is not honoured.
const SHORTEST_REFRESH: Duration = Duration::from_secs(10);
/// How long a leader may be silent beyond its calls' timeouts.
const GRACE: Duration = Duration::from_secs(2);
/// The layout of the records, which outlive the module that wrote them. It is in their names: of two modules
/// that serve side by side, each would take the other's record for none, and fetch.
const LAYOUT: &str = "mesh_filters.jwt_authz/1";

impl Source {
    /// `owner`: a random number.
    #[must_use]
    pub fn new(remote: Remote, owner: u64) -> Self {
        let (kind, path) = match &remote.location {
            Location::KeySet(path) => ("keys", path),
            Location::Discovery(path) => ("discovery", path),
        };
        let key = |record: &str| {
            // Unambiguous: behind the cluster no part can hold the separator.
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

    /// Where it is.
    #[must_use]
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Looks how things stand, and answers the key set if it is another than before. Also answers the
    /// clock.
    ///
    /// # Errors
    /// The host's failure.
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

    /// When the last fetch had begun, as of the last look.
    #[must_use]
    pub const fn started(&self) -> Nanos {
        self.state.started
    }

    /// When the last fetch had ended, as of the last look.
    #[must_use]
    pub const fn ended(&self) -> Nanos {
        self.state.ended
    }

    /// When the last fetch that has brought a set had begun, as of the last look.
    #[must_use]
    pub const fn answered(&self) -> Nanos {
        self.state.answered
    }

    /// Whether no fetch has ended yet, as of the last look.
    #[must_use]
    pub fn is_first_try(&self) -> bool {
        self.state.ended == Nanos(0)
    }

    /// Whether somebody fetches, as of the last look.
    #[must_use]
    pub fn is_fetching(&self, now: Nanos) -> bool {
        self.state.is_fetching(now)
    }

    /// From when on [`Source::claim`] may succeed, as of the last look. `wanted`: a request needs a key that
    /// is not in the set.
    #[must_use]
    pub fn next(&self, wanted: bool) -> Nanos {
        self.state.next(wanted, self.remote.refresh)
    }

    /// Takes the next fetch upon this worker, if it is time and it is nobody else's.
    ///
    /// # Errors
    /// The host's failure.
    pub fn claim(&mut self, store: &mut impl Store, wanted: bool) -> Result<bool, StoreError> {
        let calls = match self.remote.location {
            Location::KeySet(_) => 1,
            Location::Discovery(_) => 2,
        };
        let (lease, owner, refresh) = (self.remote.timeout * calls + GRACE, self.owner, self.remote.refresh);
        let claimed = update(store, &self.state_key, TRIES, |record, now| {
            let mut state = record.and_then(State::decode).unwrap_or_default();
            if now < state.next(wanted, refresh) {
                return (None, false);
            }
            state.begin(owner, lease, refresh, now);
            (Some(state.encode()), true)
        });
        match claimed {
            // Whoever was faster fetches.
            Err(StoreError::Contention) => Ok(false),
            claimed => claimed,
        }
    }

    /// Keeps a good answer, `text`, for all workers. `max_age`: what the server says of it. `roll`: a random
    /// number, so that the proxies of a fleet do not ask at the same time. Answers whether it is another one
    /// than before.
    ///
    /// # Errors
    /// The host's failure.
    pub fn succeed(
        &self,
        store: &mut impl Store,
        text: &[u8],
        max_age: Option<Duration>,
        roll: u64,
    ) -> Result<bool, StoreError> {
        let longest = self.remote.refresh;
        let refresh = max_age.map_or(longest, |age| age.clamp(SHORTEST_REFRESH.min(longest), longest));
        // Up to a tenth earlier.
        let earlier = u32::try_from(roll % 1024).map_or(Duration::ZERO, |roll| refresh / 10 * roll / 1024);
        let refresh = refresh.saturating_sub(earlier);
        // Before the state says so: a worker that reads the new state finds the new set.
        let Some((number, is_new)) = self.keep(store, text)? else { return Ok(false) };
        self.end(store, |state, now| state.succeed(number, refresh, now))?;
        Ok(is_new)
    }

    /// Notes that the fetch has failed. The keys there are stay.
    ///
    /// # Errors
    /// The host's failure.
    pub fn fail(&self, store: &mut impl Store) -> Result<(), StoreError> {
        // Usually the state's; not if the leader before has gone silent between its two writes.
        let kept = store.read(&self.set_key)?.value;
        let number = kept.as_deref().and_then(decode_set).map(|(number, _)| number);
        self.end(store, |state, now| {
            state.set = number.unwrap_or(state.set);
            state.fail(self.remote.refresh, now);
        })
    }

    /// Writes the set's record, unless the fetch was taken over. Answers the set's number, and whether it is
    /// a new one.
    ///
    /// The record is read first and the lease after it. Whoever takes the lease over later writes later, so
    /// that either his write makes this one fail or he sees it: a worker that was asleep never replaces a
    /// newer set. For that, a set is written even if it is the one that is there.
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

    /// Ends the fetch that this worker has leased. One that was taken over in the meantime is not its own.
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
