//! The hash for stored data: SipHash-2-4 with 128 bits of output
//! (Aumasson and Bernstein, <https://www.aumasson.jp/siphash/siphash.pdf>), over a list of parts.
//!
//! It is the same on all platforms and in all versions of this crate. Membership in a canary and the slot of a client
//! depend on it, so the vectors in the tests must never change.
//!
//! The message consists of the parts in order, each as its length (u64, little-endian) and its bytes; an absent part
//! is the length 2^64-1 and no bytes. So different lists have different messages: `["ab", "c"]` differs from
//! `["a", "bc"]`, and an absent part from an empty one.

use siphasher::sip128::{Hasher128, SipHasher24};
use std::fmt;
use std::hash::Hasher as _;

/// The key of a hash. It is secret and random where clients must not be able to compute collisions, and from the config
/// where a choice must be reproducible.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of choices that anyone may compute, as which variant or which fault a user gets. It must never change.
    pub const PUBLIC: Self = Self(*b"mesh-filters 1.0");

    /// A key from bytes in the order of the SipHash paper.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A hasher of an empty list.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        Hasher(SipHasher24::new_with_key(&self.0))
    }
}

impl fmt::Debug for Key {
    /// Omits the bytes, as the key may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// Hashes a list of parts. It does not implement `Debug`, as its state reveals the key.
#[derive(Clone)]
pub struct Hasher(SipHasher24);

impl Hasher {
    /// Adds a part.
    pub fn part(&mut self, part: &[u8]) {
        self.length(part.len() as u64);
        self.0.write(part);
    }

    /// Adds an absent part.
    pub fn absent(&mut self) {
        self.length(u64::MAX);
    }

    /// Adds a part that may be absent.
    pub fn optional(&mut self, part: Option<&[u8]>) {
        match part {
            Some(part) => self.part(part),
            None => self.absent(),
        }
    }

    fn length(&mut self, length: u64) {
        // `write_u64` hashes a number in the platform's byte order; here it is little-endian everywhere.
        self.0.write_u64(length.to_le());
    }

    /// The hash of the parts so far: SipHash's 16 bytes of output, read as little-endian.
    #[must_use]
    pub fn finish(&self) -> u128 {
        let (first, second) = self.finish_halves();
        u128::from(first) | u128::from(second) << 64
    }

    /// The two halves of [`Hasher::finish`], the low one first: two independent uniform numbers, each suitable as the
    /// roll of a [`Percentage`](crate::percent::Percentage).
    #[must_use]
    pub fn finish_halves(&self) -> (u64, u64) {
        let hash = self.0.finish128();
        (hash.h1, hash.h2)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::testing::test;

    const KEY: Key = Key::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    #[track_caller]
    fn check(parts: &[Option<&[u8]>], expected: u128) {
        let mut hasher = KEY.hasher();
        parts.iter().for_each(|part| hasher.optional(*part));
        assert_eq!(hasher.finish(), expected, "{parts:?} {:#x}", hasher.finish());
    }

    /// From an independent implementation that was checked with the vectors of the paper. They must never change.
    #[test]
    fn known_answers() {
        // The first vector of the reference implementation: a3817f04ba25a8e66df67214c7550293.
        check(&[], 0x9302_55c7_1472_f66d_e6a8_25ba_047f_81a3);
        check(&[Some(b"")], 0x1d80_5762_9da4_92bd_96f2_e6ef_68ab_93c2);
        check(&[None], 0x1a5e_baf2_814f_ec00_e10f_fcea_98f5_341c);
        check(&[Some(b"canary"), Some(b"user-42")], 0x3f2f_992f_4cf7_d073_2723_d362_0f84_876d);
        check(&[Some(b"\x80\xff"), None, Some(b"")], 0xb862_2c9c_abfc_dc72_ee68_1ffa_495f_da4e);
    }

    #[test]
    fn the_low_half_comes_first() {
        assert_eq!(KEY.hasher().finish_halves(), (0xe6a8_25ba_047f_81a3, 0x9302_55c7_1472_f66d));
    }

    #[test]
    fn a_key_is_not_logged() {
        assert_eq!(format!("{KEY:?}"), "Key(..)");
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::Key;
    use proptest::prelude::*;

    /// Short parts of few bytes, so that lists with the same concatenation are frequent.
    fn parts() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
        prop::collection::vec(prop::option::of(prop::collection::vec(0u8..2, 0..3)), 0..4)
    }

    proptest! {
        #[test]
        fn different_lists_have_different_hashes(a in parts(), b in parts(), key: [u8; 16]) {
            let hash = |parts: &[Option<Vec<u8>>]| {
                let mut hasher = Key::new(key).hasher();
                parts.iter().for_each(|part| hasher.optional(part.as_deref()));
                hasher.finish()
            };
            prop_assert_eq!(a == b, hash(&a) == hash(&b));
        }
    }
}
