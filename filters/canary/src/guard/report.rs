//! A trip, as one line of a log.

use super::counts::Figures;
use super::judge::Reason;
use std::fmt;
use std::time::Duration;

/// A trip with its figures. It displays as one line, without the names of the variants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Why the guard has tripped.
    pub reason: Reason,
    /// The figures of the variant.
    pub variant: Figures,
    /// The figures of the baseline.
    pub baseline: Figures,
    /// Number of this trip, from 1 on.
    pub trip: u32,
    /// The trip after which the variant stays off.
    pub max_trips: u32,
    /// How long the variant is off; `None` if it stays off.
    pub hold: Option<Duration>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, variant, baseline, trip, max_trips, .. } = self;
        match reason {
            Reason::ErrorPercentage(allowed) => {
                let allowed = Decimal { integer: allowed.parts_per_million().into(), unit: 10_000 };
                write!(formatter, "{}, allowed {allowed} %", Errors(variant))
            }
            Reason::ErrorRatio(allowed) => {
                let (variant, baseline, allowed) = (Errors(variant), Errors(baseline), ratio(*allowed));
                write!(formatter, "{variant}, baseline {baseline}, allowed {allowed} times that")
            }
            Reason::P95Ratio(allowed) => {
                let (variant, baseline, allowed) = (P95(variant), P95(baseline), ratio(*allowed));
                write!(formatter, "{variant}, baseline {baseline}, allowed {allowed} times that")
            }
        }?;
        write!(formatter, "; trip {trip} of {max_trips}, off for ")?;
        match self.hold {
            Some(hold) => write!(formatter, "{}", Spelt(hold)),
            None => formatter.write_str("good"),
        }
    }
}

struct Errors<'a>(&'a Figures);

impl fmt::Display for Errors<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { requests, errors, .. } = self.0;
        let tenths = errors.saturating_mul(1000).saturating_add(requests / 2) / (*requests).max(1);
        write!(formatter, "errors {}.{} % of {requests} requests", tenths / 10, tenths % 10)
    }
}

struct P95<'a>(&'a Figures);

impl fmt::Display for P95<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { requests, p95, .. } = self.0;
        let millis = p95.map_or(0, |p95| p95.about().as_millis());
        write!(formatter, "p95 about {millis} ms of {requests} requests")
    }
}

/// A decimal number, without zeros at its end. The formatter of floats is 30 KB of a module.
struct Decimal {
    /// The number, times `unit`.
    integer: u64,
    /// A power of ten.
    unit: u64,
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { integer, mut unit } = *self;
        write!(formatter, "{}", integer / unit)?;
        let mut rest = integer % unit;
        if rest > 0 {
            formatter.write_str(".")?;
        }
        while rest > 0 {
            unit /= 10;
            write!(formatter, "{}", rest / unit)?;
            rest %= unit;
        }
        Ok(())
    }
}

/// A ratio, which is at most 1000, to four decimals.
fn ratio(ratio: f64) -> Decimal {
    Decimal { integer: (ratio * 10_000.0).round() as u64, unit: 10_000 }
}

/// A duration in the largest unit that gives an integer, as in a config.
struct Spelt(Duration);

impl fmt::Display for Spelt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let unit = units.into_iter().find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit));
        let (unit, name) = unit.unwrap_or((1, "ms"));
        write!(formatter, "{}{name}", millis / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Bucket;
    use super::{Decimal, Figures, Reason, Report, Spelt};
    use mesh_policy::percent::Percentage;
    use std::time::Duration;

    #[track_caller]
    fn check(reason: Reason, trip: u32, expected: &str) {
        let figures = |requests, errors, p95| Figures {
            requests,
            errors,
            p95: Some(Bucket::of(Duration::from_millis(p95))),
        };
        let report = Report {
            reason,
            variant: figures(512, 103, 840),
            baseline: figures(4096, 4, 400),
            trip,
            max_trips: 3,
            hold: (trip < 3).then_some(Duration::from_secs(600)),
        };
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_trip_is_one_line_with_figures() {
        let percentage = |parts| Reason::ErrorPercentage(Percentage::from_parts_per_million(parts).unwrap());
        check(percentage(50_000), 1, "errors 20.1 % of 512 requests, allowed 5 %; trip 1 of 3, off for 10m");
        check(percentage(500), 2, "errors 20.1 % of 512 requests, allowed 0.05 %; trip 2 of 3, off for 10m");
        check(
            Reason::ErrorRatio(2.0),
            3,
            "errors 20.1 % of 512 requests, baseline errors 0.1 % of 4096 requests, allowed 2 times that; trip 3 \
             of 3, off for good",
        );
        check(
            Reason::P95Ratio(1.5),
            2,
            "p95 about 814 ms of 512 requests, baseline p95 about 418 ms of 4096 requests, allowed 1.5 times that; \
             trip 2 of 3, off for 10m",
        );
    }

    #[test]
    fn a_decimal_has_no_zeros_at_its_end() {
        #[track_caller]
        fn check(integer: u64, expected: &str) {
            assert_eq!(Decimal { integer, unit: 10_000 }.to_string(), expected);
        }
        check(0, "0");
        check(1, "0.0001");
        check(10_500, "1.05");
        check(1_000_000, "100");
        check(123_456, "12.3456");
    }

    #[test]
    fn a_hold_is_spelt_as_in_a_config() {
        #[track_caller]
        fn check(millis: u64, expected: &str) {
            assert_eq!(Spelt(Duration::from_millis(millis)).to_string(), expected);
        }
        check(0, "0ms");
        check(1500, "1500ms");
        check(90_000, "90s");
        check(3_600_000, "1h");
        check(86_400_000, "1d");
    }
}
