//! A trip, as one line of a log.

use super::counts::Figures;
use super::judge::Reason;
use mesh_config::{decimal, spelt};
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
                let allowed = decimal(f64::from(allowed.parts_per_million()) / 10_000.0);
                write!(formatter, "{}, allowed {allowed} %", Errors(variant))
            }
            Reason::ErrorRatio(allowed) => {
                let (variant, baseline, allowed) = (Errors(variant), Errors(baseline), decimal(*allowed));
                write!(formatter, "{variant}, baseline {baseline}, allowed {allowed} times that")
            }
            Reason::P95Ratio(allowed) => {
                let (variant, baseline, allowed) = (P95(variant), P95(baseline), decimal(*allowed));
                write!(formatter, "{variant}, baseline {baseline}, allowed {allowed} times that")
            }
        }?;
        write!(formatter, "; trip {trip} of {max_trips}, off for ")?;
        match self.hold {
            Some(hold) => formatter.write_str(&spelt(hold)),
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

#[cfg(test)]
mod tests {
    use super::super::histogram::Bucket;
    use super::{Figures, Reason, Report};
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
}
