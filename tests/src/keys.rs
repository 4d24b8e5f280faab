//! Keys for signing tokens in tests, from the files in `tests/keys/`. They are used with ring, which no filter uses.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::KeyPair as _;
use ring::{hmac, signature};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::sync::LazyLock;

/// A signature algorithm. Independent of the filter's list, so that mistakes there are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 with SHA-256.
    Rs256,
    /// RSA PKCS#1 with SHA-384.
    Rs384,
    /// RSA PKCS#1 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256.
    Ps256,
    /// RSA PSS with SHA-384.
    Ps384,
    /// RSA PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256.
    Es256,
    /// ECDSA on P-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All algorithms that the filter supports.
    pub const ALL: [Self; 12] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// A key for this algorithm.
    #[must_use]
    pub const fn key(self) -> Key {
        match self {
            Self::Es256 => Key::P256_A,
            Self::Es384 => Key::P384,
            Self::EdDsa => Key::ED25519_A,
            _ if self.is_hmac() => Key::HMAC_A,
            _ => Key::RSA_A,
        }
    }

    /// Whether this is an HMAC algorithm.
    #[must_use]
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// A key for signing tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name in `jwk.json`.
    name: &'static str,
    secret: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Secret {
    /// A private key in PKCS#8, as PEM.
    Pem(&'static str),
    /// The secret in `jwk.json`.
    Listed,
    /// An arbitrary secret.
    Bytes(Cow<'static, [u8]>),
    /// A generated key in PKCS#8, and its JWK.
    Made(Vec<u8>, Value),
    /// Not available: tokens were signed with OpenSSL.
    Lost,
}

/// The public keys and secrets in `jwk.json`.
static LISTED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keys/jwk.json")).unwrap());

impl Key {
    /// An RSA key of 2048 bits.
    pub const RSA_A: Self = Self::pem("rsa-a", include_str!("../keys/rsa-a.pem"));
    /// Another RSA key of 2048 bits.
    pub const RSA_B: Self = Self::pem("rsa-b", include_str!("../keys/rsa-b.pem"));
    /// An RSA key of 4096 bits.
    pub const RSA_4096: Self = Self::pem("rsa-4096", include_str!("../keys/rsa-4096.pem"));
    /// The RSA key of 1024 bits of [`crate::token::OF_1024_BITS`].
    pub const RSA_1024: Self = Self { name: "rsa-1024", secret: Secret::Lost };
    /// A P-256 key.
    pub const P256_A: Self = Self::pem("p256-a", include_str!("../keys/p256-a.pem"));
    /// Another P-256 key.
    pub const P256_B: Self = Self::pem("p256-b", include_str!("../keys/p256-b.pem"));
    /// A P-384 key.
    pub const P384: Self = Self::pem("p384", include_str!("../keys/p384.pem"));
    /// The P-521 key of [`crate::token::ES512`].
    pub const P521: Self = Self { name: "p521", secret: Secret::Lost };
    /// An Ed25519 key.
    pub const ED25519_A: Self = Self::pem("ed25519-a", include_str!("../keys/ed25519-a.pem"));
    /// Another Ed25519 key.
    pub const ED25519_B: Self = Self::pem("ed25519-b", include_str!("../keys/ed25519-b.pem"));
    /// A secret of 64 bytes.
    pub const HMAC_A: Self = Self { name: "hmac-a", secret: Secret::Listed };
    /// Another secret of 64 bytes.
    pub const HMAC_B: Self = Self { name: "hmac-b", secret: Secret::Listed };

    const fn pem(name: &'static str, pem: &'static str) -> Self {
        Self { name, secret: Secret::Pem(pem) }
    }

    /// An HMAC secret of arbitrary bytes.
    #[must_use]
    pub const fn secret(bytes: Vec<u8>) -> Self {
        Self { name: "a secret", secret: Secret::Bytes(Cow::Owned(bytes)) }
    }

    /// Generates a P-384 key.
    ///
    /// # Panics
    /// If the system provides no random numbers.
    #[must_use]
    pub fn new_p384() -> Self {
        let (curve, random) = (&signature::ECDSA_P384_SHA384_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = signature::EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
        let pair = signature::EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({"kty": "EC", "crv": "P-384", "x": x, "y": y});
        Self { name: "a key", secret: Secret::Made(pkcs8.as_ref().to_vec(), jwk) }
    }

    /// The JWK for verification, with a `kid`.
    #[must_use]
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = self.bare_jwk();
        jwk["kid"] = json!(kid);
        jwk
    }

    /// The JWK for verification, without a `kid`.
    #[must_use]
    pub fn bare_jwk(&self) -> Value {
        match &self.secret {
            Secret::Bytes(bytes) => json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(bytes)}),
            Secret::Made(_, jwk) => jwk.clone(),
            _ => LISTED[self.name].clone(),
        }
    }

    /// The public key of [`Key::RSA_A`] in the forms in which it is published: PEM, PEM without the final newline, DER, JWK,
    /// and the modulus.
    #[must_use]
    pub fn public_texts_of_rsa_a() -> [(&'static str, Vec<u8>); 5] {
        let pem = include_str!("../keys/rsa-a.public.pem");
        let jwk = Self::RSA_A.bare_jwk();
        [
            ("PEM", pem.into()),
            ("PEM, trimmed", pem.trim().into()),
            ("DER", der(pem)),
            ("JWK", jwk.to_string().into()),
            ("n", bytes_of(&jwk, "n")),
        ]
    }

    /// Signs a message.
    ///
    /// # Panics
    /// If the key does not fit the algorithm.
    #[must_use]
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let key = self.signer();
        match algorithm {
            Rs256 => rsa(&key, &signature::RSA_PKCS1_SHA256, message),
            Rs384 => rsa(&key, &signature::RSA_PKCS1_SHA384, message),
            Rs512 => rsa(&key, &signature::RSA_PKCS1_SHA512, message),
            Ps256 => rsa(&key, &signature::RSA_PSS_SHA256, message),
            Ps384 => rsa(&key, &signature::RSA_PSS_SHA384, message),
            Ps512 => rsa(&key, &signature::RSA_PSS_SHA512, message),
            Es256 => ecdsa(&key, &signature::ECDSA_P256_SHA256_FIXED_SIGNING, message),
            Es384 => ecdsa(&key, &signature::ECDSA_P384_SHA384_FIXED_SIGNING, message),
            EdDsa => {
                let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).unwrap();
                pair.sign(message).as_ref().to_vec()
            }
            Hs256 => hmac_of(&key, hmac::HMAC_SHA256, message),
            Hs384 => hmac_of(&key, hmac::HMAC_SHA384, message),
            Hs512 => hmac_of(&key, hmac::HMAC_SHA512, message),
        }
    }

    fn signer(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Pem(pem) => der(pem),
            Secret::Listed => bytes_of(&self.bare_jwk(), "k"),
            Secret::Bytes(bytes) => bytes.to_vec(),
            Secret::Made(pkcs8, _) => pkcs8.clone(),
            Secret::Lost => panic!("nobody has the private part of {}", self.name),
        }
    }
}

