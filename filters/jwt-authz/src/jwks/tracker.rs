//! A source and the requests of one worker that wait for its keys.

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
    /// Requests that wait, by their streams.
    waiting: Vec<u32>,
    /// Since when a key is missing and no fetch has begun.
    wanted: Option<Nanos>,
    /// Keys that a fetch has not found, by a keyed hash of their names or of the token that they have signed,
    /// with the instant until which no request waits for them.
    absent: LruCache<u128, Nanos, FxBuildHasher>,
    key: hash::Key,
    /// When the fetch had ended that was the last one at the last look.
    ended: Nanos,
    /// Something has happened that those who wait were not told.
    has_news: bool,
}

/// What a token needs and the set does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Any key: there is no set yet.
    Set,
    /// The key of this name.
    Key(String),
    /// The key that has signed the token of this keyed hash. None of the set has: an issuer that names no
    /// keys, or a new key like the one before, may have published it a moment ago.
    Signer(u128),
}

/// What a look at the source has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// There is another set.
    pub changed: bool,
    /// Those who waited and are to look again.
    pub woken: Vec<u32>,
    /// The clock.
    pub now: Nanos,
}

/// What becomes of a request whose key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// There is another set: it is to be judged again.
    Again,
    /// It may wait until this instant.
    Wait(Nanos),
    /// It is to be judged with the keys there are.
    Never,
}

/// Who waits holds memory: beyond this nobody does.
pub(super) const MAX_WAITING: usize = 256;
const MAX_ABSENT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// How long a key that a fetch has not found is not asked for again.
const ABSENT_FOR: Duration = Duration::from_secs(5);

impl Tracker {
    /// `key`: random.
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

    /// The source.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The keys there are.
    #[must_use]
    pub const fn set(&self) -> Option<&Rc<KeySet>> {
        self.set.as_ref()
    }

    /// Whether somebody waits: then it pays to look often.
    #[must_use]
    pub const fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Looks at the source, takes a set that is new, and answers who is to be told.
    ///
    /// # Errors
    /// The host's failure.
    pub fn poll(&mut self, store: &mut impl Store) -> Result<Polled, StoreError> {
        let (changed, now) = self.look(store)?;
        let has_news = std::mem::take(&mut self.has_news);
        let woken = if has_news { std::mem::take(&mut self.waiting) } else { Vec::new() };
        Ok(Polled { changed, woken, now })
    }

    /// Takes the next fetch upon this worker if it is time.
    ///
    /// # Errors
    /// The host's failure.
    pub fn claim(&mut self, store: &mut impl Store, now: Nanos) -> Result<bool, StoreError> {
        let wanted = self.wanted.is_some();
        if now < self.source.next(wanted) {
            return Ok(false);
        }
        self.source.claim(store, wanted)
    }

    /// A request needs a key that is not there. It has needed it since `asked`. Whatever becomes of it, the key
    /// is fetched if a fetch may find it.
    ///
    /// # Errors
    /// The host's failure.
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
        // In a flood nobody is kept waiting for the fetch after the next one.
        let soon = if hash.is_some() { until.min(now.after(SHORTEST_PAUSE)) } else { until };
        // A fetch that has begun before may have missed the key, but is the best there is.
        let is_coming = self.source.is_fetching(now) || self.source.next(true) <= soon;
        let may_wait = now < until && is_coming && self.waiting.len() < MAX_WAITING;
        Ok(if may_wait { Ask::Wait(until) } else { Ask::Never })
    }

    /// A request waits.
    pub fn wait(&mut self, stream: u32) {
        self.waiting.push(stream);
    }

    /// A request waits no longer.
    pub fn leave(&mut self, stream: u32) {
        self.waiting.retain(|waiting| *waiting != stream);
    }

    /// Those who wait are told at the next poll: a request that looks in between must not take the news away
    /// from them.
    fn look(&mut self, store: &mut impl Store) -> Result<(bool, Nanos), StoreError> {
        let (set, now) = self.source.look(store)?;
        let ended = self.source.ended();
        let has_ended = std::mem::replace(&mut self.ended, ended) != ended;
        let changed = set.is_some_and(|set| self.take(set));
        self.wanted = self.wanted.filter(|wanted| !changed && self.source.started() < *wanted);
        self.has_news |= changed || has_ended;
        Ok((changed, now))
    }

    /// Takes a set that was read, unless it has nothing but what is there.
    fn take(&mut self, mut set: KeySet) -> bool {
        if let Some(own) = &self.set {
            set.reuse(own);
            if set == **own {
                return false;
            }
        }
        self.set = Some(Rc::new(set));
        true
    }

    /// `None` where any key will do.
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

    /// Whether a fetch has not found the key: one that began after the request had come, or a short while ago.
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
