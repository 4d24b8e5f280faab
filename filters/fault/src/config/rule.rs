//! One rule.

use super::abort::Abort;
use super::delay::Delay;
use super::response::{Response, Throttle};
use mesh_config::kinds::{choice, integer, list};
use mesh_config::{Form, ProblemKind};
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;

const MAX_ATTEMPTS: usize = 32;

mesh_config::object! {
    /// Faults for the requests that match.
    #[derive(Clone, Debug)]
    pub struct Rule {
        /// The rule's name in markers, counters and logs.
        pub name: String = required(mesh_policy::name::name()),
        /// Which requests the rule is for, see [match](#match). A match that is undecided does not hold. Default: every
        /// request.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// Which attempts of a request the rule is for: 1 is the first one, 2 the first retry. It holds only
        /// [in a cluster's filter chain](#position). Default: all, in either position.
        pub attempts: Vec<u32> = restriction(
            list(integer(1..=1000)).not_empty().at_most(MAX_ATTEMPTS, "attempts")
        ),
        /// How many other requests of this plugin must be in flight for the rule to match. Default: any number.
        pub in_flight: Option<InFlight> = restriction(mesh_config::kind::some(InFlight::kind())),
        /// Delays requests. Default: none.
        pub delay: Option<Delay> = optional(Delay::kind()),
        /// Aborts requests, after the delay. Default: none.
        pub abort: Option<Abort> = optional(Abort::kind()),
        /// Changes responses. Default: none.
        pub response: Option<Response> = optional(Response::kind()),
        /// Slows down responses. Default: none.
        pub throttle: Option<Throttle> = optional(Throttle::kind()),
        /// As `mode` at the top. In `shadow` the dice are rolled and counted, but there is no fault, and the next rule is tried.
        pub mode: Mode = default("enforce", choice()),
    }
    check Rule::check;
    elsewhere {
        "headers" => "match.headers",
        "response_rate_limit" => "throttle",
    }
}

mesh_config::object! {
    /// A range of numbers of requests that are in flight in the proxy, in all workers together.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct InFlight {
        /// At least so many. Default: no bound.
        pub at_least: Option<u32> = optional(integer(1..=MAX_IN_FLIGHT)),
        /// Fewer than so many. Default: no bound.
        pub below: Option<u32> = optional(integer(1..=MAX_IN_FLIGHT)),
    }
    check InFlight::check;
}

const MAX_IN_FLIGHT: u64 = 1_000_000;

impl Rule {
    /// Whether its faults hold requests or responses.
    pub(crate) fn holds(&self) -> bool {
        let response = self.response.as_ref();
        self.delay.is_some()
            || self.throttle.is_some()
            || response.is_some_and(|response| response.delay.is_some())
    }

    fn check(&self, form: &mut impl Form) -> Option<()> {
        let has_none = self.delay.is_none()
            && self.abort.is_none()
            && self.response.is_none()
            && self.throttle.is_none();
        if has_none {
            return form.require_one_of(&["delay", "abort", "response", "throttle"]);
        }
        Some(())
    }
}

impl InFlight {
    /// Whether a number is in the range.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.at_least.is_none_or(|at_least| number >= at_least.into())
            && self.below.is_none_or(|below| number < below.into())
    }

    fn check(&self, form: &mut impl Form) -> Option<()> {
        match (self.at_least, self.below) {
            (None, None) => form.require_one_of(&["at_least", "below"]),
            (Some(at_least), Some(below)) if below <= at_least => {
                form.problem_at("below", ProblemKind::Conflict, "expected more than `at_least`")
            }
            _ => Some(()),
        }
    }
}
