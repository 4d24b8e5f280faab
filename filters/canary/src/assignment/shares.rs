//! Shares of variants, from their weights and the rollout of one of them.

use mesh_policy::percent::Percentage;

/// The weight of a variant, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u32);

impl Weight {
    /// The largest weight: a million.
    pub const MAX: Self = Self(100_000_000);

    /// A weight from hundredths; `None` if it exceeds a million.
    #[must_use]
    pub const fn from_hundredths(hundredths: u32) -> Option<Self> {
        if hundredths <= Self::MAX.0 { Some(Self(hundredths)) } else { None }
    }

    /// The weight in hundredths: 1 is 100.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }
}

/// The shares of variants, in proportion to their weights. With a rollout, the variant with this index has this percentage
/// whatever its weight, and the others have the rest in proportion to theirs.
///
/// If the percentage grows, the variant's share grows and no other does, so nobody leaves it. If the others have no weight,
/// every share is 0, as nobody could have the rest.
///
/// The shares are integers, and exact for up to 90 variants: they are below 2^53.
#[must_use]
pub fn shares(weights: &[Weight], rollout: Option<(usize, Percentage)>) -> Vec<f64> {
    let Some((rolled_out, percentage)) = rollout else {
        return weights.iter().map(|weight| f64::from(weight.0)).collect();
    };
    let percentage = percentage.parts_per_million();
    let rest = Percentage::ALL.parts_per_million().saturating_sub(percentage);
    let others = weights.iter().enumerate().filter(|(index, _)| *index != rolled_out);
    let others: f64 = others.map(|(_, weight)| f64::from(weight.0)).sum();
    let share = |(index, weight): (usize, &Weight)| {
        if index == rolled_out {
            f64::from(percentage) * others
        } else {
            f64::from(rest) * f64::from(weight.0)
        }
    };
    weights.iter().enumerate().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::{Weight, shares};
    use mesh_policy::percent::Percentage;

    /// `rollout`: the index and parts per million.
    #[track_caller]
    fn check(weights: &[u32], rollout: Option<(usize, u32)>, expected: &[u64]) {
        let weights: Vec<_> =
            weights.iter().map(|weight| Weight::from_hundredths(*weight).unwrap()).collect();
        let rollout =
            rollout.map(|(index, parts)| (index, Percentage::from_parts_per_million(parts).unwrap()));
        let expected: Vec<f64> = expected.iter().map(|share| *share as f64).collect();
        assert_eq!(shares(&weights, rollout), expected, "{weights:?} {rollout:?}");
    }

    #[test]
    fn without_a_rollout_the_shares_are_the_weights() {
        check(&[], None, &[]);
        check(&[9_000, 1_000, 0], None, &[9_000, 1_000, 0]);
    }

    #[test]
    fn a_rollout_takes_its_percentage_and_leaves_the_proportions_of_the_others() {
        check(&[9_000, 1_000], Some((1, 250_000)), &[750_000 * 9_000, 250_000 * 9_000]);
        check(&[300, 7, 100], Some((1, 1)), &[999_999 * 300, 400, 999_999 * 100]);
        check(&[300, 7, 100], Some((0, 0)), &[0, 7_000_000, 100_000_000]);
        check(&[300, 7, 100], Some((0, 1_000_000)), &[107_000_000, 0, 0]);
        check(&[0, 5], Some((0, 500_000)), &[2_500_000, 2_500_000]);
    }

    #[test]
    fn where_the_others_have_no_weight_every_share_is_zero() {
        check(&[5], Some((0, 500_000)), &[0]);
        check(&[5, 0], Some((0, 1_000_000)), &[0, 0]);
    }

    #[test]
    fn an_index_of_no_variant_is_the_rollout_of_none() {
        check(&[1, 2], Some((2, 250_000)), &[750_000, 1_500_000]);
        check(&[], Some((0, 250_000)), &[]);
    }

    /// An odd sum that a float of fewer than 53 bits would round.
    #[test]
    fn the_largest_shares_are_exact() {
        let mut weights = vec![100_000_000; 90];
        weights[0] = 99_999_999;
        weights[89] = 7;
        let mut expected: Vec<u64> = weights.iter().map(|weight| u64::from(*weight)).collect();
        expected[89] = 999_999 * 8_899_999_999;
        expected[..89].fill(100_000_000);
        expected[0] = 99_999_999;
        check(&weights, Some((89, 999_999)), &expected);
    }

    #[test]
    fn a_weight_is_at_most_a_million() {
        assert_eq!(Weight::from_hundredths(100_000_000), Some(Weight::MAX));
        assert_eq!(Weight::from_hundredths(100_000_001), None);
        assert_eq!(Weight::MAX.hundredths(), 100_000_000);
    }
}
