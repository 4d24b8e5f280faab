//! A source and the requests of one worker that wait for its keys.

use super::source::Source;
use crate::crypto::KeySet;
use lru::LruCache;
use policy::hash;
use policy::store::{Store, StoreError};
use policy::time::Nanos;
use rustc_hash::FxBuildHasher;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

/// The keys of a provider in this worker.
pub struct Tracker {
    source: Source,
    set: Option<Rc<KeySet>>,
    waiting: Vec<Waiting>,
    /// Requests do not wait, but one would have.
    nudged: bool,
    /// Keys that a fetch has not found, by a keyed hash of their names, with the instant until which no
    /// request waits for them.
    absent: LruCache<u128, Nanos, FxBuildHasher>,
    key: hash::Key,
    seen: Nanos,
}

/// A request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    stream: u32,
    /// For a key that the set does not have; else for the first set.
    for_key: bool,
}

/// What a look at the source has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// There is another set.
    pub changed: bool,
    /// A fetch has ended since the last look.
    pub completed: bool,
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
const MOST_WAITING: usize = 256;
const MOST_ABSENT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// How long a key that a fetch has not found is not asked for again.
const ABSENT_FOR: Duration = Duration::from_secs(5);

impl Tracker {
    /// `owner`, `key`: random.
    #[must_use]
    pub fn new(source: Source, key: hash::Key) -> Self {
        Self {
            source,
            set: None,
            waiting: Vec::new(),
            nudged: false,
            absent: LruCache::with_hasher(MOST_ABSENT, FxBuildHasher),
            key,
            seen: Nanos(0),
        }
    }

    /// The source.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The source, to end a fetch.
    pub const fn source_mut(&mut self) -> &mut Source {
        &mut self.source
    }

    /// The keys there are.
    #[must_use]
    pub const fn set(&self) -> Option<&Rc<KeySet>> {
        self.set.as_ref()
    }

    /// Whether somebody waits: then it pays to look often.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        !self.waiting.is_empty() || self.nudged
    }

    /// Looks at the source, and takes a set that is new.
    ///
    /// # Errors
    /// The host's failure.
    pub fn poll(&mut self, store: &mut impl Store) -> Result<(Polled, Nanos), StoreError> {
        let (set, now) = self.source.look(store)?;
        let completed = self.source.completed() != std::mem::replace(&mut self.seen, self.source.completed());
        let changed = set.is_some();
        if changed {
            self.set = set;
            self.absent.clear();
        }
        Ok((Polled { changed, completed }, now))
    }

    /// Takes the next fetch upon this worker if it is due.
    ///
    /// # Errors
    /// The host's failure.
    pub fn claim(&mut self, store: &mut impl Store, now: Nanos) -> Result<bool, StoreError> {
        let wanted = self.nudged || self.waiting.iter().any(|waiting| waiting.for_key);
        if !self.source.is_due(wanted, now) {
            return Ok(false);
        }
        let claimed = self.source.claim(store, wanted)?;
        self.nudged &= !claimed;
        Ok(claimed)
    }

    /// A request needs a key that is not there, or any set at all. It has needed it since `asked`.
    ///
    /// # Errors
    /// The host's failure.
    pub fn ask(
        &mut self,
        store: &mut impl Store,
        key_id: Option<&str>,
        asked: Option<Nanos>,
    ) -> Result<Ask, StoreError> {
        let (polled, now) = self.poll(store)?;
        if polled.changed {
            return Ok(Ask::Again);
        }
        let asked = asked.unwrap_or(now);
        let until = asked.after(self.source.remote().wait);
        if let Some(id) = key_id {
            let hash = self.hash(id);
            if self.absent.get(&hash).is_some_and(|until| now < *until) {
                return Ok(Ask::Never);
            }
            if self.source.completed() >= asked {
                self.absent.put(hash, now.after(ABSENT_FOR));
                return Ok(Ask::Never);
            }
            if self.source.may_ask_again() > until {
                return Ok(Ask::Never);
            }
        }
        let may_wait = until > now && self.waiting.len() < MOST_WAITING;
        Ok(if may_wait { Ask::Wait(until) } else { Ask::Never })
    }

    /// A request that does not wait would have a fetch begin.
    pub const fn nudge(&mut self) {
        self.nudged = true;
    }

    /// A request waits.
    pub fn wait(&mut self, stream: u32, for_key: bool) {
        self.waiting.push(Waiting { stream, for_key });
    }

    /// A request waits no longer.
    pub fn leave(&mut self, stream: u32) {
        self.waiting.retain(|waiting| waiting.stream != stream);
    }

    /// All that wait, who are to look again.
    pub fn take_waiting(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.waiting).into_iter().map(|waiting| waiting.stream).collect()
    }

    fn hash(&self, id: &str) -> u128 {
        let mut hasher = self.key.hasher();
        hasher.part(id.as_bytes());
        hasher.finish()
    }
}
