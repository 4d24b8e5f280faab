//! The usable keys of a set, and the candidates for a token.

use super::{KeySet, KeySetError, Origin};
use crate::crypto::{Algorithm, Key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::rc::Rc;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn edwards(id: Option<&str>) -> Value {
    let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
    if let Some(id) = id {
        jwk["kid"] = id.into();
    }
    jwk
}

fn secret(id: Option<&str>, byte: u8) -> Value {
    let mut jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode([byte; 64])});
    if let Some(id) = id {
        jwk["kid"] = id.into();
    }
    jwk
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::from_json(&json!({"keys": keys}), Origin::Inline).unwrap()
}

#[track_caller]
fn check_error(bytes: &[u8], expected: &str) {
    assert_eq!(KeySet::read(bytes, Origin::Remote).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_no_set() {
    for text in ["{}", "[]", "7", r#"{"keys": {}}"#, r#"{"keys": null}"#, r#"{"kty": "OKP"}"#] {
        check_error(text.as_bytes(), "expected an object with an array `keys`");
    }
    check_error(br#"{"keys": []}"#, "no key can be used");
    check_error(br#"{"keys": [7, {}]}"#, "no key can be used: keys[0]: expected an object");
    for text in [b"".as_slice(), b"<html>", b"{\"keys\": [\xff]}", br#"{"keys": []} {"#] {
        let error = KeySet::read(text, Origin::Remote).unwrap_err();
        assert!(matches!(error, KeySetError::NotJson(_)), "{error}");
    }
}

/// Parsers differ in which of the two counts.
#[test]
fn a_member_that_is_there_twice() {
    for text in [
        format!(r#"{{"keys": [], "keys": [{}]}}"#, edwards(None)),
        format!(r#"{{"keys": [{{"kty": "oct", "kty": "OKP", "crv": "Ed25519", "x": "{X}"}}]}}"#),
    ] {
        let error = KeySet::read(text.as_bytes(), Origin::Remote).unwrap_err();
        assert!(matches!(error, KeySetError::NotJson(_)), "{error}");
    }
}

#[test]
fn the_other_keys_serve() {
    let set = set(&[json!({"kty": "new"}), edwards(Some("a")), json!(7)]);
    assert_eq!(set.len(), 1);
    let skipped: Vec<String> = set.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        ["keys[0]: `kty` is `new`, expected one of `RSA`, `EC`, `OKP`, `oct`", "keys[2]: expected an object"]
    );
}

#[test]
fn not_more_keys_than_anybody_has() {
    let set_of = |count| set(&vec![edwards(None); count]);
    assert_eq!((set_of(256).len(), set_of(256).skipped().len()), (256, 0));
    let set = set_of(300);
    assert_eq!(set.len(), 256);
    let skipped: Vec<String> = set.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(skipped, ["keys[256]: found 300 keys, expected at most 256: the rest is not looked at"]);
}

/// `expected` has the indices of the candidates.
#[track_caller]
fn check(set: &KeySet, id: Option<&str>, algorithm: Algorithm, expected: &[usize]) {
    let place = |key: &Rc<Key>| set.keys.iter().position(|other| Rc::ptr_eq(other, key)).unwrap();
    let found: Vec<usize> = set.candidates(id, algorithm).map(place).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_token_that_names_its_key() {
    let set = set(&[
        secret(Some("a"), 1),
        secret(Some("b"), 2),
        secret(None, 3),
        edwards(Some("a")),
        secret(Some("a"), 4),
        secret(Some(""), 5),
    ]);
    check(&set, Some("b"), Algorithm::Hs256, &[1]);
    // Two keys with this `kid`, as during a rotation, and one for another algorithm.
    check(&set, Some("a"), Algorithm::Hs256, &[0, 4]);
    check(&set, Some("a"), Algorithm::EdDsa, &[3]);
    check(&set, Some("b"), Algorithm::EdDsa, &[]);
    // No key with this `kid`, so the one without any.
    check(&set, Some("c"), Algorithm::Hs256, &[2]);
    check(&set, Some("A"), Algorithm::Hs256, &[2]);
    // An empty `kid` is a `kid`.
    check(&set, Some(""), Algorithm::Hs256, &[5]);
}

/// Issuers with a single key may omit its `kid`.
#[test]
fn a_key_without_a_name_is_for_every_token() {
    check(&set(&[secret(None, 1)]), Some("a"), Algorithm::Hs256, &[0]);
    check(&set(&[secret(Some("b"), 1)]), Some("a"), Algorithm::Hs256, &[]);
}

#[test]
fn a_token_that_names_no_key() {
    let keys = set(&[secret(Some("a"), 1), edwards(None), secret(None, 2)]);
    check(&keys, None, Algorithm::Hs256, &[0, 2]);
    check(&keys, None, Algorithm::EdDsa, &[1]);
    check(&keys, None, Algorithm::Rs256, &[]);
}

#[test]
fn at_most_eight_keys_are_tried() {
    let keys: Vec<Value> = (0..20).map(|byte| secret(Some("a"), byte)).collect();
    let expected = [0, 1, 2, 3, 4, 5, 6, 7];
    check(&set(&keys), None, Algorithm::Hs256, &expected);
    check(&set(&keys), Some("a"), Algorithm::Hs256, &expected);
}

#[test]
fn whether_a_key_is_still_there() {
    let old = set(&[secret(Some("a"), 1)]);
    let key = old.candidates(None, Algorithm::Hs256).next().unwrap();
    let with_alg = json!({"kty": "oct", "kid": "a", "alg": "HS256", "k": secret(None, 1)["k"]});
    assert!(set(&[secret(Some("b"), 2), secret(Some("a"), 1)]).contains(key));
    assert!(!set(&[secret(Some("b"), 1)]).contains(key), "another name");
    assert!(!set(&[secret(None, 1)]).contains(key), "no name");
    assert!(!set(&[secret(Some("a"), 2)]).contains(key), "another secret");
    assert!(!set(&[with_alg]).contains(key), "restricted");
}

#[test]
fn keys_of_an_older_set_are_kept() {
    let older = set(&[secret(Some("a"), 1), secret(Some("b"), 2), secret(Some("c"), 3)]);
    let mut newer = set(&[secret(Some("c"), 3), secret(Some("a"), 9), secret(Some("b"), 2)]);
    let expected = newer.clone();
    newer.reuse(&older);
    assert_eq!(newer, expected);
    let places = newer.keys.iter().map(|key| older.keys.iter().position(|other| Rc::ptr_eq(key, other)));
    assert_eq!(places.collect::<Vec<_>>(), [Some(2), None, Some(1)]);
}
