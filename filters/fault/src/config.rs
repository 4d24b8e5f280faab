//! What a user writes, read into values that can only be valid.

mod abort;
mod delay;
mod distribution;
mod marker;
mod response;
mod route;
mod rule;
mod trigger;

pub use abort::Abort;
pub use delay::{CountedFrom, Delay, ResponseDelay, Wait};
pub use marker::Marker;
pub use response::{Response, Throttle};
pub use rule::{InFlight, Rule};
pub use trigger::{Trigger, TriggerKind};

use mesh_config::kind::some;
use mesh_config::kinds::{boolean, choice, duration, integer, list, string};
use mesh_config::{Form, Kind, ProblemKind};
use mesh_policy::headers::HeaderName;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::percent::Percentage;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::rfc3339;
use mesh_policy::settings::Settings;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Maximum number of rules, which are tried one by one.
const MAX_RULES: usize = 256;
const MAX_ACTIVE: u64 = 100_000;
const MAX_PARTS: usize = 8;
const MAX_SALT_BYTES: usize = 256;
const BUDGET_WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// The name under which a fault that a request asks for is marked and counted.
pub(crate) const TRIGGER: &str = "trigger";

/// An attribute that exists only in a cluster's filter chain.
pub(crate) const UPSTREAM_ADDRESS: [&str; 2] = ["upstream", "address"];
/// The number of the attempt, 1 for the first one.
pub(crate) const ATTEMPT: [&str; 2] = ["upstream", "request_attempt_count"];

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// What happens to CORS preflights: with `allow` they pass untouched.
        pub cors_preflight: CorsPreflight = default("allow", choice()),
        /// No request or response that comes from this instant on (RFC 3339) is faulted, and none if the proxy has no clock. Default: never.
        pub expires_at: Option<Duration> = restriction(some(rfc3339::kind())),
        /// Maximum number of requests that this plugin [holds](#places) at a time for delays and throttles, in all workers of
        /// the proxy together. A request beyond that passes untouched. 0: no bound.
        pub max_active: Option<u32> = default(200, max_active()),
        /// Whether a request or response that [arrives with a marker](#markers) can be faulted once more.
        pub stack: bool = default(false, boolean()),
        /// Requests that pass untouched, see [match](#match). A match that is undecided holds. Default: none.
        pub exclude: Option<RequestMatch> = restriction(some(RequestMatch::selective())),
        /// A bound on the share of faulted requests, see [budget](#the-budget). Default: none.
        pub budget: Option<Budget> = restriction(some(Budget::kind())),
        /// How a fault is [marked](#markers).
        pub marker: Marker = default({}, Marker::kind()),
        /// Gives the same requests the [same fate](#cohorts) again. Default: each roll of the dice is new.
        pub cohort: Option<Cohort> = optional(Cohort::kind()),
        /// Lets requests [ask for a fault](#triggers) themselves. Default: none can.
        pub trigger: Option<Trigger> = optional(Trigger::kind()),
        /// The rules, tried in their order. The first one that matches decides, whatever its dice say. Default: none.
        pub rules: Vec<Rule> = restriction(
            list(Rule::kind()).at_most(MAX_RULES, "rules").unique("name", "a name that no other rule has")
        ),
    }
    check Config::check;
    elsewhere {
        "fault" => "rules",
        "faults" => "rules",
        "max_active_faults" => "max_active",
    }
}

mesh_config::object! {
    /// A bound on the share of faulted requests.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Budget {
        /// Maximum percentage of requests, excluded ones not counted, that are faulted, with up to four decimals.
        pub percentage: Percentage = required(Percentage::kind()),
        /// The time over which they are counted.
        pub window: Duration = default("1m", duration(BUDGET_WINDOW)),
    }
}

mesh_config::object! {
    /// What a request's fate depends on.
    #[derive(Clone, Debug)]
    pub struct Cohort {
        /// The [key parts](../rate-limit/README.md#key-parts), all of them together. A request that lacks one rolls the dice.
        pub by: Vec<KeyPart> = required(list(KeyPart::kind()).not_empty().at_most(MAX_PARTS, "parts")),
        /// With another salt, other requests are chosen.
        pub salt: String = default("", string().at_most(MAX_SALT_BYTES)),
    }
}

/// A number of places; 0 for no bound.
fn max_active() -> impl Kind<Out = Option<u32>> {
    integer(0..=MAX_ACTIVE).map(|max: u32| Some(max).filter(|max| *max > 0))
}

impl Config {
    /// The headers that are removed from each request: those of the trigger.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.trigger.iter().flat_map(|trigger| [&trigger.header, &trigger.secret_header])
    }

    /// Refuses what reads a header that is removed before, as it would never hold, and names that collide.
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let is_own = |name: &str| self.own_headers().any(|own| own.is_same_variable(name.as_bytes()));
        let mut reading = Vec::new();
        if self.exclude.as_ref().is_some_and(|matches| matches.tests_header(&is_own)) {
            reading.push("exclude".to_owned());
        }
        let of_own = |part: &KeyPart| matches!(part, KeyPart::Header(name) if is_own(name.as_str()));
        if self.cohort.as_ref().is_some_and(|cohort| cohort.by.iter().any(of_own)) {
            reading.push("cohort.by".to_owned());
        }
        if self.marker.request_header.as_ref().is_some_and(|name| is_own(name.as_str())) {
            reading.push("marker.request_header".to_owned());
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.matches.tests_header(&is_own) {
                reading.push(format!("rules[{index}].match"));
            }
        }
        let mut good = Some(());
        for (index, rule) in self.rules.iter().enumerate() {
            let marker = self.marker.response_header.as_ref();
            let mut headers = rule.abort.iter().flat_map(|abort| &abort.headers);
            if headers.any(|(name, _)| Some(name) == marker) {
                let message = "found the header of `marker.response_header`, expected others";
                good =
                    form.problem_at(&format!("rules[{index}].abort.headers"), ProblemKind::Conflict, message);
            }
        }
        for path in reading {
            let message = "found `trigger.header` or `trigger.secret_header`, which the filter removes before, expected another header";
            good = form.problem_at(&path, ProblemKind::Conflict, message);
        }
        let is_trigger = |rule: &Rule| rule.name == TRIGGER;
        if self.trigger.is_some()
            && let Some(index) = self.rules.iter().position(is_trigger)
        {
            let message =
                "found `trigger`, expected another name: faults that requests ask for have this one";
            good = form.problem_at(&format!("rules[{index}].name"), ProblemKind::Conflict, message);
        }
        good
    }
}

mesh_config::root!(Config, "fault");

#[cfg(test)]
mod tests;
