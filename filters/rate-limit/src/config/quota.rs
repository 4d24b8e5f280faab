//! A bucket's rate and size.

use crate::policy::{Quota, Rate};
use mesh_config::Fields;
use std::num::NonZeroU64;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const MAX_PER_SECOND: u128 = 1_000_000;
/// Long enough for any quota that people agree on.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// More than the rate brings in a year; the arithmetic has room for it.
const MAX_TOKENS: u64 = 100_000_000_000_000;

/// Reads `rate` and `burst`, which are fields of a limit and of an override. `largest_cost`: what a
/// single request may cost, which the bucket must hold.
pub(super) fn read(fields: &Fields<'_>, largest_cost: Option<u64>) -> Option<Quota> {
    let rate = fields.required("rate", |value| {
        value.object(|fields| {
            let requests = fields.required("requests", |value| value.integer(1..=MAX_TOKENS));
            let per = fields.required("per", |value| value.duration(Duration::from_nanos(1)..=LONGEST));
            let (requests, per) = (requests?, per?);
            let nanos = per.as_nanos();
            if u128::from(requests) * DAY.as_nanos() < nanos {
                return value.problem("found a rate below 1 per day, expected at least that");
            }
            if u128::from(requests) * 1_000_000_000 > MAX_PER_SECOND * nanos {
                return value.problem(format_args!(
                    "found a rate above {MAX_PER_SECOND} per second, expected at most that"
                ));
            }
            let requests = NonZeroU64::new(requests)?;
            Some((requests, Rate::new(requests, per)?))
        })
    });
    let burst = fields.optional("burst", |value| value.integer(1..=MAX_TOKENS));
    let ((requests, rate), burst) = (rate?, burst?);
    let burst = burst.and_then(NonZeroU64::new).unwrap_or(requests);
    match largest_cost {
        Some(cost) if cost > burst.get() => fields.problem(
            "burst",
            &format!("found {burst}, expected at least {cost}, the largest cost of a request"),
        ),
        _ => Some(Quota { rate, burst }),
    }
}
