//! The decision on a request: the limits that it matches, the buckets that it charges, and the result.

mod answer;
mod asked;
pub(crate) mod bucket;
mod debt;
mod decision;
mod denials;
mod first_requests;
mod host_interface;
mod ledger;
mod metric;
mod names;
pub mod reason;
pub(crate) mod set;
mod table;

pub use decision::{Decision, Denial, Outcome, Reason, Standing};
pub use metric::Metric;
pub use table::seed;

use crate::config::{Config, Limit, OnMissingKey};
use crate::quota::Quota;
use asked::Asked;
use ledger::{Reservation, Terms};
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash::{Hasher, Key};
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::on_error::OnError;
use mesh_policy::routes::RouteConfig as _;
use mesh_policy::scope::Scope;
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;
use names::{Named, Names};
use set::Charge;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use table::{Location, Table};

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    table: Table,
    /// For each limit, what can be computed before any request.
    buckets: Vec<Buckets>,
    needs: Needs,
    generation: u64,
    /// Those of the block.
    names: Rc<Names>,
}

/// Precomputed data of a limit's buckets.
struct Buckets {
    /// Hasher of bucket names, initialized with the limit's name.
    hasher: Hasher,
    /// Location of the bucket, if the limit has no key.
    only: Option<Location>,
    /// Quotas of the keys with an override, by bucket name.
    overrides: BTreeMap<u128, Quota>,
    /// What the limits of this name share.
    named: Rc<Named>,
    /// Where the limit reads claims.
    claims: Option<Claims>,
}

/// Where a limit reads claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claims {
    /// In its match.
    Match,
    /// In its key, and not in its match.
    Key,
}

impl Policy {
    /// `scope` and `seed` determine the table, see [`seed`]. `since` is the current time, which orders configs.
    #[must_use]
    pub fn new(config: Config, scope: &Scope, seed: Key, since: Nanos) -> Self {
        let table = Table::new(scope, config.capacity, seed);
        Self::with(config, table, since.0, Rc::default())
    }

    /// The policy of another config of this block. It charges the same buckets, and neither config takes precedence.
    #[must_use]
    pub fn of_route(&self, config: Config) -> Self {
        Self::with(config, self.table.clone(), self.generation, Rc::clone(&self.names))
    }

