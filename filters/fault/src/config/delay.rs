//! How long something waits.

use crate::distribution::Distribution;
use mesh_config::kinds::{Object, by_fields, choice, duration, object};
use mesh_config::{Form, ProblemKind, Value};
use mesh_policy::percent::Percentage;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest delay is Envoy's default idle timeout of a stream.
pub(super) const LONGEST: Duration = Duration::from_secs(300);
pub(super) const DELAY: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;

/// The length of a delay.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// Always the same.
    Fixed(Duration),
    /// Random.
    Random {
        /// How lengths are distributed.
        distribution: Distribution,
        /// A longer one is cut to this.
        max: Duration,
    },
}

mesh_config::object! {
    /// Delays requests.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Delay {
        /// The percentage of the rule's requests that are delayed, with up to four decimals.
        pub percentage: Percentage = required(Percentage::kind()),
        /// How long they wait.
        pub wait: Wait = flatten(),
    }
    elsewhere {
        "fixed_delay" => "fixed",
        "duration" => "fixed",
    }
}

mesh_config::object! {
    /// Delays responses.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ResponseDelay {
        /// How long they wait.
        pub wait: Wait = flatten(),
        /// Since when the time counts.
        pub counted_from: CountedFrom = default("response", choice()),
    }
    elsewhere {
        "fixed_delay" => "fixed",
        "duration" => "fixed",
    }
}

mesh_config::choice! {
    /// Since when the delay of a response counts.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum CountedFrom {
        /// Since the response arrived: it is added to the time that the upstream took.
        #[default]
        Response = "response",
        /// Since the request arrived: the time that the upstream took is part of it. A response that takes longer by itself
        /// does not wait.
        Request = "request",
    }
}

impl Wait {
    /// The length that a uniformly distributed number stands for.
    #[must_use]
    pub fn sample(&self, uniform: u64) -> Duration {
        match self {
            Self::Fixed(duration) => *duration,
            Self::Random { distribution, max } => distribution.sample(uniform, *max),
        }
    }
}

impl Object for Wait {
    type Context<'a> = ();

    const NAME: &'static str = "Wait";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let wait = form
            .one_of()
            .case("fixed", FIXED, duration(DELAY), Self::Fixed)
            .case("distribution", DISTRIBUTION, object::<Distribution>(), |distribution| Self::Random {
                distribution,
                max: LONGEST,
            })
            .end();
        let max = form.default("max", MAX, "\"30s\"", duration(DELAY));
        if form.is_given("max") && form.is_given("fixed") {
            let message = "bounds a `distribution`, expected none beside `fixed`";
            return form.problem_at("max", ProblemKind::Conflict, message);
        }
        match (wait?, max?) {
            (Self::Random { distribution, .. }, max) => Some(Self::Random { distribution, max }),
            (fixed @ Self::Fixed(_), _) => Some(fixed),
        }
    }
}

const FIXED: &str = "The length of each delay.";
const DISTRIBUTION: &str = "The distribution of their lengths, see [distributions](#distributions).";
const MAX: &str = "Longest delay of a distribution; a longer one is cut to it.";
