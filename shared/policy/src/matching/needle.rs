//! Substring search in linear time.

/// A prepared substring search (Knuth-Morris-Pratt). With a naive search, a client could choose a value of 60 KiB that
/// takes quadratic time (`aaaa…` for `aaab`).
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    bytes: Box<[u8]>,
    /// For each length of a partial match, minus one: the length of the next shorter partial match that ends at the same
    /// byte.
    shorter: Box<[usize]>,
    ignore_case: bool,
}

impl Needle {
    pub(crate) fn new(bytes: &[u8], ignore_case: bool) -> Self {
        let mut needle = Self { bytes: bytes.into(), shorter: [].into(), ignore_case };
        if ignore_case {
            needle.bytes.make_ascii_lowercase();
        }
        let mut shorter = Vec::with_capacity(bytes.len());
        let mut matched = 0;
        for byte in needle.bytes.iter().skip(1) {
            // `step` only needs the entries that are already computed.
            shorter.push(matched);
            matched = step(&needle.bytes, &shorter, matched, *byte);
        }
        shorter.push(matched);
        needle.shorter = shorter.into();
        needle
    }

    /// The bytes to search for, in lower case if case is ignored.
    pub(crate) const fn text(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_in(&self, value: &[u8]) -> bool {
        let mut matched = 0;
        let mut rest = value.iter();
        while matched < self.bytes.len() {
            let Some(byte) = rest.next() else { return false };
            let byte = if self.ignore_case { byte.to_ascii_lowercase() } else { *byte };
            matched = step(&self.bytes, &self.shorter, matched, byte);
        }
        true
    }
}

/// The length of the partial match that ends with `byte`, after one of length `matched`.
fn step(needle: &[u8], shorter: &[usize], mut matched: usize, byte: u8) -> usize {
    loop {
        if needle.get(matched) == Some(&byte) {
            return matched + 1;
        }
        match matched.checked_sub(1).and_then(|index| shorter.get(index)) {
            Some(length) => matched = *length,
            None => return 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Needle;
    use crate::testing::test;

    #[track_caller]
    fn check(needle: &str, value: &str, expected: bool) {
        assert_eq!(
            Needle::new(needle.as_bytes(), false).is_in(value.as_bytes()),
            expected,
            "{needle} {value}"
        );
    }

    #[test]
    fn needles() {
        check("", "", true);
        check("a", "", false);
        check("abc", "xxabcx", true);
        check("aab", "aaaab", true);
        check("abab", "abaabab", true);
        check("abac", "ababac", true);
        check("aba", "abb", false);
        check("A", "a", false);
        assert!(Needle::new(b"aB\xff", true).is_in(b"xAb\xff"));
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::Needle;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_naive_search_says(needle in "[abB]{1,6}", value in "[abB]{0,30}") {
            prop_assert_eq!(Needle::new(needle.as_bytes(), false).is_in(value.as_bytes()), value.contains(&needle));
            let (lower_needle, lower_value) = (needle.to_lowercase(), value.to_lowercase());
            prop_assert_eq!(Needle::new(needle.as_bytes(), true).is_in(value.as_bytes()), lower_value.contains(&lower_needle));
        }
    }
}
