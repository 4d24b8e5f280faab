//! Reads a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use super::algorithm::Algorithm;
use super::key::{Key, Material, Secret};
use super::skip_reason::{MAX_ID_BYTES, SkipReason};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use mesh_config::shorten;
use rsa::{BoxedUint, RsaPublicKey};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Private members of all key types except `oct` (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Accepted modulus sizes in bits. RFC 7518 section 3.3 sets the minimum; checks with larger keys than the maximum
/// take too long, and such keys are not in use.
const MODULUS_BITS: RangeInclusive<usize> = 2048..=4096;

/// Accepted public exponents. The identity, 1, is excluded; the `rsa` crate sets the maximum.
const EXPONENT: RangeInclusive<u64> = 3..=(1 << 33) - 1;

/// Where a key set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The config. Secrets are accepted, private keys are not.
    Inline,
    /// A key server. Secrets are refused, as anyone can fetch the set.
    Remote,
}

/// Reads a key.
///
/// # Errors
/// The reason why the key is skipped.
pub(super) fn read(jwk: &Value, origin: Origin) -> Result<Key, SkipReason> {
    let jwk = Jwk(jwk.as_object().ok_or(SkipReason::NotAnObject)?);
    let kind = jwk.required("kty")?;
    if origin == Origin::Inline && kind != "oct" {
        jwk.has_no_private_part()?;
    }
    jwk.is_for_signatures()?;
    let (id, algorithm) = (jwk.id()?, jwk.algorithm()?);
    let material = match kind {
        "RSA" => jwk.rsa()?,
        "EC" => jwk.elliptic_curve()?,
        "OKP" => jwk.edwards_curve()?,
        "oct" if origin == Origin::Remote => return Err(SkipReason::FetchedSecret),
        "oct" => jwk.secret(algorithm)?,
        other => return Err(SkipReason::Type(shorten(other))),
    };
    match algorithm {
        Some(algorithm) if !material.suits(algorithm) => Err(SkipReason::AlgorithmOfOtherType(algorithm)),
        _ => Ok(Key::new(id, algorithm, material)),
    }
}

struct Jwk<'a>(&'a Map<String, Value>);