    fn with(config: Config, table: Table, generation: u64, names: Rc<Names>) -> Self {
        let needs = config.settings.complete(config.needs());
        let buckets = config.limits.iter().map(|limit| Buckets::new(limit, &table, &names)).collect();
        Self { buckets, table, needs, generation, names, config }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Decides on a request. `roll` returns uniformly random numbers.
    ///
    /// Either all enforced limits are charged or none. A shadow limit is charged independently of the outcome.
    pub fn decision(&self, facts: &Facts<'_>, roll: impl FnMut() -> u64, store: &mut impl Store) -> Decision {
        self.decision_beside(&[], facts, roll, store)
    }

    /// Decides on a request together with other policies of the block, as one policy that has the limits of all.
    ///
    /// Limits of one name are one. It charges a request once, if one of them matches, and as the strictest of those does: an
    /// enforced one in place of a shadow one, otherwise with the greatest cost. Indices of limits count through the
    /// policies, this one first.
    pub fn decision_beside(
        &self,
        others: &[&Self],
        facts: &Facts<'_>,
        mut roll: impl FnMut() -> u64,
        store: &mut impl Store,
    ) -> Decision {
        let mut asked = Asked::default();
        if !others.is_empty() {
            asked.expect_names(self.names.count());
        }
        // Of one request, since to parse a long path takes time.
        let mut request = MatchInput::new(facts, None);
        let mut first = 0;
        for policy in self.and(others) {
            let client = policy.config.settings.client(&policy.needs, facts);
            asked.decision.client_ip_fallback |= client.fallback;
            request.set_client_ip(client.ip);
            policy.ask(first, &request, &mut asked);
            first += policy.config.limits.len();
        }
        asked.decide(&mut roll, store)
    }

    /// This policy and others.
    fn and<'a>(&'a self, others: &[&'a Self]) -> impl Iterator<Item = &'a Self> {
        std::iter::once(self).chain(others.iter().copied())
    }

    /// Adds what this config asks of a request. `first`: the index of its first limit.
    fn ask<'a>(&'a self, first: usize, request: &MatchInput<'_>, asked: &mut Asked<'a>) {
        for (index, (limit, buckets)) in (first..).zip(self.config.limits.iter().zip(&self.buckets)) {
            let mode = self.config.settings.mode.max(limit.mode);
            if mode == Mode::Off {
                continue;
            }
            // A request that is undecided between configs is one request.
            let mut look = |claims| {
                if first == 0
                    && buckets.claims == Some(claims)
                    && buckets.named.first_requests.are_without_claims(request.facts().claims.is_some())
                {
                    asked.decision.without_claims.push(index);
                }
            };
            look(Claims::Match);
            if !limit.matches.test(request).is_possible() {
                continue;
            }
            look(Claims::Key);
            let denies_errors = self.config.on_error == OnError::Deny;
            let terms = Terms { mode, enforced: limit.enforce_percentage, denies_errors };
            let (index, since) = asked.first_of(&buckets.named, index);
            let (reservation, missing) = self.reservation(index, limit, buckets, terms, request);
            if let Some(part) = missing {
                asked.lacks(index, part, (limit.on_missing_key == OnMissingKey::Deny).then_some(terms));
            }
            if let Some(reservation) = reservation {
                asked.charge(reservation, since);
            }
        }
    }

    /// The charge of a request to a limit, and the index of the first missing part of the key. The charge is `None` if a
    /// part is missing and the limit does not charge such requests.
    fn reservation<'a>(
        &'a self,
        index: usize,
        limit: &'a Limit,
        buckets: &'a Buckets,
        terms: Terms,
        request: &MatchInput<'_>,
    ) -> (Option<Reservation<'a>>, Option<usize>) {
        let mut missing = None;
        let (location, quota) = match &buckets.only {
            Some(location) => (Cow::Borrowed(location), &limit.quota),
            None => {
                let mut hasher = buckets.hasher.clone();
                for (index, part) in limit.key.iter().enumerate() {
                    if let Some(value) = part.value(request) {
                        hasher.part(&value);
                        continue;
                    }
                    missing = missing.or(Some(index));
                    if limit.on_missing_key != OnMissingKey::Shared {
                        return (None, missing);
                    }
                    hasher.absent();
                }
                let name = hasher.finish();
                let quota = buckets.overrides.get(&name).unwrap_or(&limit.quota);
                (Cow::Owned(self.table.locate(name, limit.is_keyless())), quota)
            }
        };
        let charge = Charge {
            fingerprint: location.fingerprint,
            quota,
            generation: self.generation,
            cost: limit.cost.of(request.facts()),
            overflow: limit.overflow,
        };
        (Some(Reservation { limit: index, terms, location, charge }), missing)
    }
}

impl Buckets {
    fn new(limit: &Limit, table: &Table, names: &Names) -> Self {
        let hasher = table.hasher(&limit.name);
        let mut overrides = BTreeMap::new();
        for entry in &limit.overrides {
            let mut hasher = hasher.clone();
            entry.key.iter().for_each(|part| hasher.part(part));
            overrides.insert(hasher.finish(), entry.quota);
        }
        let only = limit.key.is_empty().then(|| table.locate(hasher.finish(), true));
        let in_match = limit.matches.needs().claims;
        let in_key = limit.key.iter().any(|part| matches!(part, KeyPart::Claim(_)));
        let claims = if in_match { Some(Claims::Match) } else { in_key.then_some(Claims::Key) };
        Self { hasher, only, overrides, named: names.get(&limit.name), claims }
    }
}

#[cfg(test)]
mod tests;
