//! Having Envoy check a signature: its foreign function `verify_signature`.
//!
//! Its argument is the message `envoy.source.extensions.common.wasm.VerifySignatureArguments`: the
//! hash's name (1), the key as `SubjectPublicKeyInfo` (2), the signature (3) and what was signed
//! (4). Its answer is `VerifySignatureResult`: whether it is right (1), and what went wrong (2).
//! RSA is PKCS#1 v1.5 only.

use super::algorithm::Algorithm;
use super::key::{Key, Material};
use super::protobuf::{self, Value};
use rsa::traits::PublicKeyParts as _;

/// The function's name.
pub const FUNCTION: &str = "verify_signature";

/// The argument that asks for a check; `None` if the host cannot check this algorithm, the key is not
/// for it, or the signature has not even the form of one.
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
    // A token has the two numbers of an ECDSA signature one after the other (RFC 7518 section 3.4),
    // the host wants them in DER. Numbers that are zero or not below the order have no DER here.
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
    // Each field has at most six bytes of tag and length.
    let mut argument =
        Vec::with_capacity(hash.len() + key.spki().len() + signature.len() + message.len() + 24);
    protobuf::push_bytes(&mut argument, 1, hash.as_bytes());
    protobuf::push_bytes(&mut argument, 2, key.spki());
    protobuf::push_bytes(&mut argument, 3, signature);
    protobuf::push_bytes(&mut argument, 4, message);
    Some(argument)
}

/// What the host has answered; `None` if it is no answer. As protobuf leaves out what is `false`, an
/// empty answer is a no.
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
