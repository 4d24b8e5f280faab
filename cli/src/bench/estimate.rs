//! The median of few samples, and where the true median is.

/// Fewest samples that bound a median with 95 % confidence.
pub(super) const MIN_SAMPLES: usize = 6;
/// Most samples: the probability that all of them are on one side of the median is still a number.
pub(super) const MAX_SAMPLES: usize = 1000;

/// Probability that the true median is below the interval, and that it is above.
const TAIL: f64 = 0.025;

/// A median, and an interval that has the true one with a confidence of at least 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The median of the samples.
    pub(crate) median: f64,
    /// The interval's lower end, which is a sample.
    pub(crate) low: f64,
    /// The interval's upper end, which is a sample.
    pub(crate) high: f64,
}

impl Estimate {
    /// The median of samples, if there are [`MIN_SAMPLES`] to [`MAX_SAMPLES`].
    ///
    /// The interval is that of the sign test. How many samples are below the true median is binomial, whatever their
    /// distribution: the interval leaves out as many at each end as are that few with a probability of at most 2.5 %.
    pub(crate) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        samples.sort_by(f64::total_cmp);
        let left_out = left_out(samples.len())?;
        let at = |index: usize| samples.get(index).copied();
        let last = samples.len().checked_sub(1)?;
        Some(Self {
            median: f64::midpoint(at(last / 2)?, at(samples.len() / 2)?),
            low: at(left_out)?,
            high: at(last.checked_sub(left_out)?)?,
        })
    }

    /// What the first of two rows costs more than the second. Both were measured in the same rounds, so what slows the machine down
    /// for longer than a round cancels out.
    pub(crate) fn of_difference(first: &[f64], second: &[f64]) -> Option<Self> {
        Self::of(first.iter().zip(second).map(|(first, second)| first - second))
    }

    /// The ratio of two rows that were measured in the same rounds.
    ///
    /// The interval has each ratio `r` for which the sign test finds no difference between the first row and `r` times the
    /// second. A round in which the second row is not positive agrees with none, since `r` would have to be infinite.
    pub(crate) fn of_ratio(first: &[f64], second: &[f64]) -> Option<Self> {
        let ratio =
            |(first, second): (&f64, &f64)| if *second > 0.0 { first / second } else { f64::INFINITY };
        Self::of(first.iter().zip(second).map(ratio))
    }

    /// The width of the interval, as a part of the median.
    pub(crate) fn width(self) -> f64 {
        (self.high - self.low) / self.median.abs()
    }
}

/// How many samples the interval leaves out at each end.
fn left_out(samples: usize) -> Option<usize> {
    if !(MIN_SAMPLES..=MAX_SAMPLES).contains(&samples) {
        return None;
    }
    // The probability that `below` samples are below the true median.
    let mut exactly = 0.5_f64.powf(samples as f64);
    let mut at_most = exactly;
    let mut below = 0;
    while at_most <= TAIL {
        exactly *= (samples - below) as f64 / (below + 1) as f64;
        at_most += exactly;
        below += 1;
    }
    // `below` or fewer are too probable; fewer than `below` are not.
    below.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: usize, low: usize, high: usize) {
        let found = Estimate::of((1..=samples).rev().map(|sample| sample as f64)).unwrap();
        assert_eq!((found.low, found.high), (low as f64, high as f64), "{samples}");
        assert_eq!(found.median, (samples + 1) as f64 / 2.0, "{samples}");
    }

    /// Tables of the sign test have these ranks.
    #[test]
    fn the_bounds_are_the_ranks_of_the_tables() {
        check(6, 1, 6);
        check(8, 1, 8);
        check(9, 2, 8);
        check(10, 2, 9);
        check(20, 6, 15);
        check(25, 8, 18);
        check(30, 10, 21);
        check(50, 18, 33);
        check(100, 40, 61);
    }

    #[test]
    fn too_few_samples_bound_nothing() {
        assert_eq!(Estimate::of([1.0; MIN_SAMPLES - 1]), None);
        assert_eq!(Estimate::of([1.0; MAX_SAMPLES + 1]), None);
        assert!(Estimate::of([1.0; MAX_SAMPLES]).is_some());
    }

    /// Exact, with whole numbers: how many of the 2^n ways to lie below or above a median the interval holds for.
    #[test]
    fn the_interval_is_the_narrowest_with_95_percent() {
        let mut ways: Vec<u128> = vec![1];
        for samples in 1..=100_usize {
            let next =
                |index: usize| ways.get(index.wrapping_sub(1)).unwrap_or(&0) + ways.get(index).unwrap_or(&0);
            ways = (0..=samples).map(next).collect();
            let missed = |left_out: usize| 2 * ways[..=left_out].iter().sum::<u128>();
            let all = 1_u128 << samples;
            match left_out(samples) {
                None => assert!(samples < MIN_SAMPLES && missed(0) * 20 > all, "{samples}"),
                Some(left_out) => {
                    assert!(missed(left_out) * 20 <= all, "{samples}");
                    assert!(missed(left_out + 1) * 20 > all, "{samples}");
                }
            }
        }
    }

    #[test]
    fn the_order_and_the_unit_of_samples_do_not_change_the_interval() {
        let samples = |unit: f64| (0..40_u32).map(move |index| f64::from(index * 7 % 40) * unit + unit);
        let found = Estimate::of(samples(1.0)).unwrap();
        let other = Estimate::of(samples(4.0).collect::<Vec<_>>().into_iter().rev()).unwrap();
        assert_eq!(
            [other.low, other.median, other.high],
            [found.low, found.median, found.high].map(|x| x * 4.0)
        );
        assert_eq!(other.width(), found.width());
    }

    #[test]
    fn what_slows_down_a_round_is_in_both_rows_of_a_difference() {
        let second: Vec<f64> = (0..30).map(|round| 100.0 + f64::from(round % 7) * 50.0).collect();
        let first: Vec<f64> = second.iter().map(|nanos| nanos + 3.0).collect();
        let found = Estimate::of_difference(&first, &second);
        assert_eq!(found, Some(Estimate { median: 3.0, low: 3.0, high: 3.0 }));
    }

    #[test]
    fn what_slows_down_a_round_is_in_both_rows_of_a_ratio() {
        let second: Vec<f64> = (0..30).map(|round| 1.0 + f64::from(round % 7)).collect();
        let first: Vec<f64> = second.iter().map(|added| added * 1.5).collect();
        let found = Estimate::of_ratio(&first, &second).unwrap();
        assert_eq!(found, Estimate { median: 1.5, low: 1.5, high: 1.5 });
    }

    #[test]
    fn a_row_that_adds_nothing_has_no_multiple() {
        let found = Estimate::of_ratio(&[1.0; 6], &[1.0, 1.0, 1.0, 1.0, 1.0, -1.0]).unwrap();
        assert_eq!(found, Estimate { median: 1.0, low: 1.0, high: f64::INFINITY });
    }
}
