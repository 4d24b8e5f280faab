//! Properties for arbitrary bytes: nothing panics, and only the valid signature verifies.

use super::super::protobuf;
use super::super::{Algorithm, KeySet, Origin, in_host, in_vm};
use super::foreign;
use super::vectors::Vector;
use mesh_testkit::cases;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// A valid signature.
fn vector() -> impl Strategy<Value = Vector> {
    let count = foreign::right().len();
    (0..count).prop_map(|index| foreign::right().swap_remove(index))
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    select(Algorithm::ALL.to_vec())
}

/// Values of members of a key, valid or not.
fn member() -> impl Strategy<Value = Value> {
    let known = foreign::keys().into_iter().flatten().map(|(_, value)| value);
    prop_oneof![
        4 => select(known.collect::<Vec<Value>>()),
        1 => "[A-Za-z0-9_-]{0,90}".prop_map(Value::from),
        1 => select(vec![json!(null), json!(7), json!(["verify"]), json!("sig"), json!("RS256")]),
    ]
}

/// A valid key with up to two members replaced.
fn jwk() -> impl Strategy<Value = Value> {
    let names = ["kty", "crv", "x", "y", "n", "e", "k", "use", "key_ops", "alg", "kid", "d"];
    let changes = prop::collection::vec((select(names.to_vec()), member()), 0..3);
    (select(foreign::keys()), changes).prop_map(|(mut jwk, changes)| {
        jwk.extend(changes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(jwk)
    })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn no_other_signature_verifies(mut vector in vector(), index: Index, change in 1u8..) {
        let index = index.index(vector.signature.len());
        vector.signature[index] ^= change;
        prop_assert!(!vector.verifies());
    }

    #[test]
    fn no_other_message_verifies(mut vector in vector(), index: Index, change in 1u8..) {
        let index = index.index(vector.message.len());
        vector.message[index] ^= change;
        prop_assert!(!vector.verifies());
    }

    #[test]
    fn no_bytes_verify(
        vector in vector(),
        algorithm in algorithm(),
        message: Vec<u8>,
        signature in prop_oneof![any::<Vec<u8>>(), prop::collection::vec(any::<u8>(), 32..=512)],
    ) {
        prop_assert!(!in_vm::verify(algorithm, &vector.key, &message, &signature));
        // With the length of a valid signature, which passes more checks.
        let mut fitted = signature;
        fitted.resize(vector.signature.len(), 0);
        prop_assert!(!in_vm::verify(vector.algorithm, &vector.key, &message, &fitted));
    }

    #[test]
    fn a_signature_with_a_part_of_one_byte_only_does_not_verify(vector in vector(), byte: u8, from: Index, to: Index) {
        let Vector { algorithm, key, message, mut signature, .. } = vector;
        let (from, to) = (from.index(signature.len()), to.index(signature.len()));
        let before = signature.clone();
        signature[from.min(to)..=from.max(to)].fill(byte);
        prop_assert_eq!(in_vm::verify(algorithm, &key, &message, &signature), signature == before);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_a_set(bytes: Vec<u8>, text in "[{}\\[\\]\",:a-z0-9]{0,40}") {
        for origin in [Origin::Inline, Origin::Remote] {
            prop_assert!(KeySet::read(&bytes, origin).is_err());
            prop_assert!(KeySet::read(text.as_bytes(), origin).is_err());
        }
    }

    #[test]
    fn any_key_is_read_and_used(keys in prop::collection::vec(jwk(), 0..4), signature: Vec<u8>) {
        let list = json!({"keys": keys});
        for origin in [Origin::Inline, Origin::Remote] {
            let Ok(set) = KeySet::from_json(&list, origin) else { continue };
            prop_assert_eq!(set.len() + set.skipped().len(), keys.len());
            for algorithm in Algorithm::ALL {
                for key in set.candidates(None, algorithm) {
                    prop_assert!(set.contains(key));
                    prop_assert!(key.fits(algorithm));
                    prop_assert!(!(origin == Origin::Remote && algorithm.is_symmetric()));
                    prop_assert!(!in_vm::verify(algorithm, key, b"message", &signature));
                    // It may be well-formed.
                    let _ = in_host::argument(algorithm, key, b"message", &signature);
                }
            }
        }
    }

    /// The result is positive only if the bytes have a field that says so.
    #[test]
    fn any_bytes_are_read_as_an_answer(bytes: Vec<u8>) {
        let said = protobuf::fields(&bytes).flatten().any(|field| matches!(field, (1, protobuf::Value::Number(1..))));
        prop_assert!(in_host::read_answer(&bytes) != Some(true) || said);
    }

    #[test]
    fn an_argument_reads_as_it_was_written(vector in vector(), message: Vec<u8>) {
        let Some(argument) = in_host::argument(vector.algorithm, &vector.key, &message, &vector.signature) else {
            return Ok(());
        };
        let fields: Option<Vec<_>> = protobuf::fields(&argument).collect();
        let fields = fields.unwrap();
        let numbers: Vec<u64> = fields.iter().map(|(number, _)| *number).collect();
        prop_assert_eq!(numbers, [1, 2, 3, 4]);
        prop_assert_eq!(fields[1].1, protobuf::Value::Bytes(vector.key.spki()));
        prop_assert_eq!(fields[3].1, protobuf::Value::Bytes(&message));
    }
}
