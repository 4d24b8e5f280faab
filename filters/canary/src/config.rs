//! What a user writes, read into values that can only be valid.

mod guard;
mod output;
mod rollout;
mod route;
mod split;
mod splits;
mod variant;

pub use guard::Guard;
pub use output::{Output, TrustedOverride};
pub use rollout::{Rollout, Step};
pub use split::Split;
pub use splits::Splits;
pub use variant::Variant;

use mesh_config::kinds::{choice, list};
use mesh_config::{Form, ProblemKind};
use mesh_policy::headers::HeaderName;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::name::name;
use mesh_policy::on_error::OnError;
use mesh_policy::settings::Settings;

/// Maximum number of rules, which are tried one by one.
const MAX_RULES: usize = 256;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// What happens to a request whose variant cannot be chosen, because the proxy [fails](#failures): it gets `default`,
        /// or it is refused.
        pub on_error: OnError = default("allow", choice()),
        /// The variant of a request that no rule and no split decides on. Default: no variant.
        pub default: Option<String> = optional(name()),
        /// Where the [variant is written](#output).
        pub output: Output = default({"header": "x-mesh-variant"}, Output::kind()),
        /// Which requests may [name their variant](#the-override) themselves. Default: none.
        pub trusted_override: Option<TrustedOverride> = optional(TrustedOverride::kind()),
        /// Rules, tried in their order before any split. The first one that matches decides. Default: none.
        pub rules: Vec<Rule> = restriction(
            list(Rule::kind()).at_most(MAX_RULES, "rules").unique("name", "a name that no other rule has")
        ),
        /// The splits, tried in their order. The first one that matches decides.
        pub splits: Splits = flatten(),
    }
    check Config::check;
    elsewhere {
        "routes" => "rules",
        "variants" => "split.variants",
        "steps" => "rollout.steps",
    }
}

impl Config {
    /// The headers that are removed from each request: that of the output, and the one that names a variant.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let overriding = self.trusted_override.iter().map(|trusted| &trusted.header);
        self.output.header.iter().chain(overriding)
    }

    /// Refuses what reads a header that is removed before: it would never hold.
    fn check(&self, form: &mut impl Form) -> Option<()> {
        let is_own = |name: &str| self.own_headers().any(|own| own.is_same_variable(name.as_bytes()));
        let mut wrong = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.matches.tests_header(&is_own) {
                wrong.push(format!("rules[{index}].match"));
            }
        }
        for (index, split) in self.splits.0.iter().enumerate() {
            if split.matches.tests_header(&is_own) {
                wrong.push(self.splits.path(index, "match"));
            }
            let of_own = |part: &KeyPart| matches!(part, KeyPart::Header(name) if is_own(name.as_str()));
            if split.sticky.iter().any(of_own) {
                wrong.push(self.splits.path(index, "sticky"));
            }
        }
        if self.trusted_override.as_ref().is_some_and(|trusted| trusted.matches.tests_header(&is_own)) {
            wrong.push("trusted_override.match".to_owned());
        }
        let mut good = Some(());
        for path in wrong {
            let message = "found `output.header` or `trusted_override.header`, which the filter removes before, expected another header";
            good = form.problem_at(&path, ProblemKind::Conflict, message);
        }
        good
    }
}

mesh_config::object! {
    /// Gives a variant to the requests that match.
    #[derive(Clone, Debug)]
    pub struct Rule {
        /// The rule's name in counters and logs.
        pub name: String = required(mesh_policy::name::name()),
        /// Which requests the rule is for, see [match](#match). A match that is undecided does not hold. Default: every
        /// request.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// The variant that they get.
        pub variant: String = required(mesh_policy::name::name()),
        /// As `mode` at the top: in `shadow` the rule is counted where it would have decided, and the search goes on.
        pub mode: Mode = default("enforce", choice()),
    }
    elsewhere {
        "destination" => "variant",
        "subset" => "variant",
    }
}

mesh_config::root!(Config, "canary");

#[cfg(test)]
mod tests;
