//! Percentiles by their names.

use std::fmt;

/// A percentage from 0 to 100 with at most three decimals, written as `p0`, `p99.9` or `p100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile {
    /// In thousandths of a percent, 100 000 at most.
    thousandths: u32,
}

impl Percentile {
    /// The least.
    pub(super) const P0: Self = Self { thousandths: 0 };
    /// The greatest.
    pub(super) const P100: Self = Self { thousandths: 100_000 };

    /// The percentile with this name.
    ///
    /// `None` for another name: a number has no sign, no unnecessary leading zero, at most three decimals, and is at most
    /// 100.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let number = name.strip_prefix('p')?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let scale = match decimals.len() {
            1 => 100,
            2 => 10,
            _ => 1,
        };
        let percentile = Self { thousandths: digits(whole)? * 1000 + digits(decimals)? * scale };
        (percentile <= Self::P100).then_some(percentile)
    }

    #[cfg(test)]
    pub(super) const fn of_thousandths(thousandths: u32) -> Self {
        Self { thousandths }
    }

    /// The percentage in thousandths of a percent.
    pub(super) fn thousandths(self) -> f64 {
        f64::from(self.thousandths)
    }
}

/// A number of one to three digits.
fn digits(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (text.len() <= 3 && digits).then(|| text.parse().ok())?
}

impl fmt::Display for Percentile {
    /// The shortest name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("p{}.{:03}", self.thousandths / 1000, self.thousandths % 1000);
        formatter.write_str(name.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Percentile;
    use proptest::prelude::*;

    #[track_caller]
    fn check(name: &str, expected: Option<u32>) {
        assert_eq!(Percentile::named(name).map(|found| found.thousandths), expected, "{name:?}");
    }

    #[test]
    fn names() {
        check("p0", Some(0));
        check("p5", Some(5_000));
        check("p50", Some(50_000));
        check("p50.0", Some(50_000));
        check("p99", Some(99_000));
        check("p99.9", Some(99_900));
        check("p99.99", Some(99_990));
        check("p99.999", Some(99_999));
        check("p0.001", Some(1));
        check("p0.050", Some(50));
        check("p100", Some(100_000));
        check("p100.000", Some(100_000));
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "p", "p.", "p.5", "p5.", "50", "P50", "q50", "pp50", "p50%", "p50.5.5", "p5e1", "p٥"]
        {
            check(name, None);
        }
        for name in ["p-1", "p+1", "p1.+5", "p1.-5", " p1", "p1 ", "p 1", "p1. 5"] {
            check(name, None);
        }
        for name in [
            "p00",
            "p099",
            "p01.5",
            "p0100",
            "p50.0000",
            "p50.0005",
            "p0.0001",
            "p100.001",
            "p101",
            "p999",
            "p1000",
            "p4294967296",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn every_percentile_has_a_name_that_is_read_as_it() {
        let name = |thousandths| Percentile::of_thousandths(thousandths).to_string();
        for thousandths in 0..=100_000 {
            check(&name(thousandths), Some(thousandths));
        }
        assert_eq!([0, 50, 90_000, 99_900, 100_000].map(name), ["p0", "p0.05", "p90", "p99.9", "p100"]);
    }

    proptest! {
        #[test]
        fn any_name_is_read_or_refused(name in "p?[0-9.+ ]{0,5}|\\PC{0,6}") {
            // Without unnecessary zeros, names and percentiles are in one-to-one relation.
            if let Some(percentile) = Percentile::named(&name) {
                let shortest = if name.contains('.') { name.trim_end_matches('0').trim_end_matches('.') } else { &name };
                prop_assert_eq!(percentile.to_string(), shortest);
            }
        }
    }
}
