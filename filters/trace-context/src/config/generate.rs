//! Traces of requests that belong to none.

use mesh_config::kinds::{boolean, list};
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::percent::Percentage;

const MAX_RULES: usize = 64;

mesh_config::object! {
    /// Traces of requests that belong to none.
    #[derive(Clone, Debug)]
    pub struct Generate {
        /// Whether a request that belongs to no trace begins one.
        pub when_missing: bool = default(false, boolean()),
        /// The percentage of new traces that are sampled, with up to four decimals. It also decides for a context without a
        /// decision, where a format must have one.
        pub sampling_percentage: Percentage = default(1, Percentage::kind()),
        /// Other percentages for some requests. The first one that matches decides. Default: none.
        pub sampling_rules: Vec<SamplingRule> = default([], list(SamplingRule::kind()).at_most(MAX_RULES, "rules")),
    }
}

mesh_config::object! {
    /// A percentage for some requests.
    #[derive(Clone, Debug)]
    pub struct SamplingRule {
        /// Which requests it is for, see [match](#match). A match that is undecided does not hold. Default: every request.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// The percentage that is sampled, with up to four decimals.
        pub sampling_percentage: Percentage = required(Percentage::kind()),
    }
}
