//! Bounds the memory of all token caches of a VM.

use super::verified::Verified;
use lru::LruCache;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::{Rc, Weak};

/// The memory that all configs of a VM share for cached tokens. While an old config drains, the new one is already
/// in use; a bound per config would not limit their sum.
#[derive(Debug)]
pub struct Memory {
    max_bytes: usize,
    taken: Cell<usize>,
    /// Logical clock that orders uses across configs.
    clock: Cell<u64>,
    configs: RefCell<Vec<Weak<Tokens>>>,
}

/// The cached tokens of one config. Dropping it releases their memory.
#[derive(Debug)]
pub(crate) struct Tokens {
    memory: Rc<Memory>,
    max_entries: usize,
    lru: RefCell<Lru>,
}

#[derive(Debug)]
struct Lru {
    tokens: LruCache<u128, Entry, FxBuildHasher>,
    /// Memory of the tokens, in bytes.
    taken: usize,
    /// Largest number of tokens since the table was last resized.
    peak: usize,
}

#[derive(Debug)]
struct Entry {
    verified: Rc<Verified>,
    weight: usize,
    used: u64,
}

/// Memory of an entry in addition to the token, in bytes: a node of the LRU list and a part of the table. A table has
/// room for up to twice its entries, and is shrunk when it has room for eight times as many.
const ENTRY: usize =
    super::weight::allocated(size_of::<u128>() + size_of::<Entry>() + 2 * size_of::<usize>())
        + 10 * (2 * size_of::<usize>() + 1);
/// Tables up to this size are not shrunk.
const SMALL: usize = 64;

impl Memory {
    /// `max_bytes` bounds the memory of all tokens.
    #[must_use]
    pub fn new(max_bytes: usize) -> Rc<Self> {
        Rc::new(Self { max_bytes, taken: Cell::new(0), clock: Cell::new(0), configs: RefCell::default() })
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.get()
    }

    /// A cache for one config.
    pub(crate) fn tokens(self: &Rc<Self>, max_entries: usize) -> Rc<Tokens> {
        let tokens = LruCache::unbounded_with_hasher(FxBuildHasher);
        let lru = RefCell::new(Lru { tokens, taken: 0, peak: 0 });
        let tokens = Rc::new(Tokens { memory: Rc::clone(self), max_entries, lru });
        if let Ok(mut configs) = self.configs.try_borrow_mut() {
            configs.retain(|config| config.strong_count() > 0);
            configs.push(Rc::downgrade(&tokens));
        }
        tokens
    }

    fn next_use(&self) -> u64 {
        let clock = self.clock.get() + 1;
        self.clock.set(clock);
        clock
    }

    fn give_back(&self, bytes: usize) {
        self.taken.set(self.taken.get().saturating_sub(bytes));
    }

    /// Evicts the least recently used tokens of all configs until the bound is kept.
    fn make_room(&self) {
        let Ok(configs) = self.configs.try_borrow() else { return };
        while self.taken.get() > self.max_bytes {
            let oldest = configs.iter().filter_map(Weak::upgrade).filter_map(|tokens| {
                let used = tokens.lru.try_borrow().ok()?.tokens.peek_lru().map(|(_, entry)| entry.used)?;
                Some((used, tokens))
            });
            let Some((_, tokens)) = oldest.min_by_key(|(used, _)| *used) else { return };
            tokens.forget_oldest();
        }
    }
}

impl Tokens {
    /// The token with this hash. Marks it as used.
    pub(crate) fn get(&self, hash: u128) -> Option<Rc<Verified>> {
        let mut lru = self.lru.try_borrow_mut().ok()?;
        let entry = lru.tokens.get_mut(&hash)?;
        entry.used = self.memory.next_use();
        Some(Rc::clone(&entry.verified))
    }

    pub(crate) fn insert(&self, hash: u128, verified: Rc<Verified>) {
        let weight = verified.weight() + ENTRY;
        if weight > self.memory.max_bytes {
            return;
        }
        self.remove(hash);
        if let Ok(mut lru) = self.lru.try_borrow_mut() {
            lru.taken += weight;
            self.memory.taken.set(self.memory.taken.get() + weight);
            lru.tokens.put(hash, Entry { verified, weight, used: self.memory.next_use() });
            lru.peak = lru.peak.max(lru.tokens.len());
        }
        while self.len() > self.max_entries {
            self.forget_oldest();
        }
        self.memory.make_room();
    }

    pub(crate) fn remove(&self, hash: u128) {
        self.forget(|tokens| tokens.pop(&hash));
    }

    pub(crate) fn len(&self) -> usize {
        self.lru.try_borrow().map_or(0, |lru| lru.tokens.len())
    }

    fn forget_oldest(&self) {
        self.forget(|tokens| tokens.pop_lru().map(|(_, entry)| entry));
    }

    fn forget(&self, take: impl FnOnce(&mut LruCache<u128, Entry, FxBuildHasher>) -> Option<Entry>) {
        let Ok(mut lru) = self.lru.try_borrow_mut() else { return };
        let Some(entry) = take(&mut lru.tokens) else { return };
        lru.taken -= entry.weight;
        self.memory.give_back(entry.weight);
        lru.shrink();
    }
}

impl Lru {
    fn shrink(&mut self) {
        let len = self.tokens.len();
        if self.peak <= SMALL || len > self.peak / 4 {
            return;
        }
        // Only a change of capacity makes the table shrink. Neither capacity is ever reached.
        let unbounded = NonZeroUsize::MAX;
        let other = NonZeroUsize::MIN.saturating_add(usize::MAX / 2);
        self.tokens.resize(if self.tokens.cap() == unbounded { other } else { unbounded });
        self.peak = len;
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        self.memory.give_back(self.lru.get_mut().taken);
    }
}

#[cfg(test)]
mod tests;
