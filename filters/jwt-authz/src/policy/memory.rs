//! What the configs of a VM remember together.

use super::verified::Verified;
use lru::LruCache;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::{Rc, Weak};

/// The memory that all configs of a VM share for tokens. While a config drains, the next one serves: each of
/// them alone would keep to its bound, and all of them together would not.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    taken: Cell<usize>,
    /// Counts uses, so that those of several configs can be told apart.
    clock: Cell<u64>,
    configs: RefCell<Vec<Weak<Tokens>>>,
}

/// The tokens of one config. What they take is given back with them.
#[derive(Debug)]
pub(crate) struct Tokens {
    memory: Rc<Memory>,
    most: usize,
    lru: RefCell<Lru>,
}

#[derive(Debug)]
struct Lru {
    tokens: LruCache<u128, Entry, FxBuildHasher>,
    /// What they take.
    taken: usize,
    /// Most of them since the table was made.
    peak: usize,
}

#[derive(Debug)]
struct Entry {
    verified: Rc<Verified>,
    weight: usize,
    used: u64,
}

/// What an entry takes beside the token: its place in the list of uses, and its part of the table. A table has
/// room for up to twice as many, and shrinks when it has room for eight times as many.
const ENTRY: usize =
    super::weight::allocated(size_of::<u128>() + size_of::<Entry>() + 2 * size_of::<usize>())
        + 10 * (2 * size_of::<usize>() + 1);
/// A smaller table is not worth shrinking.
const SMALL: usize = 64;

impl Memory {
    /// With a bound, in bytes.
    #[must_use]
    pub fn new(most: usize) -> Rc<Self> {
        Rc::new(Self { most, taken: Cell::new(0), clock: Cell::new(0), configs: RefCell::default() })
    }

    /// What is taken, in bytes.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.get()
    }

    /// Room for the tokens of a config, so many at most.
    pub(crate) fn tokens(self: &Rc<Self>, most: usize) -> Rc<Tokens> {
        let tokens = LruCache::unbounded_with_hasher(FxBuildHasher);
        let lru = RefCell::new(Lru { tokens, taken: 0, peak: 0 });
        let tokens = Rc::new(Tokens { memory: Rc::clone(self), most, lru });
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

    /// Forgets the tokens that were used the longest time ago, of whichever config.
    fn make_room(&self) {
        let Ok(configs) = self.configs.try_borrow() else { return };
        while self.taken.get() > self.most {
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
    /// The token of this hash, which is used now.
    pub(crate) fn get(&self, hash: u128) -> Option<Rc<Verified>> {
        let mut lru = self.lru.try_borrow_mut().ok()?;
        let entry = lru.tokens.get_mut(&hash)?;
        entry.used = self.memory.next_use();
        Some(Rc::clone(&entry.verified))
    }

    pub(crate) fn insert(&self, hash: u128, verified: Rc<Verified>) {
        let weight = verified.weight() + ENTRY;
        if weight > self.memory.most {
            return;
        }
        self.remove(hash);
        if let Ok(mut lru) = self.lru.try_borrow_mut() {
            lru.taken += weight;
            self.memory.taken.set(self.memory.taken.get() + weight);
            lru.tokens.put(hash, Entry { verified, weight, used: self.memory.next_use() });
            lru.peak = lru.peak.max(lru.tokens.len());
        }
        while self.len() > self.most {
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
        // The only way to have the table shrink is another capacity; this one is never reached either.
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
