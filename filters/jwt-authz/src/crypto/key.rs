//! A key for signature checks.

use super::algorithm::Algorithm;
use super::der;
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts as _;
use std::fmt;

/// The parsed key material.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "at most a few hundred, each behind an `Rc`")]
pub enum Material {
    /// An RSA key of 2048 to 4096 bits with an odd exponent.
    Rsa(RsaPublicKey),
    /// A point of P-256, not at infinity.
    P256(p256::ecdsa::VerifyingKey),
    /// A point of P-384, not at infinity.
    P384(p384::ecdsa::VerifyingKey),
    /// A point of Ed25519, not of small order.
    Ed25519(ed25519_dalek::VerifyingKey),
    /// A shared secret for HMAC.
    Secret(Secret),
}

impl Material {
    /// Whether the algorithm works with this material. A secret must be at least as long as the algorithm's hash
    /// (RFC 7518 section 3.2).
    pub(super) fn suits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match algorithm {
            Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => matches!(self, Self::Rsa(_)),
            Es256 => matches!(self, Self::P256(_)),
            Es384 => matches!(self, Self::P384(_)),
            EdDsa => matches!(self, Self::Ed25519(_)),
            Hs256 | Hs384 | Hs512 => {
                matches!(self, Self::Secret(secret) if secret.bytes().len() >= algorithm.hash_bytes())
            }
        }
    }

    fn spki(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => der::rsa_key(&key.n_bytes(), &key.e_bytes()),
            Self::P256(key) => der::p256_key(key.to_sec1_point(false).as_bytes()),
            Self::P384(key) => der::p384_key(key.to_sec1_point(false).as_bytes()),
            Self::Ed25519(_) | Self::Secret(_) => Vec::new(),
        }
    }
}

/// The bytes of a shared secret. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub(super) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    /// Omits the bytes, as the output may end up in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// A key of a set. Keys are equal if `kid`, algorithm and material are.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    material: Material,
    spki: Vec<u8>,
}

impl Key {
    pub(super) fn new(id: Option<String>, algorithm: Option<Algorithm>, material: Material) -> Self {
        let spki = material.spki();
        Self { id, algorithm, material, spki }
    }

    /// The key's `kid`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether the key can check signatures of this algorithm: the algorithm suits the material and equals the key's
    /// `alg`, if it has one.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.suits(algorithm)
    }

    /// The key material.
    #[must_use]
    pub const fn material(&self) -> &Material {
        &self.material
    }

    /// The DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1), the form in which Envoy expects keys. Empty if Envoy does
    /// not support the key's algorithms.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }
}
