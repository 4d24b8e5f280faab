//! Percentages of requests.

use mesh_config::Kind;
use mesh_config::kinds::decimal;

/// A percentage with exactly four decimals, stored in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentage(u32);

impl Percentage {
    /// No request.
    pub const NONE: Self = Self(0);
    /// Every request.
    pub const ALL: Self = Self(MILLION);

    /// A percentage from parts per million; `None` if `parts` exceeds a million.
    #[must_use]
    pub const fn from_parts_per_million(parts: u32) -> Option<Self> {
        if parts <= MILLION { Some(Self(parts)) } else { None }
    }

    /// The percentage in parts per million: 1 % is 10 000.
    #[must_use]
    pub const fn parts_per_million(self) -> u32 {
        self.0
    }

    /// A number from 0 to 100 with up to four decimals. A fifth decimal is refused rather than rounded:
    /// 0.00001 would silently become never.
    #[must_use]
    pub fn kind() -> impl Kind<Out = Self> {
        decimal(0.0..=100.0, 10_000, "at most four decimals").map(Self)
    }

    /// Whether a request is included. `roll` is uniformly distributed over `u64`: random, or the hash of what the choice
    /// depends on. A roll that is included stays included for a larger percentage.
    #[must_use]
    pub fn holds(self, roll: u64) -> bool {
        // Scaled instead of `% MILLION`, so that the parts differ by one in 2^44 rolls at most.
        (u128::from(roll) * u128::from(MILLION)) >> 64 < u128::from(self.0)
    }
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::Percentage;
    use crate::testing::{read_field, test};

    #[track_caller]
    fn check(number: &str, expected: Result<u32, &str>) {
        let parts = read_field("p", number, Percentage::kind()).map(Percentage::parts_per_million);
        assert_eq!(parts, expected.map_err(|message| format!("p: {message}")));
    }

    #[test]
    fn up_to_four_decimals_are_exact() {
        check("0", Ok(0));
        check("-0.0", Ok(0));
        check("100.0", Ok(1_000_000));
        check("0.0001", Ok(1));
        check("12.3456", Ok(123_456));
        check("99.9999", Ok(999_999));
        check("0.10000000000000001", Ok(1_000));
        check("33.3", Ok(333_000));
    }

    #[test]
    fn anything_else_is_refused() {
        check("0.00001", Err("found 0.00001, expected at most four decimals"));
        check("33.33333", Err("found 33.33333, expected at most four decimals"));
        check("100.0001", Err("found 100.0001, expected a number from 0 to 100"));
        check("-1", Err("found -1, expected a number from 0 to 100"));
        check("\"5%\"", Err("found `5%`, expected a number from 0 to 100"));
    }

    #[test]
    fn the_ends_are_exact() {
        for roll in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Percentage::NONE.holds(roll), "{roll}");
            assert!(Percentage::ALL.holds(roll), "{roll}");
        }
        let half = Percentage::from_parts_per_million(500_000).unwrap();
        assert!(half.holds(u64::MAX / 2) && !half.holds(u64::MAX / 2 + 1));
        assert_eq!(Percentage::from_parts_per_million(1_000_001), None);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::{MILLION, Percentage};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_share_holds_a_greater_share_holds(roll: u64, a in 0..=MILLION, b in 0..=MILLION) {
            let (less, more) = (Percentage(a.min(b)), Percentage(a.max(b)));
            prop_assert!(!less.holds(roll) || more.holds(roll));
        }

        #[test]
        fn every_number_of_four_decimals_is_read_exactly(parts in 0..=MILLION) {
            let number = format!("{}.{:04}", parts / 10_000, parts % 10_000);
            let read = crate::testing::read_field("p", &number, Percentage::kind());
            prop_assert_eq!(read, Ok(Percentage(parts)));
        }
    }
}
