//! What takes a variant out.

use super::variant::{Variant, one_of};
use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, choice, duration, integer, number, object_with};
use mesh_config::{Form, Kind, ProblemKind, Value};
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use std::ops::RangeInclusive;
use std::time::Duration;

const HOUR: u64 = 3600;
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(HOUR);
const HOLD: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * HOUR);
const RATIO: RangeInclusive<f64> = 1.0..=1000.0;

/// Compares a variant with a baseline, and takes it out when it is worse than allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The variant.
    pub variant: String,
    /// The variant that it is compared with.
    pub baseline: String,
    /// The variant that takes its requests while it is out.
    pub fall_back_to: String,
    /// What is allowed.
    pub limits: Limits,
    /// Minimum number of requests that are judged.
    pub min_requests: u32,
    /// The time over which it is judged.
    pub window: Duration,
    /// How long it stays out.
    pub hold: Duration,
    /// After so many trips it stays out for good.
    pub max_trips: u32,
    /// Whether it is taken out, or would be.
    pub mode: Mode,
}

/// What a guard allows; at least one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Maximum percentage of errors.
    pub max_error_percentage: Option<Percentage>,
    /// Maximum rate of errors, as a multiple of the baseline's.
    pub max_error_ratio: Option<f64>,
    /// Maximum 95th percentile of the time to response headers, as a multiple of the baseline's.
    pub max_p95_ratio: Option<f64>,
}

impl Guard {
    /// How it is read from a config. `variants`: those of the split, if they are good.
    pub(super) fn kind(variants: Option<&[Variant]>) -> impl Kind<Out = Self> {
        object_with::<Self>(variants)
    }
}

impl Object for Guard {
    /// The variants, if they are good.
    type Context<'a> = Option<&'a [Variant]>;

    const NAME: &'static str = "Guard";

    #[inline(never)]
    fn read(value: &Value<'_>, context: Self::Context<'_>) -> Option<Self> {
        by_fields(value, context)
    }

    fn fields<F: Form>(form: &mut F, variants: Option<&[Variant]>) -> Option<Self> {
        let variant = form.required("variant", VARIANT, one_of(variants));
        let other = || other_than(variant.as_deref(), variants);
        let baseline = form.omitted("baseline", BASELINE, some(other()));
        let fall_back_to = form.omitted("fall_back_to", FALL_BACK_TO, some(other()));
        let max_error_percentage =
            form.restriction("max_error_percentage", MAX_ERROR_PERCENTAGE, some(Percentage::kind()));
        let max_error_ratio = form.restriction("max_error_ratio", MAX_ERROR_RATIO, some(number(RATIO)));
        let max_p95_ratio = form.restriction("max_p95_ratio", MAX_P95_RATIO, some(number(RATIO)));
        let min_requests = form.default("min_requests", MIN_REQUESTS, "100", integer(10..=1_000_000));
        let window = form.default("window", WINDOW_DOC, "\"1m\"", duration(WINDOW));
        let hold = form.default("hold", HOLD_DOC, "\"10m\"", duration(HOLD));
        let max_trips = form.default("max_trips", MAX_TRIPS, "3", integer(1..=1000));
        let mode = form.default("mode", MODE, "\"enforce\"", choice::<Mode>());
        let limits = Limits {
            max_error_percentage: max_error_percentage?,
            max_error_ratio: max_error_ratio?,
            max_p95_ratio: max_p95_ratio?,
        };
        if limits == (Limits { max_error_percentage: None, max_error_ratio: None, max_p95_ratio: None }) {
            return form.require_one_of(&["max_error_percentage", "max_error_ratio", "max_p95_ratio"]);
        }
        let (variant, variants) = (variant?, variants?);
        let baseline = match baseline? {
            Some(baseline) => baseline,
            None => {
                let mut others = variants.iter().filter(|other| other.name != variant);
                match (others.next(), others.next()) {
                    (Some(only), None) => only.name.clone(),
                    _ => {
                        let message = "expected one, as the split has several other variants";
                        return form.problem_at("baseline", ProblemKind::Missing, message);
                    }
                }
            }
        };
        Some(Self {
            fall_back_to: fall_back_to?.unwrap_or_else(|| baseline.clone()),
            variant,
            baseline,
            limits,
            min_requests: min_requests?,
            window: window?,
            hold: hold?,
            max_trips: max_trips?,
            mode: mode?,
        })
    }
}

const VARIANT: &str = "The variant that is taken out when it fails.";
const BASELINE: &str = "The variant that it is compared with. Default: the other variant, if there is only one; \
    otherwise it is required.";
const FALL_BACK_TO: &str = "The variant that takes its requests while it is out. Default: `baseline`.";
const MAX_ERROR_PERCENTAGE: &str =
    "The variant trips with a higher percentage of errors, with up to four decimals. Default: not checked.";
const MAX_ERROR_RATIO: &str = "The variant trips with a rate of errors that is more than this multiple of the baseline's, \
    and at least five errors. Default: not checked.";
const MAX_P95_RATIO: &str = "The variant trips if the 95th percentile of its time to response headers is more than this \
    multiple of the baseline's, and at least 10 ms longer. Default: not checked.";
const MIN_REQUESTS: &str = "Fewer requests in a window are not judged.";
const WINDOW_DOC: &str = "The time over which it is [judged](#the-guard).";
const HOLD_DOC: &str = "How long the variant stays out. Then it returns, with the first step of its rollout.";
const MAX_TRIPS: &str = "After so many trips it stays out, until a push changes the guard or the rollout.";
const MODE: &str =
    "As `mode` at the top: in `shadow` a trip is logged and counted, and nothing is taken out.";

/// A variant of the split other than the guarded one.
fn other_than(variant: Option<&str>, variants: Option<&[Variant]>) -> impl Kind<Out = String> {
    one_of(variants).and_then(move |value, name: String| {
        if variant == Some(name.as_str()) {
            return value.expected(ProblemKind::Conflict, "another variant than the guarded one");
        }
        Some(name)
    })
}
