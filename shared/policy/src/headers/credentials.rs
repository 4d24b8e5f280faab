//! A canonical form of `authorization`.

use std::borrow::Cow;

/// A canonical form of credentials (RFC 9110, section 11.4): the scheme in lower case, as it is case-insensitive
/// (section 11.1), and runs of spaces and tabs as one space. A value without a space has no scheme and is unchanged.
///
/// `value` must not have leading or trailing spaces.
#[must_use]
pub fn folded_credentials(value: &[u8]) -> Cow<'_, [u8]> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(end) = value.iter().position(is_space) else { return Cow::Borrowed(value) };
    let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    let mut folded = scheme.to_ascii_lowercase();
    for word in rest.split(is_space).filter(|word| !word.is_empty()) {
        folded.push(b' ');
        folded.extend_from_slice(word);
    }
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::folded_credentials;
    use crate::testing::test;

    #[test]
    fn one_credential_has_one_spelling() {
        let check = |value: &str, expected: &str| {
            assert_eq!(*folded_credentials(value.as_bytes()), *expected.as_bytes(), "{value:?}");
        };
        for spelling in ["Bearer T", "bearer T", "BEARER  T", "Bearer\tT", "bEARER \t T"] {
            check(spelling, "bearer T");
        }
        check("Bearer t", "bearer t");
        check("Digest a=1,  b=2", "digest a=1, b=2");
        check("Token", "Token");
        check("", "");
    }
}
