//! A source in one worker, and the requests that wait for its keys.

use super::record::SHORTEST_PAUSE;
use super::source::Source;
use crate::crypto::KeySet;
use lru::LruCache;
use mesh_policy::hash;
use mesh_policy::store::{Store, StoreError};
use mesh_policy::time::Nanos;
use rustc_hash::FxBuildHasher;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

/// The keys of a provider in this worker.
#[cfg_attr(test, derive(Clone))]
pub struct Tracker {
    source: Source,
    set: Option<Rc<KeySet>>,
    /// Streams whose requests wait.
    waiting: Vec<u32>,
    /// When a missing key was last asked for, if no fetch has begun since.
    wanted: Option<Nanos>,
    /// Keys that a fetch did not find, by keyed hash of the `kid` or the token, with the time until which no request
    /// waits for them.
    absent: LruCache<u128, Nanos, FxBuildHasher>,
    key: hash::Key,
    /// [`Source::ended`] at the last look.
    ended: Nanos,
    /// Whether the waiting requests have to be woken at the next poll.
    has_news: bool,
}

/// What is missing to verify a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The key set: none was fetched yet.
    Set,
    /// The key with this `kid`.
    Key(String),
    /// The key that signed the token with this keyed hash. No candidate did, but an issuer without `kid`s, or one that
    /// reuses a `kid`, may have just published the key.
    Signer(u128),
}

/// The result of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Whether there is a new key set.
    pub changed: bool,
    /// Streams of the waiting requests to wake.
    pub woken: Vec<u32>,
    /// The current time.
    pub now: Nanos,
}

/// What a request whose key is missing has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Decide again: there is a new key set.
    Again,
    /// Wait until this time at the latest.
    Wait(Nanos),
    /// Decide with the current keys.
    Never,
}

/// Maximum number of waiting requests; each holds memory.
pub(super) const MAX_WAITING: usize = 256;
/// Maximum number of keys that are known to be absent.
const MAX_ABSENT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// How long no request waits for a key that a fetch did not find.
const ABSENT_FOR: Duration = Duration::from_secs(5);

impl Tracker {
    /// `key` is random.
    #[must_use]
    pub fn new(source: Source, key: hash::Key) -> Self {
        Self {
            source,
            set: None,
            waiting: Vec::new(),
            wanted: None,
            absent: LruCache::with_hasher(MAX_ABSENT, FxBuildHasher),
            key,
            ended: Nanos(0),
            has_news: false,
        }
    }

    /// The source of the keys.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The current key set.
    #[must_use]
    pub const fn set(&self) -> Option<&Rc<KeySet>> {
        self.set.as_ref()
    }

    /// Whether requests wait, so that the source should be polled often.
    #[must_use]
    pub const fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Polls the source: takes over a new key set, and returns the requests to wake.
    ///
    /// # Errors
    /// The shared data cannot be read.
    pub fn poll(&mut self, store: &mut impl Store) -> Result<Polled, StoreError> {
        let (changed, now) = self.look(store)?;
        let has_news = std::mem::take(&mut self.has_news);
        let woken = if has_news { std::mem::take(&mut self.waiting) } else { Vec::new() };
        Ok(Polled { changed, woken, now })
    }

    /// Acquires the fetch lease if a fetch is due and no worker holds the lease.
    ///
    /// # Errors
    /// The shared data cannot be read or written.
    pub fn acquire_lease(&mut self, store: &mut impl Store, now: Nanos) -> Result<bool, StoreError> {
        let wanted = self.wanted.is_some();
        if now < self.source.next(wanted) {
            return Ok(false);
        }
        self.source.acquire_lease(store, wanted)
    }

    /// Decides whether a request with a missing key waits. `asked` is when the request first needed the key. In any case
    /// the next fetch is brought forward, unless a recent one did not find the key.
    ///
    /// # Errors
    /// The shared data cannot be read.
    pub fn ask(
        &mut self,
        store: &mut impl Store,
        missing: &Missing,
        asked: Option<Nanos>,
    ) -> Result<Ask, StoreError> {
        let (changed, now) = self.look(store)?;
        if changed {
            return Ok(Ask::Again);
        }
        let asked = asked.unwrap_or(now);
        let hash = self.hash(missing);
        if hash.is_some_and(|hash| self.is_absent(hash, asked, now)) {
            return Ok(Ask::Never);
        }
        self.wanted = Some(now);
        let until = asked.after(self.source.remote().wait);
        // In a flood, a request does not wait for the fetch after the next one.
        let soon = if hash.is_some() { until.min(now.after(SHORTEST_PAUSE)) } else { until };
        // A fetch in progress may have begun before the key was published, but it is the earliest chance.
        let is_coming = self.source.is_fetching(now) || self.source.next(true) <= soon;
        let may_wait = now < until && is_coming && self.waiting.len() < MAX_WAITING;
        Ok(if may_wait { Ask::Wait(until) } else { Ask::Never })
    }

    /// Adds a waiting request.
    pub fn wait(&mut self, stream: u32) {
        self.waiting.push(stream);
    }

    /// Removes a waiting request. Does nothing if the stream does not wait.
    pub fn leave(&mut self, stream: u32) {
        self.waiting.retain(|waiting| *waiting != stream);
    }

    /// Looks at the source. A change sets `has_news`, so that the next poll wakes the waiting requests even if another
    /// request saw the change first.
    fn look(&mut self, store: &mut impl Store) -> Result<(bool, Nanos), StoreError> {
        let (set, now) = self.source.look(store)?;
        let ended = self.source.ended();
        let has_ended = std::mem::replace(&mut self.ended, ended) != ended;
        let changed = set.is_some_and(|set| self.take(set));
        self.wanted = self.wanted.filter(|wanted| !changed && self.source.started() < *wanted);
        self.has_news |= changed || has_ended;
        Ok((changed, now))
    }

    /// Takes over a key set. Returns false if it equals the current one.
    fn take(&mut self, mut set: KeySet) -> bool {
        if let Some(current) = &self.set {
            set.reuse(current);
            if set == **current {
                return false;
            }
        }
        self.set = Some(Rc::new(set));
        true
    }

    /// The keyed hash of a missing key; `None` if the whole set is missing.
    fn hash(&self, missing: &Missing) -> Option<u128> {
        let mut hasher = self.key.hasher();
        match missing {
            Missing::Set => return None,
            Missing::Key(id) => {
                hasher.part(b"key");
                hasher.part(id.as_bytes());
            }
            Missing::Signer(token) => {
                hasher.part(b"signer");
                hasher.part(&token.to_le_bytes());
            }
        }
        Some(hasher.finish())
    }

    /// Whether a fetch did not find the key: one that began after `asked`, or within [`ABSENT_FOR`].
    fn is_absent(&mut self, hash: u128, asked: Nanos, now: Nanos) -> bool {
        if self.absent.get(&hash).is_some_and(|until| now < *until) {
            return true;
        }
        let is_absent = asked <= self.source.answered();
        if is_absent {
            self.absent.put(hash, now.after(ABSENT_FOR));
        }
        is_absent
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> &[u32] {
        &self.waiting
    }
}
