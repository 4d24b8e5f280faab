//! Which keys a token is tried on, where one check is slow and several keys may have signed it.

use crate::crypto::{Key, KeySet};
use lru::LruCache;
use rustc_hash::FxBuildHasher;
use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::rc::Rc;

/// Gives keys their turns.
///
/// A request tries [`MAX_SLOW`] keys: the one that has verified last, and those that were tried the longest
/// time ago, new ones first. A request with the same token tries the next ones. So a forged token costs two
/// checks, and a good one is verified at its fourth request at the latest, unless so many others come in between
/// that what was tried is forgotten.
pub(crate) struct Turns {
    clock: u64,
    providers: Vec<Trials>,
    /// Tokens that some of their candidates have not signed, by their hashes.
    tokens: LruCache<u128, Tried, FxBuildHasher>,
}

/// The keys of a set that may have signed a token.
pub(crate) struct Candidates<'a> {
    /// The provider, by its place in the config.
    pub(crate) provider: usize,
    /// Its set.
    pub(crate) set: &'a Rc<KeySet>,
    /// At most [`KeySet::MAX_CANDIDATES`].
    pub(crate) keys: Vec<&'a Rc<Key>>,
}

impl Candidates<'_> {
    /// Whether they are there for their name: otherwise they are those without one.
    pub(crate) fn are_named(&self, id: &str) -> bool {
        self.keys.first().is_some_and(|key| key.id() == Some(id))
    }
}

/// What was tried with a provider's keys.
#[derive(Clone, Default)]
struct Trials {
    set: Option<Rc<KeySet>>,
    /// When the set was seen first.
    since: u64,
    /// One for each key of the set.
    keys: Vec<Trial>,
}

/// When a key came, when it was tried last and when it has verified last; 0 for never.
#[derive(Clone)]
struct Trial {
    key: Rc<Key>,
    came: u64,
    tried: u64,
    verified: u64,
}

/// The candidates that have not signed a token, as bits by their places.
#[derive(Clone, Copy)]
struct Tried {
    /// Of the set.
    since: u64,
    places: u8,
}

/// Most keys that a request tries.
pub(crate) const MAX_SLOW: usize = 2;
const MAX_TOKENS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
const _: () = assert!(KeySet::MAX_CANDIDATES <= u8::BITS as usize);

impl Turns {
    pub(crate) fn new(providers: usize) -> Self {
        Self {
            clock: 0,
            providers: vec![Trials::default(); providers],
            tokens: LruCache::with_hasher(MAX_TOKENS, FxBuildHasher),
        }
    }

    /// The places of the candidates whose turn it is; none if the token was tried on all of them. `token`: its
    /// hash.
    pub(crate) fn pick(&mut self, candidates: &Candidates<'_>, token: u128) -> Vec<usize> {
        let tried = self.tried(candidates, token).places;
        let Some(trials) = self.providers.get(candidates.provider) else { return Vec::new() };
        let verified = |key| trials.of(key).map_or(0, |trial| trial.verified);
        let places = || candidates.keys.iter().copied().enumerate();
        let last = places().max_by_key(|(_, key)| verified(key)).filter(|(_, key)| verified(key) > 0);
        let last = last.map(|(place, _)| place);
        let turn = |place: usize, key| {
            let (tried, came) = trials.of(key).map_or((0, 0), |trial| (trial.tried, trial.came));
            (last != Some(place), tried, Reverse(came))
        };
        // Not sorted: two of eight are looked for, and a sort is 14 KB of a module.
        let mut picked = Vec::new();
        while picked.len() < MAX_SLOW {
            let left = places().filter(|(place, _)| tried & bit(*place) == 0 && !picked.contains(place));
            let Some((next, _)) = left.min_by_key(|(place, key)| turn(*place, key)) else { break };
            picked.push(next);
        }
        picked
    }

    /// The candidate at this place has not signed the token.
    pub(crate) fn failed(&mut self, candidates: &Candidates<'_>, token: u128, place: usize) {
        let Tried { since, places } = self.tried(candidates, token);
        self.tokens.put(token, Tried { since, places: places | bit(place) });
        self.note(candidates, place, false);
    }

    /// The candidate at this place has signed a token.
    pub(crate) fn verified(&mut self, candidates: &Candidates<'_>, place: usize) {
        self.see(candidates);
        self.note(candidates, place, true);
    }

    /// Whether none of the candidates has signed the token.
    pub(crate) fn is_tried_on_all(&mut self, candidates: &Candidates<'_>, token: u128) -> bool {
        let tried = self.tried(candidates, token).places;
        (0..candidates.keys.len()).all(|place| tried & bit(place) != 0)
    }

    fn tried(&mut self, candidates: &Candidates<'_>, token: u128) -> Tried {
        let since = self.see(candidates);
        let tried = self.tokens.get(&token).filter(|tried| tried.since == since);
        tried.copied().unwrap_or(Tried { since, places: 0 })
    }

    /// Answers since when the provider has this set.
    fn see(&mut self, candidates: &Candidates<'_>) -> u64 {
        let Some(trials) = self.providers.get_mut(candidates.provider) else { return 0 };
        if trials.set.as_ref().is_none_or(|seen| !Rc::ptr_eq(seen, candidates.set)) {
            self.clock += 1;
            trials.since = self.clock;
            let before = std::mem::take(&mut trials.keys);
            let trial = |key: &Rc<Key>| {
                let same = before.iter().find(|trial| Rc::ptr_eq(&trial.key, key)).cloned();
                same.unwrap_or_else(|| Trial { key: Rc::clone(key), came: self.clock, tried: 0, verified: 0 })
            };
            trials.keys = candidates.set.keys().map(trial).collect();
            trials.set = Some(Rc::clone(candidates.set));
        }
        trials.since
    }

    fn note(&mut self, candidates: &Candidates<'_>, place: usize, is_verified: bool) {
        self.clock += 1;
        let Some(trials) = self.providers.get_mut(candidates.provider) else { return };
        let Some(key) = candidates.keys.get(place) else { return };
        if let Some(trial) = trials.keys.iter_mut().find(|trial| Rc::ptr_eq(&trial.key, key)) {
            trial.tried = self.clock;
            if is_verified {
                trial.verified = self.clock;
            }
        }
    }
}

impl Trials {
    fn of(&self, key: &Rc<Key>) -> Option<&Trial> {
        self.keys.iter().find(|trial| Rc::ptr_eq(&trial.key, key))
    }
}

fn bit(place: usize) -> u8 {
    u32::try_from(place).ok().and_then(|place| 1u8.checked_shl(place)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