impl<'a> Jwk<'a> {
    /// An optional member. `null` counts as absent, as some serializers write absent members as `null`.
    fn optional(&self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn optional_text(&self, member: &'static str) -> Result<Option<&'a str>, SkipReason> {
        match self.optional(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(SkipReason::NotText(member)),
        }
    }

    fn required(&self, member: &'static str) -> Result<&'a str, SkipReason> {
        match self.0.get(member) {
            None => Err(SkipReason::Missing(member)),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(SkipReason::NotText(member)),
        }
    }

    /// Decodes base64url, with or without padding, as some issuers add it. Nonzero trailing bits are refused.
    fn bytes(&self, member: &'static str) -> Result<Vec<u8>, SkipReason> {
        let text = self.required(member)?;
        let decoded = if text.ends_with('=') { URL_SAFE.decode(text) } else { URL_SAFE_NO_PAD.decode(text) };
        decoded.map_err(|_| SkipReason::NotBase64(member))
    }

    /// A big-endian number. Leading zeros, which some issuers add (RFC 7518 section 6.3.1.1), are removed.
    fn number(&self, member: &'static str) -> Result<Vec<u8>, SkipReason> {
        let bytes = self.bytes(member)?;
        Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
    }

    /// A big-endian number, padded to `size` bytes. Libraries that encode big integers omit leading zeros, or add one if
    /// the first bit is set; both are accepted.
    fn coordinate(&self, member: &'static str, size: usize) -> Result<Vec<u8>, SkipReason> {
        let bytes = self.bytes(member)?;
        let number = match bytes.split_first() {
            Some((0, rest)) if rest.len() == size => rest,
            Some(_) if bytes.len() <= size => &bytes,
            _ => return Err(SkipReason::Length { member, found: bytes.len(), expected: size }),
        };
        Ok([&vec![0; size.saturating_sub(number.len())], number].concat())
    }

    fn has_no_private_part(&self) -> Result<(), SkipReason> {
        match PRIVATE.into_iter().find(|member| self.optional(member).is_some()) {
            Some(member) => Err(SkipReason::Private(member)),
            None => Ok(()),
        }
    }

    fn is_for_signatures(&self) -> Result<(), SkipReason> {
        match self.optional_text("use")? {
            // `jwt-svid` keys sign JWT-SVIDs (SPIFFE Trust Domain and Bundle, section 4.2.2).
            None | Some("sig" | "jwt-svid") => {}
            Some(other) => return Err(SkipReason::Use(shorten(other))),
        }
        match self.optional("key_ops") {
            None => Ok(()),
            Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {
                Ok(())
            }
            Some(_) => Err(SkipReason::Operations),
        }
    }

    fn id(&self) -> Result<Option<String>, SkipReason> {
        match self.optional_text("kid")? {
            Some(id) if id.len() > MAX_ID_BYTES => Err(SkipReason::LongId(id.len())),
            id => Ok(id.map(str::to_owned)),
        }
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, SkipReason> {
        match self.optional_text("alg")? {
            None => Ok(None),
            Some(name) => match Algorithm::find(name) {
                None => Err(SkipReason::Algorithm(shorten(name))),
                algorithm => Ok(algorithm),
            },
        }
    }

    fn rsa(&self) -> Result<Material, SkipReason> {
        let (modulus, exponent) = (self.number("n")?, self.number("e")?);
        let bits = bits(&modulus);
        if !MODULUS_BITS.contains(&bits) {
            return Err(SkipReason::ModulusBits(bits));
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err(SkipReason::ModulusEven);
        }
        let exponent = match exponent.len() {
            0..=8 => exponent.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
            _ => return Err(SkipReason::Exponent),
        };
        if !EXPONENT.contains(&exponent) || exponent % 2 == 0 {
            return Err(SkipReason::Exponent);
        }
        RsaPublicKey::new_with_size_limits(
            BoxedUint::from_be_slice_vartime(&modulus),
            BoxedUint::from(exponent),
            MODULUS_BITS,
        )
        .map(Material::Rsa)
        .map_err(|_| SkipReason::ModulusBits(bits))
    }

    fn elliptic_curve(&self) -> Result<Material, SkipReason> {
        match self.required("crv")? {
            "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.point(32)?)
                .map(Material::P256)
                .map_err(|_| SkipReason::NotAPoint("P-256")),
            "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.point(48)?)
                .map(Material::P384)
                .map_err(|_| SkipReason::NotAPoint("P-384")),
            other => Err(SkipReason::Curve { found: shorten(other), allowed: "`P-256` or `P-384`" }),
        }
    }

    /// The point in SEC1 uncompressed form.
    fn point(&self, size: usize) -> Result<Vec<u8>, SkipReason> {
        let (x, y) = (self.coordinate("x", size)?, self.coordinate("y", size)?);
        Ok([&[4], x.as_slice(), y.as_slice()].concat())
    }

    fn edwards_curve(&self) -> Result<Material, SkipReason> {
        match self.required("crv")? {
            "Ed25519" => {}
            other => return Err(SkipReason::Curve { found: shorten(other), allowed: "`Ed25519`" }),
        }
        // A little-endian octet string (RFC 8032 section 5.1.2), so no octet may be missing.
        let point = self.bytes("x")?;
        if point.len() != 32 {
            return Err(SkipReason::Length { member: "x", found: point.len(), expected: 32 });
        }
        ed25519_dalek::VerifyingKey::try_from(point.as_slice())
            .ok()
            .filter(|key| !key.is_weak())
            .map(Material::Ed25519)
            .ok_or(SkipReason::NotAPoint("Ed25519"))
    }

    fn secret(&self, algorithm: Option<Algorithm>) -> Result<Material, SkipReason> {
        let bytes = self.bytes("k")?;
        let least =
            algorithm.filter(|algorithm| algorithm.is_symmetric()).unwrap_or(Algorithm::Hs256).hash_bytes();
        match bytes.len() {
            found if found < least => Err(SkipReason::ShortSecret { found, least }),
            _ => Ok(Material::Secret(Secret::new(bytes))),
        }
    }
}

/// Number of bits of a big-endian number without leading zeros.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests;
