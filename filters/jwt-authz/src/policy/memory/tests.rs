//! Several configs share one bound.

use super::{ENTRY, Memory, Tokens};
use crate::policy::Verified;
use crate::policy::tests::gateway::{Gateway, bearer, token};
use serde_json::json;
use std::rc::Rc;

/// A verified token with `padding` bytes in its claims.
fn verified(padding: usize) -> Rc<Verified> {
    let gateway = Gateway::with(&json!({}), &json!({"max_token_bytes": 65536, "default": "allow"}));
    let token = token(&json!({"pad": "x".repeat(padding)}));
    gateway.decide(&bearer(token.as_bytes())).verified.unwrap()
}

fn has(tokens: &Tokens, hashes: &[u128]) -> Vec<bool> {
    hashes.iter().map(|hash| tokens.lru.borrow().tokens.contains(hash)).collect()
}

#[test]
fn the_token_that_was_used_least_recently_goes_whichever_config_it_is_of() {
    let token = verified(10);
    let memory = Memory::new(3 * (token.weight() + ENTRY));
    let (one, other) = (memory.tokens(100), memory.tokens(100));
    one.insert(1, Rc::clone(&token));
    other.insert(2, Rc::clone(&token));
    one.insert(3, Rc::clone(&token));
    assert_eq!(memory.taken(), memory.max_bytes);
    assert!(one.get(1).is_some());
    other.insert(4, Rc::clone(&token));
    assert_eq!((has(&one, &[1, 3]), has(&other, &[2, 4])), (vec![true, true], vec![false, true]));
    other.insert(5, Rc::clone(&token));
    assert_eq!((has(&one, &[1, 3]), has(&other, &[4, 5])), (vec![true, false], vec![true, true]));
    // A dropped config releases its memory.
    drop(other);
    assert_eq!(memory.taken(), memory.max_bytes / 3);
    one.insert(6, Rc::clone(&token));
    assert_eq!(has(&one, &[1, 6]), [true, true]);
    drop(one);
    assert_eq!(memory.taken(), 0);
}

/// A token larger than the bound is not cached and evicts no other.
#[test]
fn a_token_that_is_too_large() {
    let (small, large) = (verified(10), verified(10_000));
    let memory = Memory::new(large.weight() + ENTRY - 1);
    let tokens = memory.tokens(100);
    tokens.insert(1, small);
    tokens.insert(2, Rc::clone(&large));
    assert_eq!(has(&tokens, &[1, 2]), [true, false]);
    let memory = Memory::new(large.weight() + ENTRY);
    memory.tokens(100).insert(2, large);
}

#[test]
fn a_table_shrinks_with_what_is_in_it() {
    let token = verified(0);
    let memory = Memory::new(usize::MAX);
    let tokens = memory.tokens(100_000);
    for hash in 0..20_000 {
        tokens.insert(hash, Rc::clone(&token));
    }
    assert_eq!(tokens.lru.borrow().peak, 20_000);
    for hash in 0..19_990 {
        tokens.remove(hash);
    }
    assert!(tokens.lru.borrow().peak <= 4 * 64);
    assert_eq!(tokens.len(), 10);
    assert_eq!(memory.taken(), 10 * (token.weight() + ENTRY));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Configs are created, used and dropped in any order.
        #[test]
        fn the_bound_holds(
            steps in prop::collection::vec((0usize..4, 0u128..12, 0usize..5, 0u8..10), 1..300),
            room in 1usize..20, entries in 1usize..6,
        ) {
            let tokens: Vec<_> = (0..5).map(|size| verified(size * 60)).collect();
            let memory = Memory::new(room * (tokens[0].weight() + ENTRY));
            let mut configs: Vec<Option<Rc<Tokens>>> = vec![None; 4];
            // Config, hash and weight, in order of use: the most recent one is last.
            let mut model: Vec<(usize, u128, usize)> = Vec::new();
            for (config, hash, size, act) in steps {
                let cache = configs[config].get_or_insert_with(|| memory.tokens(entries));
                match act {
                    0 => {
                        configs[config] = None;
                        model.retain(|(other, ..)| *other != config);
                    }
                    1 => {
                        cache.remove(hash);
                        model.retain(|(other, key, _)| (*other, *key) != (config, hash));
                    }
                    2..=4 => {
                        let index = model.iter().position(|(other, key, _)| (*other, *key) == (config, hash));
                        prop_assert_eq!(cache.get(hash).is_some(), index.is_some());
                        if let Some(index) = index {
                            let used = model.remove(index);
                            model.push(used);
                        }
                    }
                    _ => {
                        cache.insert(hash, Rc::clone(&tokens[size]));
                        let weight = tokens[size].weight() + ENTRY;
                        if weight <= memory.max_bytes {
                            model.retain(|(other, key, _)| (*other, *key) != (config, hash));
                            model.push((config, hash, weight));
                            if model.iter().filter(|(other, ..)| *other == config).count() > entries {
                                let oldest = model.iter().position(|(other, ..)| *other == config).unwrap();
                                model.remove(oldest);
                            }
                            while model.iter().map(|(.., weight)| weight).sum::<usize>() > memory.max_bytes {
                                model.remove(0);
                            }
                        }
                    }
                }
                prop_assert!(memory.taken() <= memory.max_bytes);
                prop_assert_eq!(memory.taken(), model.iter().map(|(.., weight)| weight).sum::<usize>());
                for (config, tokens) in configs.iter().enumerate() {
                    let count = model.iter().filter(|(other, ..)| *other == config).count();
                    prop_assert_eq!(tokens.as_ref().map_or(0, |tokens| tokens.len()), count);
                }
            }
            drop(configs);
            prop_assert_eq!(memory.taken(), 0);
        }
    }
}
