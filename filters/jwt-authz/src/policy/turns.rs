//! Chooses the keys to try for a token, where checks are slow and several keys may have signed it.

use crate::crypto::{Key, KeySet};
use lru::LruCache;
use rustc_hash::FxBuildHasher;
use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::rc::Rc;

/// Takes the candidate keys in turns.
///
/// A request tries [`MAX_SLOW`] keys: the one that verified a token most recently, and those least recently tried,
/// new ones first. The next request with the same token tries the next keys. A forged token costs two checks, and a
/// valid one is verified by its fourth request at the latest, unless more than [`MAX_TOKENS`] others in between
/// evict the record of what was tried.
pub(crate) struct Turns {
    clock: u64,
    providers: Vec<Trials>,
    /// By hash of a token, the candidates that did not sign it.
    tokens: LruCache<u128, Tried, FxBuildHasher>,
}

/// The keys of a set that may have signed a token: those with its `kid`, or those without any.
pub(crate) struct Candidates<'a> {
    /// Index of the provider.
    pub(crate) provider: usize,
    pub(crate) set: &'a Rc<KeySet>,
    /// At most [`KeySet::MAX_CANDIDATES`].
    pub(crate) keys: Vec<&'a Rc<Key>>,
}

impl Candidates<'_> {
    /// Whether the candidates have this `kid`; if not, they have none.
    pub(crate) fn are_named(&self, id: &str) -> bool {
        self.keys.first().is_some_and(|key| key.id() == Some(id))
    }
}

/// The trials of a provider's keys.
#[derive(Clone, Default)]
struct Trials {
    set: Option<Rc<KeySet>>,
    /// When the set was first seen.
    since: u64,
    /// One entry for each key of the set.
    keys: Vec<Trial>,
}

/// When a key was added, last tried and last verified a token, on the logical clock; 0 for never.
#[derive(Clone)]
struct Trial {
    key: Rc<Key>,
    came: u64,
    tried: u64,
    verified: u64,
}

/// The candidates that did not sign a token.
#[derive(Clone, Copy)]
struct Tried {
    /// [`Trials::since`] of the set that was tried.
    since: u64,
    /// Indices of candidates, as a bit set.
    candidates: u8,
}

/// Maximum number of keys that a request tries if checks are slow.
pub(crate) const MAX_SLOW: usize = 2;
/// Maximum number of tokens whose trials are recorded.
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

    /// Indices of the candidates to try; empty if all were tried. `token` is the hash of the token.
    pub(crate) fn pick(&mut self, candidates: &Candidates<'_>, token: u128) -> Vec<usize> {
        let tried = self.tried(candidates, token).candidates;
        let Some(trials) = self.providers.get(candidates.provider) else { return Vec::new() };
        let verified = |key| trials.of(key).map_or(0, |trial| trial.verified);
        let indexed = || candidates.keys.iter().copied().enumerate();
        let last = indexed().max_by_key(|(_, key)| verified(key)).filter(|(_, key)| verified(key) > 0);
        let last = last.map(|(index, _)| index);
        let turn = |index: usize, key| {
            let (tried, came) = trials.of(key).map_or((0, 0), |trial| (trial.tried, trial.came));
            (last != Some(index), tried, Reverse(came))
        };
        // Two minima of at most eight keys; a sort would add 14 KB to the module.
        let mut picked = Vec::new();
        while picked.len() < MAX_SLOW {
            let left = indexed().filter(|(index, _)| tried & bit(*index) == 0 && !picked.contains(index));
            let Some((next, _)) = left.min_by_key(|(index, key)| turn(*index, key)) else { break };
            picked.push(next);
        }
        picked
    }

    /// Records that the candidate with this index did not sign the token.
    pub(crate) fn failed(&mut self, candidates: &Candidates<'_>, token: u128, index: usize) {
        let Tried { since, candidates: tried } = self.tried(candidates, token);
        self.tokens.put(token, Tried { since, candidates: tried | bit(index) });
        self.note(candidates, index, false);
    }

    /// Records that the candidate with this index signed a token.
    pub(crate) fn verified(&mut self, candidates: &Candidates<'_>, index: usize) {
        self.see(candidates);
        self.note(candidates, index, true);
    }

    /// Whether the token was tried on all candidates, and none of them signed it.
    pub(crate) fn is_tried_on_all(&mut self, candidates: &Candidates<'_>, token: u128) -> bool {
        let tried = self.tried(candidates, token).candidates;
        (0..candidates.keys.len()).all(|index| tried & bit(index) != 0)
    }

    fn tried(&mut self, candidates: &Candidates<'_>, token: u128) -> Tried {
        let since = self.see(candidates);
        let tried = self.tokens.get(&token).filter(|tried| tried.since == since);
        tried.copied().unwrap_or(Tried { since, candidates: 0 })
    }

    /// Takes over a new key set. Returns when the set was first seen.
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

    fn note(&mut self, candidates: &Candidates<'_>, index: usize, is_verified: bool) {
        self.clock += 1;
        let Some(trials) = self.providers.get_mut(candidates.provider) else { return };
        let Some(key) = candidates.keys.get(index) else { return };
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

fn bit(index: usize) -> u8 {
    u32::try_from(index).ok().and_then(|index| 1u8.checked_shl(index)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
