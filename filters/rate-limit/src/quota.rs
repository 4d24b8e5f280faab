//! Refill rate and size of a bucket, in integer arithmetic without rounding errors.
//!
//! A rate of R tokens in P nanoseconds is kept in lowest terms, and tokens are counted in **units** of 1/P token.
//! Then a nanosecond refills exactly R units, and a token is exactly P units, at any rate: 700 000/s, a token every
//! 1428.57 ns, is 7 units per nanosecond and 10 000 units per token.
//!
//! The state of a bucket is what it **owes**: the units missing from full. A bucket that owes nothing is full; one
//! that owes its capacity (burst × P) is empty.

use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, duration, integer};
use mesh_config::{Form, ProblemKind, Value};
use mesh_policy::time::Nanos;
use std::num::NonZeroU64;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const MAX_PER_SECOND: u128 = 1_000_000;
const MAX_PER: Duration = Duration::from_secs(365 * 86_400);
/// More than the rate brings in a year; the arithmetic has room for it.
const MAX_TOKENS: u64 = 100_000_000_000_000;

/// Tokens over time, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    tokens: NonZeroU64,
    nanos: NonZeroU64,
}

impl Rate {
    /// `tokens` in the time `per`; `None` if `per` is zero or longer than 584 years.
    #[must_use]
    pub fn new(tokens: NonZeroU64, per: Duration) -> Option<Self> {
        let nanos = NonZeroU64::new(u64::try_from(per.as_nanos()).ok()?)?;
        let divisor = greatest_common_divisor(tokens, nanos);
        Some(Self {
            tokens: NonZeroU64::new(tokens.get() / divisor)?,
            nanos: NonZeroU64::new(nanos.get() / divisor)?,
        })
    }

    /// A rate from the terms in a record; `None` if one of them is zero.
    pub(crate) fn from_terms(tokens: u64, nanos: u64) -> Option<Self> {
        Some(Self { tokens: NonZeroU64::new(tokens)?, nanos: NonZeroU64::new(nanos)? })
    }

    /// Tokens and nanoseconds, for a record.
    pub(crate) const fn terms(self) -> (u64, u64) {
        (self.tokens.get(), self.nanos.get())
    }

    /// The faster of two rates.
    pub(crate) fn faster(self, other: Self) -> Self {
        let product = |rate: Self, other: Self| u128::from(rate.tokens.get()) * u128::from(other.nanos.get());
        if product(other, self) > product(self, other) { other } else { self }
    }

    /// Units that are refilled until this instant: nanoseconds × R.
    pub(crate) fn at(self, instant: Nanos) -> u128 {
        u128::from(instant.0) * u128::from(self.tokens.get())
    }

    pub(crate) fn units(self, tokens: u64) -> u128 {
        u128::from(tokens) * u128::from(self.nanos.get())
    }

    /// Converts units of this rate to units of another, rounded down.
    pub(crate) fn convert(self, units: u128, to: Self) -> u128 {
        let (from, to) = (u128::from(self.nanos.get()), u128::from(to.nanos.get()));
        // In two parts, as the entire product could overflow.
        (units / from).saturating_mul(to).saturating_add(units % from * to / from)
    }

    pub(crate) fn convert_up(self, units: u128, to: Self) -> u128 {
        let (from, to) = (u128::from(self.nanos.get()), u128::from(to.nanos.get()));
        (units / from).saturating_mul(to).saturating_add((units % from * to).div_ceil(from))
    }

    /// Time to refill these units, rounded up.
    fn refill(self, units: u128) -> Duration {
        let tokens = self.tokens.get();
        // Usual quotas fit in 64 bits, where a division is a single instruction.
        let nanos = match u64::try_from(units) {
            Ok(units) => units.div_ceil(tokens),
            Err(_) => u64::try_from(units.div_ceil(tokens.into())).unwrap_or(u64::MAX),
        };
        Duration::from_nanos(nanos)
    }
}

fn greatest_common_divisor(a: NonZeroU64, b: NonZeroU64) -> NonZeroU64 {
    match NonZeroU64::new(a.get() % b) {
        Some(rest) => greatest_common_divisor(b, rest),
        None => b,
    }
}

/// A bucket's rate and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How fast the bucket refills.
    pub rate: Rate,
    /// Maximum number of tokens in the bucket.
    pub burst: NonZeroU64,
}

