//! One limit.

use super::cost::Cost;
use crate::quota::Quota;
use mesh_config::describe::{Defs, Shape};
use mesh_config::kinds::{List, choice, list, object_with, string};
use mesh_config::{Kind, ProblemKind, Value, shorten};
use mesh_policy::facts::Needs;
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;

const MAX_KEY_PARTS: usize = 8;
const MAX_OVERRIDES: usize = 10_000;

mesh_config::object! {
    /// A limit: which requests it counts, by what, and how many it admits.
    #[derive(Clone, Debug)]
    pub struct Limit {
        /// The limit's name in counters, logs and answers; [levels are kept](#config-pushes) under it.
        pub name: String = required(mesh_policy::name::name()),
        /// Which requests it counts, see [match](#match). Default: every request.
        pub matches as "match": RequestMatch = restriction(RequestMatch::kind()),
        /// What it counts by: each combination of the [parts' values](#key-parts) has its own bucket. Default: one
        /// bucket for all requests.
        pub key: Vec<KeyPart> = restriction(list(KeyPart::kind()).at_most(MAX_KEY_PARTS, "parts")),
        /// How many tokens a request takes.
        pub cost: Cost = default(1, Cost::kind()),
        /// The limit's own rate and burst.
        pub quota: Quota = flatten(cost.as_ref().map(Cost::largest)),
        /// Quotas of single keys. Default: none.
        pub overrides: Vec<Override> = restriction(Overrides {
            key: key.as_deref(),
            largest_cost: cost.as_ref().map(Cost::largest),
        }),
        /// What happens to a request that lacks a part of the key, which [`key_missing`](#counters) counts in any
        /// case.
        pub on_missing_key: OnMissingKey = default("skip", choice()),
        /// What happens to a request whose bucket [finds no slot](#memory).
        pub overflow: Overflow = default("share", choice()),
        /// Percentage of refusals that are enforced, chosen at random, with up to four decimals; the rest count as
        /// `shadow_denied`.
        pub enforce_percentage: Percentage = default(100, Percentage::kind()),
        /// As `mode` at the top. In `shadow` the limit is charged by itself, outside of
        /// [all or none](#several-limits), and refuses nobody.
        pub mode: Mode = default("enforce", choice()),
    }
    elsewhere {
        "token_bucket" => "rate",
        "requests_per_unit" => "rate.requests",
        "unit" => "rate.per",
        "tokens_per_fill" => "rate.requests",
        "fill_interval" => "rate.per",
        "max_tokens" => "burst",
        "descriptors" => "key",
    }
}

mesh_config::object! {
    /// The quota of one key.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Override(limit: Overrides<'a>) {
        /// One string for each part of the limit's `key`, in its order. An address stands for the network that its
        /// part's prefix makes of it; the others are compared as [key parts](#key-parts) are.
        pub key: Vec<Vec<u8>> = required(limit.literals()),
        /// The key's own rate and burst.
        pub quota: Quota = flatten(limit.largest_cost),
    }
}

mesh_config::choice! {
    /// What happens to a request that lacks a part of the key.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum OnMissingKey {
        /// The limit does not charge it.
        #[default]
        Skip = "skip",
        /// It is refused with `reject.missing_key_status`.
        Deny = "deny",
        /// The absence is a value of its own: all such requests share a bucket for each combination of the other
        /// parts.
        Shared = "shared",
    }
}

mesh_config::choice! {
    /// What happens to a request whose bucket finds no slot in the table.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Overflow {
        /// It is charged to a level that it shares with the others in its set.
        #[default]
        Share = "share",
        /// It continues uncharged.
        Allow = "allow",
        /// It is refused.
        Deny = "deny",
    }
}

impl Overflow {
    /// What refuses a request if one of these does.
    pub(crate) const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Deny, _) | (_, Self::Deny) => Self::Deny,
            (Self::Share, _) | (_, Self::Share) => Self::Share,
            (Self::Allow, Self::Allow) => Self::Allow,
        }
    }
}

impl Limit {
    /// Whether no part of the key depends on the request, so that clients cannot create buckets.
    pub(crate) fn is_keyless(&self) -> bool {
        self.key.iter().all(|part| matches!(part, KeyPart::Constant(_)))
    }

    /// What the limit reads of a request.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = self.matches.needs();
        needs.headers |= self.cost.needs_headers();
        self.key.iter().for_each(|part| needs.add(&part.needs()));
        needs
    }
}

/// The kind of `overrides`, which depends on the limit's key and cost where those are good.
#[derive(Clone, Copy, Default)]
pub struct Overrides<'a> {
    key: Option<&'a [KeyPart]>,
    largest_cost: Option<u64>,
}

impl<'a> Overrides<'a> {
    /// The values of a key's parts. Without a good key of the limit there is nothing to compare with.
    fn literals(self) -> impl Kind<Out = Vec<Vec<u8>>> + use<'a> {
        list(string::<String>()).and_then(move |value, texts| {
            let key = self.key?;
            if texts.len() != key.len() {
                let expected = format_args!("expected {}, as the limit's `key` has", key.len());
                let message = format_args!("found {} parts, {expected}", texts.len());
                return value.problem(ProblemKind::Conflict, message);
            }
            let literals = texts.iter().zip(key).enumerate().map(|(index, (text, part))| {
                part.literal(text).map_or_else(
                    |expected| {
                        let message = format_args!("found `{}`, expected {expected}", shorten(text));
                        value.problem_at(&format!("[{index}]"), ProblemKind::BadPattern, message)
                    },
                    Some,
                )
            });
            literals.collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// The name of an override's bucket, to tell it from the others: each value with its length.
    fn bucket(self, value: &Value<'_>) -> Option<Vec<u8>> {
        let texts = value.as_strings()?;
        let mut name = Vec::new();
        for (text, part) in texts.iter().zip(self.key?) {
            let literal = part.literal(text).ok()?;
            name.extend_from_slice(&literal.len().to_le_bytes());
            name.extend_from_slice(&literal);
        }
        Some(name)
    }

    fn list<'b>(
        self,
        bucket: &'b dyn Fn(&Value<'_>) -> Option<Vec<u8>>,
    ) -> List<'b, impl Kind<Out = Override> + use<'a>> {
        list(object_with::<Override>(self)).at_most(MAX_OVERRIDES, "overrides").unique_by(
            "key",
            "a key that no other override has",
            bucket,
        )
    }
}

impl Kind for Overrides<'_> {
    type Out = Vec<Override>;

    fn read(&self, value: &Value<'_>) -> Option<Vec<Override>> {
        let has_no_key = self.key.is_some_and(<[_]>::is_empty);
        if has_no_key && value.has_items() {
            let message = "found some, expected none: the limit has no `key`";
            return value.problem(ProblemKind::Conflict, message);
        }
        self.list(&|value| self.bucket(value)).read(value)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.list(&|_| None).shape(defs)
    }
}
