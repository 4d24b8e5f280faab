//! Whether samples are distributed as they should be.

/// The share of a distribution that is below a value, and the share that does not exceed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// What is less than the value.
    pub below: f64,
    /// What is less than the value, or equal.
    pub up_to: f64,
}

impl Shares {
    /// The shares of a value that has no probability of its own: what a distribution function returns.
    #[must_use]
    pub const fn continuous(share: f64) -> Self {
        Self { below: share, up_to: share }
    }

    /// The shares of `value` after all values are cut to what is between zero and a maximum.
    #[must_use]
    pub fn cut(self, value: f64, max: f64) -> Self {
        Self {
            below: if value <= 0.0 { 0.0 } else { self.below },
            up_to: if value >= max { 1.0 } else { self.up_to },
        }
    }
}

/// The Kolmogorov-Smirnov distance: the greatest difference between the shares of samples and the exact ones, at any
/// value. It sorts the samples.
pub fn distance(samples: &mut [f64], exact: impl Fn(f64) -> Shares) -> f64 {
    samples.sort_by(f64::total_cmp);
    let of_all = |count: usize| count as f64 / samples.len() as f64;
    let (mut below, mut distance) = (0, 0f64);
    for equal in samples.chunk_by(|a, b| a == b) {
        let up_to = below + equal.len();
        let shares = exact(equal[0]);
        distance =
            distance.max((of_all(below) - shares.below).abs()).max((of_all(up_to) - shares.up_to).abs());
        below = up_to;
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::{Shares, distance};

    #[track_caller]
    fn check(samples: &[f64], expected: f64) {
        let exact = |value: f64| Shares::continuous(value / 10.0).cut(value, 8.0);
        let distance = distance(&mut samples.to_vec(), exact);
        assert!((distance - expected).abs() < 1e-9, "{samples:?}: {distance}");
    }

    #[test]
    fn distances_from_a_uniform_distribution_up_to_ten_that_is_cut_to_eight() {
        check(&[5.0], 0.5);
        check(&[2.0], 0.8);
        check(&[2.0, 7.0], 0.3);
        // Their order does not count, nor that two are equal.
        check(&[7.0, 2.0], 0.3);
        check(&[1.0, 3.0, 5.0, 5.0, 7.0], 0.3);
        // A fifth is cut to 8.
        check(&[2.0, 4.0, 6.0, 8.0], 0.2);
        check(&[8.0], 0.8);
        check(&[0.0], 1.0);
    }
}
