//! The order in which keys are tried.

use super::{Candidates, MAX_SLOW, Turns};
use crate::crypto::{Algorithm, KeySet};
use crate::policy::tests::gateway::{secret, set};
use serde_json::Value as Json;
use std::rc::Rc;

fn keys(names: &[usize]) -> Rc<KeySet> {
    let keys: Vec<Json> = names.iter().map(|name| secret(&format!("key {name}"))).collect();
    Rc::new(set(&Json::Array(keys)))
}

fn candidates(set: &Rc<KeySet>) -> Candidates<'_> {
    Candidates { provider: 0, set, keys: set.candidates(None, Algorithm::Hs256).collect() }
}

/// A request with a token that `signer`, or no key, has signed. Returns the indices of the keys that were tried.
fn come(turns: &mut Turns, set: &Rc<KeySet>, token: u128, signer: Option<usize>) -> Vec<usize> {
    let candidates = candidates(set);
    let picked = turns.pick(&candidates, token);
    for (count, index) in (1..).zip(&picked) {
        if Some(*index) == signer {
            turns.verified(&candidates, *index);
            return picked[..count].to_vec();
        }
        turns.failed(&candidates, token, *index);
    }
    picked
}

#[test]
fn the_one_that_has_verified_last_and_the_others_in_turn() {
    let (mut turns, set) = (Turns::new(1), keys(&[0, 1, 2, 3, 4]));
    assert_eq!(come(&mut turns, &set, 1, None), [0, 1]);
    assert_eq!(come(&mut turns, &set, 2, None), [2, 3]);
    assert_eq!(come(&mut turns, &set, 3, None), [4, 0]);
    assert_eq!(come(&mut turns, &set, 4, Some(2)), [1, 2]);
    assert_eq!(come(&mut turns, &set, 5, None), [2, 3]);
    assert_eq!(come(&mut turns, &set, 6, None), [2, 4]);
    assert_eq!(come(&mut turns, &set, 7, None), [2, 0]);
    assert_eq!(come(&mut turns, &set, 8, Some(1)), [2, 1]);
    assert_eq!(come(&mut turns, &set, 9, Some(1)), [1]);
    assert_eq!(come(&mut turns, &set, 10, None), [1, 3]);
}

#[test]
fn who_comes_again_gets_the_next_ones() {
    let (mut turns, set) = (Turns::new(1), keys(&[0, 1, 2, 3, 4]));
    assert_eq!(come(&mut turns, &set, 1, None), [0, 1]);
    assert_eq!(come(&mut turns, &set, 9, Some(0)), [2, 3]);
    for (expected, is_all) in [(&[4, 2][..], false), (&[3], true), (&[], true), (&[], true)] {
        assert_eq!(come(&mut turns, &set, 1, None), expected);
        assert_eq!(turns.is_tried_on_all(&candidates(&set), 1), is_all);
    }
    // A new key set resets what was tried.
    let other = keys(&[3, 4, 5]);
    assert!(!turns.is_tried_on_all(&candidates(&other), 1));
    assert_eq!(come(&mut turns, &other, 1, None).len(), 2);
}

/// A request that waited for a new set needs its new key.
#[test]
fn a_new_key_comes_first() {
    let set = keys(&[0, 1, 2, 3]);
    let (mut turns, mut newer) = (Turns::new(1), (*keys(&[0, 1, 2, 3, 4])).clone());
    for token in 1..10 {
        come(&mut turns, &set, token, Some(3));
    }
    newer.reuse(&set);
    let newer = Rc::new(newer);
    assert_eq!(come(&mut turns, &newer, 50, Some(4)), [3, 4]);
    assert_eq!(come(&mut turns, &newer, 51, Some(4)), [4]);
    // Also if the other keys were never tried.
    let mut turns = Turns::new(1);
    assert_eq!(come(&mut turns, &set, 1, None), [0, 1]);
    assert_eq!(come(&mut turns, &newer, 2, None), [4, 2]);
}

#[test]
fn providers_do_not_disturb_each_other() {
    let (mut turns, set) = (Turns::new(2), keys(&[0, 1, 2]));
    assert_eq!(come(&mut turns, &set, 1, None), [0, 1]);
    let other = Candidates { provider: 1, ..candidates(&set) };
    assert_eq!(turns.pick(&other, 2), [0, 1]);
    turns.verified(&other, 1);
    assert_eq!(come(&mut turns, &set, 3, None), [2, 0]);
}

/// Clients choose the tokens, so the number of recorded ones is bounded.
#[test]
fn the_tokens_that_are_remembered_are_bounded() {
    let (mut turns, set) = (Turns::new(1), keys(&[0, 1, 2]));
    for token in 0..5000 {
        come(&mut turns, &set, token, None);
    }
    assert_eq!(turns.tokens.len(), 1024);
    assert_eq!(turns.providers[0].keys.len(), 3);
    for version in 0..20 {
        let other = keys(&[version, version + 1, version + 2]);
        come(&mut turns, &other, 1, None);
    }
    assert!(turns.providers[0].keys.len() <= 3);
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A valid token is verified by its fourth request at the latest, whatever few others come in between. No request
        /// tries more than two keys, and no token is tried twice on a key.
        #[test]
        fn a_good_token_is_verified(
            count in 1usize..=8, signer in 0usize..8,
            between in prop::collection::vec((0u128..30, prop::option::of(0usize..8)), 0..120),
        ) {
            let (mut turns, set) = (Turns::new(1), keys(&(0..count).collect::<Vec<_>>()));
            let signer = signer % count;
            // Each token has one signer.
            let signers: Vec<_> = (0..30).map(|token| between.iter().find(|(other, _)| *other == token)).collect();
            let mut tried = vec![Vec::new(); 30];
            let mut requests = 0;
            for chunk in between.chunks(30).chain(std::iter::repeat_n(&[][..], 4)) {
                for (token, _) in chunk {
                    let of = signers[*token as usize].and_then(|(_, signer)| *signer).filter(|signer| *signer < count);
                    let picked = come(&mut turns, &set, *token, of);
                    prop_assert!(picked.len() <= MAX_SLOW);
                    for index in picked {
                        prop_assert!(Some(index) == of || !tried[*token as usize].contains(&index));
                        tried[*token as usize].push(index);
                    }
                }
                requests += 1;
                if come(&mut turns, &set, 1000, Some(signer)).contains(&signer) {
                    prop_assert!(requests <= count.div_ceil(MAX_SLOW));
                    return Ok(());
                }
            }
            prop_assert!(false, "never verified");
        }
    }
}
