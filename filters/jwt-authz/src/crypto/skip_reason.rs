//! Why a key of a set is not used.

use super::algorithm::Algorithm;
use mesh_config::quoted;
use std::fmt;

/// Why a key of a set is not used. Displayed as the problem of a config is, for inline sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Not a JSON object.
    NotAnObject,
    /// A member that a key of its type must have.
    Missing(&'static str),
    /// A member that must be text.
    NotText(&'static str),
    /// A member that is not base64url, canonical, without padding or with all of it.
    NotBase64(&'static str),
    /// `use` is this, neither `sig` nor `jwt-svid`.
    Use(String),
    /// `key_ops` is a list without `verify`, or no list.
    Operations,
    /// A `kid` of so many bytes.
    LongId(usize),
    /// An unknown `kty`.
    Type(String),
    /// An unknown `crv`.
    Curve {
        /// What is there.
        found: String,
        /// The curves of this `kty`.
        allowed: &'static str,
    },
    /// An unknown `alg`.
    Algorithm(String),
    /// An `alg` that works with another type of key.
    AlgorithmOfOtherType(Algorithm),
    /// A member of a private key, in a config that is no place for one.
    Private(&'static str),
    /// `oct` in a set that was fetched.
    FetchedSecret,
    /// A secret that is too short for its algorithm.
    ShortSecret {
        /// How many bytes it has.
        found: usize,
        /// How many it must have.
        least: usize,
    },
    /// An RSA modulus of so many bits.
    ModulusBits(usize),
    /// An RSA modulus that is even, so not the product of two large primes.
    ModulusEven,
    /// An RSA exponent that is even, below 3 or too large.
    Exponent,
    /// A coordinate of the wrong length.
    Length {
        /// `x` or `y`.
        member: &'static str,
        /// How many bytes it has.
        found: usize,
        /// How many it must have.
        expected: usize,
    },
    /// Coordinates that are not on the curve, or on it where everybody can sign.
    NotAPoint(&'static str),
    /// It comes after as many keys as are looked at; the set has so many.
    TooMany(usize),
}

/// RFC 7517 knows no limit. A name beyond this is not one.
pub(super) const MAX_ID_BYTES: usize = 256;

/// Real sets have fewer than ten keys.
pub(super) const MAX_KEYS: usize = 256;

impl SkipReason {
    /// Whether the key is for something else than signatures: sets of keys for all purposes are usual.
    #[must_use]
    pub fn is_other_use(&self) -> bool {
        // RFC 7518, section 4.1: algorithms that encrypt keys. RFC 8037, section 3.2: curves for that.
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
