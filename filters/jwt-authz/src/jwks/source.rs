//! One source as one worker sees it: what of it is loaded, and the lease on the next fetch.

use super::record::{State, decode_set, encode_set};
use crate::config::{Location, Remote};
use crate::crypto::{KeySet, Origin};
use policy::store::{Store, StoreError, update};
use policy::time::Nanos;
use std::rc::Rc;
use std::time::Duration;

/// A source of keys. Plugins that name the same one share what is fetched.
#[derive(Debug)]
pub struct Source {
    remote: Remote,
    state_key: Vec<u8>,
    set_key: Vec<u8>,
    /// Tells this worker's leases from the others'.
    owner: u64,
    /// The number of the set that is loaded; 0 before the first.
    loaded: u64,
    state: State,
}

/// How a worker's attempt to write a record may be outrun by others.
const TRIES: u32 = 8;
pub(super) const FIRST_COOLDOWN: Duration = Duration::from_secs(1);
/// A flood of unknown keys makes two fetches a minute in the long run.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(30);
/// After this time without a fetch a flood is over.
const QUIET: Duration = Duration::from_secs(60);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A shorter `max-age` is not honoured.
const SHORTEST_REFRESH: Duration = Duration::from_secs(10);
/// How long a leader may be silent beyond its calls' timeouts.
const GRACE: Duration = Duration::from_secs(2);

impl Source {
    /// `owner`: a random number.
    #[must_use]
    pub fn new(remote: Remote, owner: u64) -> Self {
        let (kind, path) = match &remote.location {
            Location::KeySet(path) => ("keys", path),
            Location::Discovery(path) => ("discovery", path),
        };
        let key = |record: &str| {
            // No part can hold the separator.
            let parts = [
                format!("mesh_filters.jwt_authz/{record}/{kind}").into_bytes(),
                remote.cluster.clone().into_bytes(),
                remote.host.as_bytes().to_vec(),
                path.as_bytes().to_vec(),
            ];
            parts.join(&0)
        };
        let (state_key, set_key) = (key("state"), key("set"));
        // 0 is nobody.
        Self { remote, state_key, set_key, owner: owner.max(1), loaded: 0, state: State::default() }
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
    pub fn look(&mut self, store: &mut impl Store) -> Result<(Option<Rc<KeySet>>, Nanos), StoreError> {
        let snapshot = store.read(&self.state_key)?;
        self.state = snapshot.value.as_deref().and_then(State::decode).unwrap_or_default();
        if self.state.set == self.loaded {
            return Ok((None, snapshot.now));
        }
        let record = store.read(&self.set_key)?.value.unwrap_or_default();
        // A record that is another than the state says is about to be followed by its state.
        let set = decode_set(&record)
            .filter(|(number, _)| *number == self.state.set)
            .and_then(|(_, text)| KeySet::read(text, Origin::Remote).ok());
        if set.is_some() {
            self.loaded = self.state.set;
        }
        Ok((set.map(Rc::new), snapshot.now))
    }

    /// When the last fetch had begun that has ended, as of the last look.
    #[must_use]
    pub const fn completed(&self) -> Nanos {
        self.state.completed
    }

    /// From when on an unknown key may cause a fetch, as of the last look.
    #[must_use]
    pub fn may_ask_again(&self) -> Nanos {
        self.state.may_ask_again()
    }

    /// Whether [`Source::claim`] might succeed, as of the last look.
    #[must_use]
    pub fn is_due(&self, wanted: bool, now: Nanos) -> bool {
        self.state.is_due(wanted, now)
    }

    /// Takes the next fetch upon this worker, if one is due and it is nobody else's. `wanted`: a request
    /// waits for a key that is not in the set.
    ///
    /// # Errors
    /// The host's failure.
    pub fn claim(&mut self, store: &mut impl Store, wanted: bool) -> Result<bool, StoreError> {
        let calls = match self.remote.location {
            Location::KeySet(_) => 1,
            Location::Discovery(_) => 2,
        };
        let (lease, owner) = (self.remote.timeout * calls + GRACE, self.owner);
        let claimed = update(store, &self.state_key, TRIES, |record, now| {
            let mut state = record.and_then(State::decode).unwrap_or_default();
            if !state.is_due(wanted, now) {
                return (None, false);
            }
            if state.due > now {
                let quiet = now.since(state.started) > QUIET;
                let longer = if quiet { FIRST_COOLDOWN } else { state.cooldown.saturating_mul(2) };
                state.cooldown = longer.clamp(FIRST_COOLDOWN, LONGEST_COOLDOWN);
            }
            state.owner = owner;
            state.leased_until = now.after(lease);
            state.started = now;
            (Some(state.encode()), true)
        });
        match claimed {
            // Whoever was faster fetches.
            Err(StoreError::Contention) => Ok(false),
            claimed => claimed,
        }
    }

    /// Keeps a good answer, `text`, for all workers. `max_age`: what the server says of it. `dice`: a random
    /// number, so that the proxies of a fleet do not ask at the same time.
    ///
    /// # Errors
    /// The host's failure.
    pub fn succeed(
        &mut self,
        store: &mut impl Store,
        text: &[u8],
        max_age: Option<Duration>,
        dice: u64,
    ) -> Result<(), StoreError> {
        let longest = self.remote.refresh;
        let refresh = max_age.map_or(longest, |age| age.clamp(SHORTEST_REFRESH.min(longest), longest));
        // Up to a tenth earlier.
        let earlier = u32::try_from(dice % 1024).map_or(Duration::ZERO, |dice| refresh / 10 * dice / 1024);
        let refresh = refresh.saturating_sub(earlier);
        let snapshot = store.read(&self.set_key)?;
        let kept = snapshot.value.as_deref().and_then(decode_set);
        let is_new = kept.is_none_or(|(_, kept)| kept != text);
        let number = match kept {
            Some((number, _)) if is_new => number.wrapping_add(1).max(1),
            Some((number, _)) => number,
            None => self.state.set.wrapping_add(1).max(1),
        };
        if is_new {
            // Before the state says so: a worker that reads the new state finds the new set.
            let _another_worker_was_faster =
                store.write(&self.set_key, &encode_set(number, text), snapshot.version)?;
        }
        self.end(store, |state, now| {
            if state.set != number {
                state.cooldown = FIRST_COOLDOWN;
            }
            state.set = number;
            state.failures = 0;
            state.due = now.after(refresh);
        })
    }

    /// Notes that the fetch has failed. The keys there are stay.
    ///
    /// # Errors
    /// The host's failure.
    pub fn fail(&mut self, store: &mut impl Store) -> Result<(), StoreError> {
        let longest = LONGEST_RETRY.min(self.remote.refresh);
        self.end(store, |state, now| {
            let exponent = u32::try_from(state.failures).unwrap_or(u32::MAX).min(16);
            let retry = FIRST_RETRY.saturating_mul(2u32.saturating_pow(exponent)).min(longest);
            state.failures = state.failures.saturating_add(1);
            state.due = now.after(retry);
        })
    }

    /// Ends the fetch that this worker has leased. One that was taken over in the meantime is not its own.
    fn end(&mut self, store: &mut impl Store, change: impl Fn(&mut State, Nanos)) -> Result<(), StoreError> {
        let owner = self.owner;
        update(store, &self.state_key, TRIES, |record, now| {
            let mut state = record.and_then(State::decode).unwrap_or_default();
            if state.owner != owner || state.leased_until == Nanos(0) {
                return (None, ());
            }
            change(&mut state, now);
            state.completed = state.started;
            state.leased_until = Nanos(0);
            (Some(state.encode()), ())
        })
    }
}
