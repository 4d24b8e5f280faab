//! One split.

use super::guard::Guard;
use super::rollout::Rollout;
use super::variant::{Variant, variants};
use mesh_config::kinds::{choice, list};
use mesh_config::{Kind, ProblemKind, Value};
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::set_cookie::SetCookie;

/// Maximum number of sticky parts.
const MAX_PARTS: usize = 8;

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
