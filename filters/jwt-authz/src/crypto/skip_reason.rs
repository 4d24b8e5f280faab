//! Why a key of a set is not used.

use super::algorithm::Algorithm;
use mesh_config::quoted;
use std::fmt;

/// Why a key of a set is not used. Displayed as a config problem for inline sets, and logged for fetched ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Not a JSON object.
    NotAnObject,
    /// A required member is missing.
    Missing(&'static str),
    /// A member is not a string.
    NotText(&'static str),
    /// A member is not canonical base64url, without padding or with correct padding.
    NotBase64(&'static str),
    /// `use` is neither `sig` nor `jwt-svid`, but this.
    Use(String),
    /// `key_ops` is not an array with `verify`.
    Operations,
    /// The `kid` is too long; its length in bytes.
    LongId(usize),
    /// An unknown `kty`.
    Type(String),
    /// An unknown `crv`.
    Curve {
        /// The value of `crv`.
        found: String,
        /// The supported curves of this `kty`.
        allowed: &'static str,
    },
    /// An unknown `alg`.
    Algorithm(String),
    /// An `alg` for another type of key.
    AlgorithmOfOtherType(Algorithm),
    /// The config has a private key, with this member.
    Private(&'static str),
    /// `oct` in a fetched set.
    FetchedSecret,
    /// The secret is too short for its algorithm.
    ShortSecret {
        /// Length in bytes.
        found: usize,
        /// Required length in bytes.
        least: usize,
    },
    /// The RSA modulus has this unsupported number of bits.
    ModulusBits(usize),
    /// The RSA modulus is even, so it is not a product of two large primes.
    ModulusEven,
    /// The RSA exponent is even, below 3 or too large.
    Exponent,
    /// A coordinate has the wrong length.
    Length {
        /// `x` or `y`.
        member: &'static str,
        /// Length in bytes.
        found: usize,
        /// Required length in bytes.
        expected: usize,
    },
    /// The coordinates are not on the curve, or the point has small order.
    NotAPoint(&'static str),
    /// The key exceeds the maximum number of keys; the number of keys in the set.
    TooMany(usize),
}

/// Longest accepted `kid`. RFC 7517 has no limit.
pub(super) const MAX_ID_BYTES: usize = 256;

/// Maximum number of keys that are read. Real sets have fewer than ten.
pub(super) const MAX_KEYS: usize = 256;

impl SkipReason {
    /// Whether the key is not meant for signatures. Sets with keys for several purposes are common.
    #[must_use]
    pub fn is_other_use(&self) -> bool {
        // Algorithms (RFC 7518 section 4.1) and curves (RFC 8037 section 3.2) for key encryption.
        const ENCRYPTS: [&str; 6] = ["RSA-OAEP", "RSA1_5", "ECDH-ES", "PBES2", "A1", "A2"];
        match self {
            Self::Use(_) | Self::Operations => true,
            Self::Algorithm(found) => ENCRYPTS.iter().any(|name| found.starts_with(name)),
            Self::Curve { found, .. } => found == "X25519" || found == "X448",
            _ => false,
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => formatter.write_str("expected an object"),
            Self::Missing(member) => write!(formatter, "`{member}` is missing"),
            Self::NotText(member) => write!(formatter, "`{member}` is not text"),
            Self::NotBase64(member) => {
                write!(formatter, "`{member}` is not base64url")
            }
            Self::Use(found) => write!(formatter, "`use` is `{found}`, expected `sig` or `jwt-svid`"),
            Self::Operations => formatter.write_str("`key_ops` is not a list with `verify`"),
            Self::LongId(found) => {
                write!(formatter, "`kid` has {found} bytes, expected at most {MAX_ID_BYTES}")
            }
            Self::Type(found) => {
                write!(formatter, "`kty` is `{found}`, expected one of `RSA`, `EC`, `OKP`, `oct`")
            }
            Self::Curve { found, allowed } => write!(formatter, "`crv` is `{found}`, expected {allowed}"),
            Self::Algorithm(found) => {
                let known = quoted(Algorithm::ALL.iter().map(|algorithm| algorithm.name()));
                write!(formatter, "`alg` is `{found}`, expected one of {known}")
            }
            Self::AlgorithmOfOtherType(algorithm) => {
                write!(formatter, "`alg` is `{}`, which is not for this type of key", algorithm.name())
            }
            Self::Private(member) => {
                write!(formatter, "found a private key (`{member}`), expected its public part only")
            }
            Self::FetchedSecret => {
                formatter.write_str("`kty` is `oct`, but a set that is fetched is no secret")
            }
            Self::ShortSecret { found, least } => {
                write!(formatter, "`k` has {found} bytes, expected at least {least}")
            }
            Self::ModulusBits(found) => write!(formatter, "`n` has {found} bits, expected 2048 to 4096"),
            Self::ModulusEven => formatter.write_str("`n` is even, expected an odd number"),
            Self::Exponent => formatter.write_str("`e` is not an odd number from 3 to 2^33"),
            Self::Length { member, found, expected } => {
                write!(formatter, "`{member}` has {found} bytes, expected {expected}")
            }
            Self::NotAPoint(curve) => write!(formatter, "not a usable point of `{curve}`"),
            Self::TooMany(found) => {
                write!(
                    formatter,
                    "found {found} keys, expected at most {MAX_KEYS}: the rest is not looked at"
                )
            }
        }
    }
}
