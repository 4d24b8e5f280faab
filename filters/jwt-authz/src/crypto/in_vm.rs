//! Signature checks in the VM.

use super::algorithm::Algorithm;
use super::key::{Key, Material, Secret};
use ed25519_dalek::Signature as EdwardsSignature;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use rsa::RsaPublicKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use sha2::digest::const_oid::AssociatedOid;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha256, Sha384, Sha512};

/// Whether this is a valid signature of `message` by `key`. False if the key does not fit the algorithm.
#[must_use]
pub fn verify(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> bool {
    if !key.fits(algorithm) {
        return false;
    }
    match key.material() {
        Material::Rsa(key) => rsa(algorithm, key, message, signature),
        Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        Material::P384(key) => p384::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        // Strict: with a point of small order, one signature would be valid for many messages.
        Material::Ed25519(key) => EdwardsSignature::from_slice(signature)
            .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        Material::Secret(secret) => hmac(algorithm, secret, message, signature),
    }
}

fn rsa(algorithm: Algorithm, key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Rs256 => pkcs1::<Sha256>(key, message, signature),
        Algorithm::Rs384 => pkcs1::<Sha384>(key, message, signature),
        Algorithm::Rs512 => pkcs1::<Sha512>(key, message, signature),
        Algorithm::Ps256 => pss::<Sha256>(key, message, signature),
        Algorithm::Ps384 => pss::<Sha384>(key, message, signature),
        Algorithm::Ps512 => pss::<Sha512>(key, message, signature),
        _ => false,
    }
}

fn pkcs1<D: Digest + AssociatedOid>(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify(Pkcs1v15Sign::new::<D>(), &D::digest(message), signature).is_ok()
}

/// The salt is as long as the hash (RFC 7518 section 3.5).
fn pss<D: Digest + FixedOutputReset>(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    let length = <D as Digest>::output_size();
    key.verify(Pss::<D>::new_with_salt(length), &D::digest(message), signature).is_ok()
}

fn hmac(algorithm: Algorithm, secret: &Secret, message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Hs256 => hmac_of::<Sha256>(secret, message, signature),
        Algorithm::Hs384 => hmac_of::<Sha384>(secret, message, signature),
        Algorithm::Hs512 => hmac_of::<Sha512>(secret, message, signature),
        _ => false,
    }
}

/// Compares in constant time, and the entire signature: a prefix is not accepted.
fn hmac_of<D: EagerHash>(secret: &Secret, message: &[u8], signature: &[u8]) -> bool {
    Hmac::<D>::new_from_slice(secret.bytes())
        .is_ok_and(|hmac| hmac.chain_update(message).verify_slice(signature).is_ok())
}
