//! Test vectors made by other implementations.
//!
//! `published.json` is from RFC 7515 appendix A, RFC 7520 section 4 and RFC 8037 appendix A.4. `foreign.json` was
//! made with OpenSSL: signatures of each algorithm, and some that are almost valid.

use super::super::{Algorithm, Key, KeySet, Origin, SkipReason, in_vm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::rc::Rc;

/// A signature and what it signs.
#[derive(Debug)]
pub(in crate::crypto) struct Vector {
    pub(in crate::crypto) name: String,
    pub(in crate::crypto) algorithm: Algorithm,
    pub(in crate::crypto) key: Rc<Key>,
    pub(in crate::crypto) message: Vec<u8>,
    pub(in crate::crypto) signature: Vec<u8>,
}

impl Vector {
    pub(in crate::crypto) fn verifies(&self) -> bool {
        in_vm::verify(self.algorithm, &self.key, &self.message, &self.signature)
    }
}

/// A key set with this key.
pub(in crate::crypto) fn set_of(jwk: &Value) -> KeySet {
    KeySet::from_json(&json!({"keys": [jwk]}), Origin::Inline)
        .unwrap_or_else(|error| panic!("{jwk}: {error}"))
}

/// Decodes base64url.
pub(in crate::crypto) fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// Reads an entry of the files.
pub(in crate::crypto) fn vector(name: &Value, entry: &Value, jwk: &Value, message: &Value) -> Vector {
    let algorithm = Algorithm::find(entry["alg"].as_str().unwrap()).unwrap();
    let set = set_of(jwk);
    let key = set.candidates(jwk.get("kid").and_then(Value::as_str), algorithm).next().unwrap();
    Vector {
        name: format!("{} {}", algorithm.name(), name.as_str().unwrap()),
        algorithm,
        key: Rc::clone(key),
        message: message.as_str().unwrap().as_bytes().to_vec(),
        signature: bytes(&entry["signature"]),
    }
}

fn published() -> Vec<Vector> {
    let file: Value = serde_json::from_str(include_str!("vectors/published.json")).unwrap();
    let entries = file.as_array().unwrap();
    entries.iter().map(|entry| vector(&entry["source"], entry, &entry["key"], &entry["message"])).collect()
}

#[test]
fn published_signatures_verify() {
    let vectors = published();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        assert!(vector.verifies(), "{}", vector.name);
    }
}

/// The token of RFC 7515 appendix A.5, with `alg` `none` and an empty signature.
#[test]
fn an_unsecured_token_never_verifies() {
    assert_eq!(Algorithm::find("none"), None);
    let message = b"eyJhbGciOiJub25lIn0.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    for vector in published() {
        for algorithm in Algorithm::ALL {
            assert!(!in_vm::verify(algorithm, &vector.key, message, b""), "{} as {algorithm:?}", vector.name);
        }
    }
}

/// The key of RFC 7520 section 4.3 is for ES512, which is not supported. Only this key is skipped, not the set.
#[test]
fn the_key_of_es512_is_skipped() {
    let set = json!({"keys": [
        {
            "kty": "EC",
            "kid": "bilbo.baggins@hobbiton.example",
            "use": "sig",
            "crv": "P-521",
            "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
            "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"
        },
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]});
    let set = KeySet::from_json(&set, Origin::Remote).unwrap();
    assert_eq!(set.len(), 1);
    let [skipped] = set.skipped() else { panic!("{:?}", set.skipped()) };
    assert_eq!(skipped.index, 0);
    assert!(matches!(&skipped.reason, SkipReason::Curve { found, .. } if found == "P-521"));
}
