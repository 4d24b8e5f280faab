//! The distribution of random delays, as a user writes it.

use super::delay::{DELAY, LONGEST};
use crate::distribution::{Distribution, InvalidQuantiles, Percentile, Quantiles};
use mesh_config::kinds::{Object, by_fields, duration, entries};
use mesh_config::{Form, Kind, ProblemKind, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

const FROM_ZERO: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;
const MAX_POINTS: usize = 32;

mesh_config::object! {
    /// All durations in a range are equally likely.
    #[derive(Clone, Copy, Debug)]
    struct Uniform {
        /// The shortest.
        min: Duration = required(duration(FROM_ZERO)),
        /// The longest.
        max: Duration = required(duration(DELAY)),
    }
    check Uniform::check;
}

mesh_config::object! {
    /// Short durations are the most likely, as between independent events.
    #[derive(Clone, Copy, Debug)]
    struct Exponential {
        /// The mean.
        mean: Duration = required(duration(DELAY)),
    }
}

mesh_config::object! {
    /// A bell curve.
    #[derive(Clone, Copy, Debug)]
    struct Normal {
        /// The mean.
        mean: Duration = required(duration(DELAY)),
        /// The standard deviation.
        stddev: Duration = required(duration(DELAY)),
    }
}

mesh_config::object! {
    /// A bell curve of the logarithm: most are short, and a few are very long.
    #[derive(Clone, Copy, Debug)]
    struct Lognormal {
        /// Half of the durations are shorter.
        median: Duration = required(duration(DELAY)),
        /// 99 of 100 are shorter.
        p99: Duration = required(duration(DELAY)),
    }
    check Lognormal::check;
}

impl Uniform {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        if self.max <= self.min {
            return form.problem_at("max", ProblemKind::Conflict, "expected more than `min`");
        }
        Some(())
    }
}

impl Lognormal {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        if self.p99 <= self.median {
            return form.problem_at("p99", ProblemKind::Conflict, "expected more than `median`");
        }
        Some(())
    }
}

impl Object for Distribution {
    type Context<'a> = ();

    const NAME: &'static str = "Distribution";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        form.one_of()
            .case("uniform", UNIFORM, Uniform::kind(), |Uniform { min, max }| Self::Uniform { min, max })
            .case("exponential", EXPONENTIAL, Exponential::kind(), |Exponential { mean }| Self::Exponential {
                mean,
            })
            .case("normal", NORMAL, Normal::kind(), |Normal { mean, stddev }| Self::Normal { mean, stddev })
            .case("lognormal", LOGNORMAL, Lognormal::kind(), |Lognormal { median, p99 }| Self::Lognormal {
                median,
                p99,
            })
            .case("quantiles", QUANTILES, quantiles(), Self::Quantiles)
            .end()
    }
}

const UNIFORM: &str = "Between two durations.";
const EXPONENTIAL: &str = "By its mean.";
const NORMAL: &str = "By its mean and its standard deviation.";
const LOGNORMAL: &str = "By its median and its 99th percentile.";
const QUANTILES: &str =
    "By what a dashboard shows: `p0`, `p100` and any points in between, as `p99.9`, linear between them.";

/// The points of a distribution, by names such as `p99.9`.
fn quantiles() -> impl Kind<Out = Quantiles> {
    entries(point, duration(FROM_ZERO), MAX_POINTS, "points").and_then(|value, points| {
        match Quantiles::new(points) {
            Ok(quantiles) => Some(quantiles),
            Err(invalid) => refuse(value, invalid),
        }
    })
}

fn point(name: &str, value: &Value<'_>) -> Option<Percentile> {
    match Percentile::named(name) {
        None => value.problem(
            ProblemKind::BadPattern,
            "not a percentile, expected a name from `p0` to `p100`, with at most three decimals",
        ),
        point => point,
    }
}

fn refuse<T>(value: &Value<'_>, invalid: InvalidQuantiles) -> Option<T> {
    match invalid {
        InvalidQuantiles::NoP0 => value.problem_at("p0", ProblemKind::Missing, "missing"),
        InvalidQuantiles::NoP100 => value.problem_at("p100", ProblemKind::Missing, "missing"),
        InvalidQuantiles::Falling { from, to } => {
            let message = format_args!("expected at least that of `{from}`");
            value.problem_at(&to.to_string(), ProblemKind::Conflict, message)
        }
        InvalidQuantiles::Repeated(percentile) => {
            value.problem(ProblemKind::Duplicate, format_args!("found `{percentile}` twice"))
        }
    }
}
