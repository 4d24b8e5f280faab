//! The secret that permits a request to ask for a fault.

use std::fmt;
use std::ops::RangeInclusive;
use subtle::ConstantTimeEq as _;

/// A secret of 8 to 256 bytes. There is no other way to compare it than in constant time.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Number of bytes that a secret may have.
    pub(crate) const BYTES: RangeInclusive<usize> = 8..=256;

    /// A secret; `None` if it does not have 8 to 256 bytes.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        Self::BYTES.contains(&secret.len()).then(|| Self(secret.as_bytes().into()))
    }

    /// Whether the value is the secret. How long this takes depends on the lengths only.
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        self.0.ct_eq(value).into()
    }
}

impl fmt::Debug for Secret {
    /// Omits the bytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[track_caller]
    fn check(secret: &str, value: &[u8], expected: bool) {
        assert_eq!(Secret::new(secret).unwrap().matches(value), expected, "{secret:?} {value:?}");
    }

    #[test]
    fn only_the_same_bytes_match() {
        check("open sesame", b"open sesame", true);
        check("open sesame", b"open sesamE", false);
        check("open sesame", b"Open sesame", false);
        check("open sesame", b"open sesam", false);
        check("open sesame", b"open sesame ", false);
        check("open sesame", b"", false);
        check("schlüssel", "schlüssel".as_bytes(), true);
        check("schlüssel", b"schl\xfcssel", false);
    }

    #[test]
    fn a_secret_has_8_to_256_bytes() {
        let accepted = |size: usize| Secret::new(&"x".repeat(size)).is_some();
        assert_eq!([0, 7, 8, 256, 257].map(accepted), [false, false, true, true, false]);
        // Bytes, not characters.
        assert!(Secret::new("üüüü").is_some());
    }

    #[test]
    fn a_secret_is_not_logged() {
        assert_eq!(format!("{:?}", Secret::new("open sesame")), "Some(Secret(..))");
    }
}
