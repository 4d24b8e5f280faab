//! One limit.

use super::cost::Cost;
use super::key::KeyPart;
use super::quota;
use crate::policy::{Overflow, Quota};
use mesh_config::{Fields, Value};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::facts::Needs;
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::name::read_name;
use mesh_policy::percent::Percentage;

/// A limit: which requests it counts, by what, and how many it lets through.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Its name, in counters, details and answers. Levels are kept under it across config pushes.
    pub name: String,
    /// Which requests it counts.
    pub matches: RequestMatch,
    /// What it counts by; without parts, all requests together.
    pub key: Vec<KeyPart>,
    /// How many it lets through.
    pub quota: Quota,
    /// What a request costs.
    pub cost: Cost,
    /// Quotas of single keys.
    pub overrides: Vec<Override>,
    /// What becomes of a request that lacks a part of the key.
    pub on_missing_key: OnMissingKey,
    /// What becomes of a request whose bucket finds no slot in the table.
    pub overflow: Overflow,
    /// The share of refusals that bite.
    pub enforce_percentage: Percentage,
    /// Whether it bites.
    pub mode: Mode,
}

/// The quota of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The parts of the key, as requests have them.
    pub key: Vec<Vec<u8>>,
    /// The quota.
    pub quota: Quota,
}

/// What becomes of a request that lacks a part of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMissingKey {
    /// The limit does not count it.
    #[default]
    Skip,
    /// It is refused.
    Deny,
    /// All such requests share a bucket.
    Shared,
}

const MAX_KEY_PARTS: usize = 8;
const MAX_OVERRIDES: usize = 10_000;

impl Limit {
    /// `names`: those of the limits in front, which this one must not have.
    pub(super) fn read(fields: &Fields<'_>, names: &mut Vec<String>) -> Option<Self> {
        let name = fields.required("name", |value| read_name(&value, "limit", names));
        let matches = fields.restriction("match", RequestMatch::read).map(Option::unwrap_or_default);
        let key = fields.restriction("key", read_key).map(Option::unwrap_or_default);
        let cost = fields.or("cost", Cost::default(), Cost::read);
        let largest_cost = cost.as_ref().map(Cost::largest);
        let quota = quota::read(fields, largest_cost);
        let overrides = fields.restriction("overrides", |value| {
            if key.as_ref().is_some_and(Vec::is_empty) && !value.list(Some)?.is_empty() {
                return value.problem("found some, expected none: the limit has no `key`");
            }
            let overrides = value.list(|item| Override::read(&item, key.as_deref(), largest_cost))?;
            Override::distinct(&value, overrides)
        });
        let on_missing_key = fields.or("on_missing_key", OnMissingKey::default(), |value| {
            value.choice(&[
                ("skip", OnMissingKey::Skip),
                ("deny", OnMissingKey::Deny),
                ("shared", OnMissingKey::Shared),
            ])
        });
        let overflow = fields.or("overflow", Overflow::default(), |value| {
            value.choice(&[("share", Overflow::Share), ("allow", Overflow::Allow), ("deny", Overflow::Deny)])
        });
        let enforce_percentage = fields.or("enforce_percentage", Percentage::ALL, Percentage::read);
        let mode = fields.or("mode", Mode::default(), Mode::read);
        Some(Self {
            name: name?,
            matches: matches?,
            key: key?,
            quota: quota?,
            cost: cost?,
            overrides: overrides?.unwrap_or_default(),
            on_missing_key: on_missing_key?,
            overflow: overflow?,
            enforce_percentage: enforce_percentage?,
            mode: mode?,
        })
    }

    /// Whether the limit has one bucket, or as many as the config says: no client makes another.
    pub(crate) fn is_keyless(&self) -> bool {
        self.key.iter().all(|part| matches!(part, KeyPart::Constant(_)))
    }

    /// What the limit reads of a request.
    pub(crate) fn needs(&self, client_ip: &ClientIp) -> Needs {
        let mut needs = self.matches.needs();
        needs.headers |= self.cost.needs_headers();
        if needs.source {
            needs.add(&client_ip.needs());
        }
        for part in &self.key {
            needs.add(&part.needs(client_ip));
        }
        needs
    }
}

impl Override {
    fn read(item: &Value<'_>, key: Option<&[KeyPart]>, largest_cost: Option<u64>) -> Option<Self> {
        item.object(|fields| {
            let parts = fields.required("key", |value| {
                // Without a good key of the limit there is nothing to compare with.
                let key = key?;
                let mut rest = key.iter();
                let literals = value.list(|part| match rest.next() {
                    Some(kind) => kind.literal(&part),
                    None => part.text().map(|_| Vec::new()),
                })?;
                if literals.len() != key.len() {
                    return value.problem(format_args!(
                        "found {} parts, expected {}, as the limit's `key` has",
                        literals.len(),
                        key.len()
                    ));
                }
                Some(literals)
            });
            let quota = quota::read(fields, largest_cost);
            Some(Self { key: parts?, quota: quota? })
        })
    }

    fn distinct(value: &Value<'_>, overrides: Vec<Self>) -> Option<Vec<Self>> {
        if overrides.len() > MAX_OVERRIDES {
            return value.problem(format_args!(
                "found {} overrides, expected at most {MAX_OVERRIDES}",
                overrides.len()
            ));
        }
        let mut seen = std::collections::BTreeSet::new();
        match overrides.iter().position(|own| !seen.insert(&own.key)) {
            Some(index) => value.problem(format_args!("the key of item {index} stands there before")),
            None => Some(overrides),
        }
    }
}

fn read_key(value: Value<'_>) -> Option<Vec<KeyPart>> {
    let key = value.list(KeyPart::read)?;
    if key.len() > MAX_KEY_PARTS {
        return value.problem(format_args!("found {} parts, expected at most {MAX_KEY_PARTS}", key.len()));
    }
    Some(key)
}