mesh_config::object! {
    /// The config's `rate`.
    struct RequestsPer {
        /// With `per`: how fast a bucket refills. It does so continuously, not once per `per`. From 1 a day to
        /// 1 000 000 a second.
        requests: NonZeroU64 = required(integer(1..=MAX_TOKENS)),
        /// The time in which so many requests are refilled.
        per: Duration = required(duration(Duration::from_nanos(1)..=MAX_PER)),
    }
    check RequestsPer::check;
    elsewhere {
        "requests_per_unit" => "requests",
        "unit" => "per",
        "tokens_per_fill" => "requests",
        "fill_interval" => "per",
    }
}

impl RequestsPer {
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let (requests, nanos) = (u128::from(self.requests.get()), self.per.as_nanos());
        let mut refuse = |message: String| form.problem_at("", ProblemKind::Conflict, message);
        if requests * DAY.as_nanos() < nanos {
            return refuse("found a rate below 1 per day, expected at least that".to_owned());
        }
        if requests * 1_000_000_000 > MAX_PER_SECOND * nanos {
            return refuse(format!("found a rate above {MAX_PER_SECOND} per second, expected at most that"));
        }
        Some(())
    }
}

impl Object for Quota {
    /// The largest cost of a request, which the bucket must hold, if it is known.
    type Context<'a> = Option<u64>;

    const NAME: &'static str = "Quota";

    #[inline(never)]
    fn read(value: &Value<'_>, context: Self::Context<'_>) -> Option<Self> {
        by_fields(value, context)
    }

    fn fields<F: Form>(form: &mut F, largest_cost: Option<u64>) -> Option<Self> {
        let rate = form.required("rate", "How fast a bucket refills.", RequestsPer::kind());
        let burst = form.omitted("burst", BURST, some(integer::<NonZeroU64>(1..=MAX_TOKENS)));
        let (rate, burst) = (rate?, burst?);
        let burst = burst.unwrap_or(rate.requests);
        match largest_cost {
            Some(cost) if cost > burst.get() => {
                let expected = format_args!("expected at least {cost}, the largest cost of a request");
                form.problem_at("burst", ProblemKind::Conflict, format_args!("found {burst}, {expected}"))
            }
            _ => Some(Self { rate: Rate::new(rate.requests, rate.per)?, burst }),
        }
    }
}

const BURST: &str =
    "The tokens of a full bucket; at least the largest cost of a request. Default: `rate.requests`.";

impl Quota {
    pub(crate) fn capacity(&self) -> u128 {
        self.rate.units(self.burst.get())
    }

    /// Takes `cost` tokens from a bucket that owes `owed`.
    pub(crate) fn take(&self, owed: Owed, cost: u64) -> Result<Owed, Short> {
        let after = owed.0.saturating_add(self.rate.units(cost));
        match after.checked_sub(self.capacity()) {
            None | Some(0) => Ok(Owed(after)),
            Some(missing) => Err(Short { wait: self.rate.refill(missing) }),
        }
    }

    /// Whole tokens in a bucket.
    pub(crate) fn remaining(&self, owed: Owed) -> u64 {
        let units = self.capacity().saturating_sub(owed.0);
        let token = self.rate.nanos.get();
        match u64::try_from(units) {
            Ok(units) => units / token,
            Err(_) => u64::try_from(units / u128::from(token)).unwrap_or(u64::MAX),
        }
    }

    /// The fraction of the bucket that is left, from 0 to 1. Only for comparing buckets, not for decisions.
    #[allow(
        clippy::cast_precision_loss,
        reason = "only compared to choose the limit that response headers show"
    )]
    pub(crate) fn remaining_share(&self, owed: Owed) -> f64 {
        self.capacity().saturating_sub(owed.0) as f64 / self.capacity() as f64
    }

    /// Time until a bucket is full.
    pub(crate) fn until_full(&self, owed: Owed) -> Duration {
        self.rate.refill(owed.0)
    }

    /// Time until an empty bucket is full.
    pub(crate) fn window(&self) -> Duration {
        self.rate.refill(self.capacity())
    }
}

/// What a bucket owes, in units of its own rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owed(pub(crate) u128);

/// Too few tokens; there are enough after `wait` if no other request takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) wait: Duration,
}
