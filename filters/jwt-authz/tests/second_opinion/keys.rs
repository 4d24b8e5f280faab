//! The keys of `tests/keys`, one for each type of algorithm. Their `kid` is their name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// The algorithms that both know.
pub(crate) const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
];

const NAMES: [&str; 5] = ["rsa-a", "p256-a", "p384", "ed25519-a", "hmac-a"];

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../tests/keys/jwk.json")).unwrap()
}

/// The key set that both verify with.
pub(crate) fn public_set() -> Value {
    let file = file();
    let keys = NAMES.map(|name| {
        let mut key = file[name].clone();
        key["kid"] = json!(name);
        key
    });
    json!({"keys": keys})
}

/// The `kid` of the algorithm's key.
pub(crate) const fn id(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "p256-a",
        Algorithm::ES384 => "p384",
        Algorithm::EdDSA => "ed25519-a",
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => "hmac-a",
        _ => "rsa-a",
    }
}

/// The key that signs with an algorithm.
pub(crate) fn private(algorithm: Algorithm) -> EncodingKey {
    match id(algorithm) {
        "p256-a" => EncodingKey::from_ec_pem(include_bytes!("../../../../tests/keys/p256-a.pem")).unwrap(),
        "p384" => EncodingKey::from_ec_pem(include_bytes!("../../../../tests/keys/p384.pem")).unwrap(),
        "ed25519-a" => {
            EncodingKey::from_ed_pem(include_bytes!("../../../../tests/keys/ed25519-a.pem")).unwrap()
        }
        "hmac-a" => {
            let secret = file()["hmac-a"]["k"].as_str().map(|text| URL_SAFE_NO_PAD.decode(text));
            EncodingKey::from_secret(&secret.unwrap().unwrap())
        }
        _ => EncodingKey::from_rsa_pem(include_bytes!("../../../../tests/keys/rsa-a.pem")).unwrap(),
    }
}
