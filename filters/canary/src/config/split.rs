//! One split.

use super::guard::Guard;
use super::rollout::Rollout;
use crate::assignment::Weight;
use mesh_config::kinds::{List, choice, list, number};
use mesh_config::{Kind, ProblemKind, Value};
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::set_cookie::SetCookie;

/// Maximum number of sticky parts.
const MAX_PARTS: usize = 8;
/// Maximum number of variants. Each costs a hash for each request.
const MAX_VARIANTS: usize = 32;
const MAX_WEIGHT: f64 = 1_000_000.0;

mesh_config::object! {
    /// Divides requests among variants by weight.
    #[derive(Clone, Debug)]
    pub struct Split {
        /// The split's name in counters and logs. With another name, everybody is [assigned](#sticky-splits) anew.
        pub name: String = required(mesh_policy::name::name()),
        /// Which requests it divides, see [match](#match). A match that is undecided does not hold. Default: every
        /// request.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// What identifies a user, see [key parts](../rate-limit/README.md#key-parts): the first part that the request has
        /// exactly once, not empty, and with at most 1024 bytes. Default: nothing, so that each request gets a random
        /// variant.
        pub sticky: Vec<KeyPart> = restriction(list(KeyPart::kind()).not_empty().at_most(MAX_PARTS, "parts")),
        /// A cookie that identifies users who have no other part of `sticky`. Default: none.
        pub assign_cookie: Option<SetCookie> = optional(cookie(sticky.as_deref())),
        /// The variants and their weights.
        pub variants: Vec<Variant> = required(variants()),
        /// A schedule for one variant's share. Default: the weights hold.
        pub rollout: Option<Rollout> = restriction(
            mesh_config::kind::some(Rollout::kind(variants.as_deref()))
        ),
        /// Takes one variant out when it fails. Default: none does.
        pub guard: Option<Guard> = restriction(mesh_config::kind::some(Guard::kind(variants.as_deref()))),
        /// As `mode` at the top: in `shadow` the split is counted where it would have decided, and the search goes on.
        pub mode: Mode = default("enforce", choice()),
    }
}

mesh_config::object! {
    /// A variant of a split.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Variant {
        /// The variant's name, as routes know it.
        pub name: String = required(mesh_policy::name::name()),
        /// Its share of the requests, relative to the other weights, with up to two decimals.
        pub weight: Weight = required(weight()),
    }
}

/// A number from 0 to a million with up to two decimals. A third one is refused, as it would be lost.
fn weight() -> impl Kind<Out = Weight> {
    number(0.0..=MAX_WEIGHT).and_then(|value, weight| {
        // Far above the rounding error of a float, and far below a third decimal.
        const TOLERANCE: f64 = 1e-6;
        let hundredths = weight * 100.0;
        if (hundredths - hundredths.round()).abs() > TOLERANCE {
            return value.expected(ProblemKind::BadPattern, "at most two decimals");
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an integer from 0 to 10^8"
        )]
        let hundredths = hundredths.round() as u32;
        Weight::from_hundredths(hundredths)
    })
}

fn variants() -> impl Kind<Out = Vec<Variant>> {
    let variants: List<'static, _> = list(Variant::kind())
        .at_least(2)
        .at_most(MAX_VARIANTS, "variants")
        .unique("name", "a name that no other variant has");
    variants.and_then(|value, variants| {
        if variants.iter().all(|variant| variant.weight.hundredths() == 0) {
            return value.problem(ProblemKind::Conflict, "found no weight above 0, expected one");
        }
        Some(variants)
    })
}

/// The cookie must be one that identifies the user in the next request.
fn cookie(sticky: Option<&[KeyPart]>) -> impl Kind<Out = SetCookie> {
    SetCookie::kind().and_then(move |value: &Value<'_>, cookie: SetCookie| {
        let is_read = |part: &KeyPart| matches!(part, KeyPart::Cookie(name) if name == cookie.name());
        if sticky.is_some_and(|parts| !parts.iter().any(is_read)) {
            let name = cookie.name();
            let message = format_args!("found `{name}`, expected a cookie that `sticky` names, too");
            return value.problem_at("name", ProblemKind::Conflict, message);
        }
        Some(cookie)
    })
}
