//! Signature checks by Envoy, with its foreign function `verify_signature`.
//!
//! The argument is the message `envoy.source.extensions.common.wasm.VerifySignatureArguments`: the name of the hash
//! (1), the key as `SubjectPublicKeyInfo` (2), the signature (3) and the signed bytes (4). The result is a
//! `VerifySignatureResult`: whether the signature is valid (1), and an error (2). For RSA, Envoy supports PKCS#1 v1.5
//! only.

use super::algorithm::Algorithm;
use super::key::{Key, Material};
use super::protobuf::{self, Value};
use rsa::traits::PublicKeyParts as _;

/// Name of the foreign function.
pub const FUNCTION: &str = "verify_signature";

/// The argument for a check. `None` if Envoy does not support the algorithm, the key does not fit it, or the
/// signature is malformed.
#[must_use]
pub fn argument(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    if !key.fits(algorithm) {
        return None;
    }
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => "sha256",
        Algorithm::Rs384 | Algorithm::Es384 => "sha384",
        Algorithm::Rs512 => "sha512",
        _ => return None,
    };
    // A token has the two numbers of an ECDSA signature concatenated (RFC 7518 section 3.4); Envoy expects DER.
    // Numbers that are zero or not below the order are refused here.
    let der = match key.material() {
        Material::Rsa(key) if signature.len() == key.size() => None,
        Material::P256(_) => {
            Some(p256::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec())
        }
        Material::P384(_) => {
            Some(p384::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec())
        }
        _ => return None,
    };
    let signature = der.as_deref().unwrap_or(signature);
    // A field's tag and length take at most six bytes.
    let mut argument =
        Vec::with_capacity(hash.len() + key.spki().len() + signature.len() + message.len() + 24);
    protobuf::push_bytes(&mut argument, 1, hash.as_bytes());
    protobuf::push_bytes(&mut argument, 2, key.spki());
    protobuf::push_bytes(&mut argument, 3, signature);
    protobuf::push_bytes(&mut argument, 4, message);
    Some(argument)
}

/// Decodes the result; `None` if it is malformed. Protobuf omits `false`, so an empty result means that the signature
/// is invalid.
#[must_use]
pub fn read_answer(answer: &[u8]) -> Option<bool> {
    let (mut right, mut failed) = (false, false);
    for field in protobuf::fields(answer) {
        match field? {
            (1, Value::Number(result)) => right = result != 0,
            (2, Value::Bytes(error)) => failed |= !error.is_empty(),
            (1 | 2, _) => return None,
            _ => {}
        }
    }
    Some(right && !failed)
}

#[cfg(test)]
mod tests;