/// A key set with these keys, each with its `kid`.
#[must_use]
pub fn key_set(keys: &[(&str, Key)]) -> Value {
    json!({"keys": keys.iter().map(|(kid, key)| key.jwk(kid)).collect::<Vec<_>>()})
}

fn rsa(key: &[u8], padding: &'static dyn signature::RsaEncoding, message: &[u8]) -> Vec<u8> {
    let pair = signature::RsaKeyPair::from_pkcs8(key).unwrap();
    let mut signed = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signed).unwrap();
    signed
}

fn ecdsa(key: &[u8], curve: &'static signature::EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let pair = signature::EcdsaKeyPair::from_pkcs8(curve, key, &random).unwrap();
    pair.sign(&random, message).unwrap().as_ref().to_vec()
}

fn hmac_of(key: &[u8], hash: hmac::Algorithm, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hash, key), message).as_ref().to_vec()
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).unwrap()
}

fn bytes_of(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use signature::{RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

    const MESSAGE: &[u8] = b"message";

    /// Signatures of each key verify with its JWK.
    #[test]
    fn private_and_public_parts_are_of_one_key() {
        let check_rsa = |key: Key, algorithm, parameters: &RsaParameters| {
            let jwk = key.jwk("a");
            let public = RsaPublicKeyComponents { n: bytes_of(&jwk, "n"), e: bytes_of(&jwk, "e") };
            public.verify(parameters, MESSAGE, &key.sign(algorithm, MESSAGE)).unwrap();
        };
        for key in [Key::RSA_A, Key::RSA_B, Key::RSA_4096] {
            check_rsa(key.clone(), Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384);
            check_rsa(key.clone(), Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256);
            check_rsa(key.clone(), Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384);
            check_rsa(key, Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512);
        }
        let check = |key: Key, algorithm, verifier: &'static dyn VerificationAlgorithm| {
            let jwk = key.jwk("a");
            let public = match algorithm {
                Algorithm::EdDsa => bytes_of(&jwk, "x"),
                _ => [vec![4], bytes_of(&jwk, "x"), bytes_of(&jwk, "y")].concat(),
            };
            let public = UnparsedPublicKey::new(verifier, public);
            public.verify(MESSAGE, &key.sign(algorithm, MESSAGE)).unwrap();
        };
        check(Key::P256_A, Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED);
        check(Key::P256_B, Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED);
        check(Key::P384, Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED);
        check(Key::new_p384(), Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED);
        check(Key::ED25519_A, Algorithm::EdDsa, &signature::ED25519);
        check(Key::ED25519_B, Algorithm::EdDsa, &signature::ED25519);
    }

    #[test]
    fn a_key_set_names_its_keys() {
        let set = key_set(&[("a", Key::RSA_A), ("weak", Key::RSA_1024), ("s", Key::secret(vec![1, 2]))]);
        assert_eq!(set["keys"][1]["kid"], "weak");
        assert_eq!(set["keys"][2], json!({"kty": "oct", "kid": "s", "k": "AQI"}));
        assert_eq!(bytes_of(&set["keys"][1], "n").len() * 8, 1024);
    }
}
