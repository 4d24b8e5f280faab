//! Signature algorithms.

/// A signature algorithm for tokens (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// `none` is not among them, so code that takes an `Algorithm` cannot be made to accept an unsigned token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// EdDSA on Ed25519; Ed448 is not supported.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl mesh_config::kinds::Choice for Algorithm {
    const WORDS: &'static [&'static str] = &{
        let mut names = [""; Self::ALL.len()];
        let mut index = 0;
        while index < names.len() {
            #[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
            {
                names[index] = Self::ALL[index].name();
            }
            index += 1;
        }
        names
    };
    const VALUES: &'static [Self] = &Self::ALL;

    fn docs() -> Vec<&'static str> {
        Vec::new()
    }
}

impl Algorithm {
    /// All algorithms.
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

    /// The name in a token's `alg`.
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

    /// The algorithm with this `alg` name, which is case-sensitive (RFC 7515 section 4.1.1). `Ed25519` is the name
    /// that RFC 9864 gives to `EdDSA` on that curve.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether the key that verifies a signature can also create one.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Length of the hash in bytes. A secret must be at least as long (RFC 7518 section 3.2).
    pub(super) const fn hash_bytes(self) -> usize {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Hs256 => 32,
            Self::Rs384 | Self::Ps384 | Self::Es384 | Self::Hs384 => 48,
            Self::Rs512 | Self::Ps512 | Self::EdDsa | Self::Hs512 => 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn each_is_found_by_its_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::find(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::find("Ed25519"), Some(Algorithm::EdDsa));
    }

    #[test]
    fn nothing_else_is() {
        for name in ["", "none", "None", "rs256", "RS256 ", "RS1", "ES512", "ES256K", "Ed448", "eddsa", "dir"]
        {
            assert_eq!(Algorithm::find(name), None, "{name}");
        }
    }

    #[test]
    fn symmetric_ones() {
        let names: Vec<&str> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| algorithm.is_symmetric())
            .map(Algorithm::name)
            .collect();
        assert_eq!(names, ["HS256", "HS384", "HS512"]);
    }
}
