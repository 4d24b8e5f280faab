//! Signatures made by OpenSSL verify, and modified ones do not.

use super::super::{Algorithm, in_host, in_vm};
use super::vectors::{Vector, bytes, set_of, vector};
use serde_json::{Map, Value};

fn file() -> Value {
    serde_json::from_str(include_str!("vectors/foreign.json")).unwrap()
}

fn vectors(file: &Value, list: &str) -> Vec<Vector> {
    let entries = file[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            let key = entry["key"].as_str().unwrap();
            let name = entry.get("because").unwrap_or(&entry["key"]);
            vector(name, entry, &file["keys"][key], &file["message"])
        })
        .collect()
}

/// Valid signatures, at least one for each algorithm.
pub(in crate::crypto) fn right() -> Vec<Vector> {
    vectors(&file(), "right")
}

/// The keys, two of each type.
pub(in crate::crypto) fn keys() -> Vec<Map<String, Value>> {
    file()["keys"].as_object().unwrap().values().map(|key| key.as_object().unwrap().clone()).collect()
}

#[test]
fn right_ones_verify() {
    let vectors = right();
    for vector in &vectors {
        assert!(vector.verifies(), "{}", vector.name);
    }
    for algorithm in Algorithm::ALL {
        assert!(vectors.iter().any(|vector| vector.algorithm == algorithm), "{algorithm:?}");
    }
}

#[test]
fn almost_right_ones_do_not() {
    let vectors = vectors(&file(), "wrong");
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        assert!(!vector.verifies(), "{}", vector.name);
    }
}

#[test]
fn not_with_a_bit_flipped() {
    for mut vector in right() {
        for index in [0, vector.signature.len() / 2, vector.signature.len() - 1] {
            vector.signature[index] ^= 1;
            assert!(!vector.verifies(), "{}: byte {index} of the signature", vector.name);
            vector.signature[index] ^= 1;
        }
        for index in [0, vector.message.len() - 1] {
            vector.message[index] ^= 1;
            assert!(!vector.verifies(), "{}: byte {index} of the message", vector.name);
            vector.message[index] ^= 1;
        }
        assert!(vector.verifies(), "{}: as it was", vector.name);
    }
}

#[test]
fn not_longer_or_shorter() {
    for mut vector in right() {
        vector.signature.push(0);
        assert!(!vector.verifies(), "{}: a byte more", vector.name);
        vector.signature.pop();
        vector.signature.insert(0, 0);
        assert!(!vector.verifies(), "{}: a leading zero", vector.name);
        vector.signature.remove(0);
        vector.signature.pop();
        assert!(!vector.verifies(), "{}: a byte less", vector.name);
        vector.signature.clear();
        assert!(!vector.verifies(), "{}: empty", vector.name);
    }
}

#[test]
fn not_as_another_algorithm() {
    for vector in right() {
        for algorithm in Algorithm::ALL {
            assert_eq!(
                in_vm::verify(algorithm, &vector.key, &vector.message, &vector.signature),
                algorithm == vector.algorithm,
                "{} as {algorithm:?}",
                vector.name
            );
        }
    }
}

#[test]
fn not_with_another_key() {
    let file = file();
    let keys = file["keys"].as_object().unwrap();
    for vector in vectors(&file, "right") {
        let mut of_the_type = 0;
        for (name, jwk) in keys {
            let set = set_of(jwk);
            for key in set.candidates(None, vector.algorithm).filter(|key| **key != vector.key) {
                of_the_type += 1;
                let verified = in_vm::verify(vector.algorithm, key, &vector.message, &vector.signature);
                assert!(!verified, "{} with {name}", vector.name);
            }
        }
        assert!(of_the_type > 0, "{}", vector.name);
    }
}

/// Algorithm confusion: a public key must not be accepted as an HMAC secret.
#[test]
fn a_public_key_is_no_secret() {
    for vector in right().iter().filter(|vector| !vector.algorithm.is_symmetric()) {
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            assert!(!vector.key.fits(algorithm), "{}", vector.name);
        }
    }
}

#[test]
fn openssl_writes_the_same_public_keys() {
    let file = file();
    let written = file["spki"].as_object().unwrap();
    assert_eq!(written.len(), 5);
    for (name, spki) in written {
        let set = set_of(&file["keys"][name]);
        let key = Algorithm::ALL.into_iter().find_map(|algorithm| set.candidates(None, algorithm).next());
        assert_eq!(key.unwrap().spki(), bytes(spki), "{name}");
    }
}

#[test]
fn the_host_is_asked_about_what_it_knows() {
    for vector in right() {
        let argument = in_host::argument(vector.algorithm, &vector.key, &vector.message, &vector.signature);
        let expected = ["RS256", "RS384", "RS512", "ES256", "ES384"].contains(&vector.algorithm.name());
        assert_eq!(argument.is_some(), expected, "{}", vector.name);
    }
}
