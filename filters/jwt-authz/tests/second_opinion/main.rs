//! A second opinion: `jsonwebtoken` signs tokens, and judges generated and mutated ones beside the filter.
//!
//! The two may differ only as [`differences`] says. `jsonwebtoken` verifies with AWS-LC, the filter with
//! RustCrypto, so the signatures are judged twice as well.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is its purpose"
)]

mod comparison;
mod differences;
mod edit;
mod issuer;
mod keys;
mod ours;
mod theirs;
mod token;
mod verdict;

use comparison::Comparison;
use differences::DIFFERENCES;
use edit::{Edit, edit};
use issuer::{AUDIENCE, ISSUER, SUBJECT};
use jsonwebtoken::{Header, get_current_timestamp};
use keys::ALGORITHMS;
use mesh_testkit::cases;
use ours::Filter;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use token::Token;

#[test]
fn what_jsonwebtoken_signs_is_accepted() {
    let filter = Filter::new();
    for algorithm in ALGORITHMS {
        let now = get_current_timestamp();
        let claims = json!({"iss": ISSUER, "aud": [AUDIENCE], "sub": SUBJECT, "iat": now, "exp": now + 60});
        let header = Header { kid: Some(keys::id(algorithm).to_owned()), ..Header::new(algorithm) };
        let token = jsonwebtoken::encode(&header, &claims, &keys::private(algorithm)).unwrap();
        assert_eq!(filter.verdict(token.as_bytes(), now), Ok(()), "{algorithm:?}");
        assert_eq!(theirs::verdict(token.as_bytes()), Ok(()), "{algorithm:?}");
    }
}

/// Each entry's example shows its difference and no other.
#[test]
fn each_difference_is_as_the_table_says() {
    let filter = Filter::new();
    for difference in &DIFFERENCES {
        let comparison = Comparison::of(&filter, |now| {
            let mut token = Token::new(difference.algorithm, now);
            difference.example.iter().for_each(|edit| edit.apply(&mut token));
            token
        });
        assert_eq!(comparison.explanations(), [difference.name], "{}: {comparison:#?}", difference.because);
    }
}

fn algorithm() -> impl Strategy<Value = jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm::{ES256, EdDSA, HS256};
    // Those that are fast to check in a debug build, more often.
    prop_oneof![3 => select(vec![HS256, ES256, EdDSA]), 1 => select(ALGORITHMS.to_vec())]
}

thread_local! {
    static FILTER: Filter = Filter::new();
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn both_agree_but_for_the_known_differences(
        algorithm in algorithm(),
        edits in prop::collection::vec(edit(), 0..4),
    ) {
        let comparison = FILTER.with(|filter| Comparison::of(filter, |now| {
            let mut token = Token::new(algorithm, now);
            edits.iter().for_each(|edit: &Edit| edit.apply(&mut token));
            token
        }));
        prop_assert!(!edits.is_empty() || comparison.ours.is_ok(), "{:#?}", comparison);
        prop_assert!(comparison.is_agreed() || !comparison.explanations().is_empty(), "{:#?}", comparison);
    }
}
