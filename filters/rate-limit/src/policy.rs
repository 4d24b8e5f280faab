//! The decision on a request: the limits that it matches, the buckets that it charges, and the result.

mod answer;
pub(crate) mod bucket;
mod debt;
mod decision;
mod first_requests;
mod ledger;
mod metric;
pub mod reason;
pub(crate) mod set;
mod table;
mod verdict;

pub use decision::{Decision, Denial, Outcome, Reason, Standing};
pub use metric::Metric;
pub use table::seed;

use crate::config::{Config, Limit, OnMissingKey};
use crate::quota::Quota;
use first_requests::FirstRequests;
use ledger::{Draft, Reservation};
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::hash::{Hasher, Key};
use mesh_policy::key_part::KeyPart;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::on_error::OnError;
use mesh_policy::percent::Percentage;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Store, StoreError};
use mesh_policy::time::Nanos;
use set::{Charge, Charged, ChargedLevel, Verdict};
use std::borrow::Cow;
use std::collections::BTreeMap;
use table::{Location, Table};

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    table: Table,
    /// For each limit, what can be computed before any request.
    buckets: Vec<Buckets>,
    needs: Needs,
    generation: u64,
}

/// Precomputed data of a limit's buckets.
struct Buckets {
    /// Hasher of bucket names, initialized with the limit's name.
    hasher: Hasher,
    /// Location of the bucket, if the limit has no key.
    only: Option<Location>,
    /// Quotas of the keys with an override, by bucket name.
    overrides: BTreeMap<u128, Quota>,
    /// The first requests, if the match tests claims.
    matched_by_claims: Option<FirstRequests>,
    /// The first requests, if the key has claims and the match does not test any.
    keyed_by_claims: Option<FirstRequests>,
}

/// What a config reads of a request.
#[must_use]
pub fn needs(config: &Config) -> Needs {
    let mut needs = Needs::default();
    for limit in config.limits.iter().filter(|limit| config.settings.mode.max(limit.mode) != Mode::Off) {
        needs.add(&limit.needs());
    }
    needs
}

impl Policy {
    /// `scope` and `seed` determine the table, see [`seed`]. `since` is the current time, which orders configs.
    #[must_use]
    pub fn new(config: Config, scope: &Scope, seed: Key, since: Nanos) -> Self {
        let table = Table::new(scope, config.capacity, seed);
        let needs = config.settings.complete(needs(&config));
        let buckets = config.limits.iter().map(|limit| Buckets::new(limit, &table)).collect();
        Self { buckets, table, needs, generation: since.0, config }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Decides on a request. `roll` returns uniformly random numbers.
    ///
    /// Either all enforced limits are charged or none. A shadow limit is charged independently of the outcome.
    pub fn decision(
        &self,
        facts: &Facts<'_>,
        mut roll: impl FnMut() -> u64,
        store: &mut impl Store,
    ) -> Decision {
        let client = self.config.settings.client(&self.needs, facts);
        let request = MatchInput::new(facts, client.ip);
        let mut decision = Decision { client_ip_fallback: client.fallback, ..Decision::default() };
        let mut refusals = Denials::default();
        let mut drafted = Vec::new();
        let mut shadowed = Vec::new();
        for (index, (limit, buckets)) in self.config.limits.iter().zip(&self.buckets).enumerate() {
            let mode = self.config.settings.mode.max(limit.mode);
            if mode == Mode::Off {
                continue;
            }
            let mut look = |first: &Option<FirstRequests>| {
                if first.as_ref().is_some_and(|first| first.are_without_claims(facts.claims.is_some())) {
                    decision.without_claims.push(index);
                }
            };
            look(&buckets.matched_by_claims);
            if !limit.matches.test(&request).is_possible() {
                continue;
            }
            look(&buckets.keyed_by_claims);
            let is_enforced = |roll: &mut dyn FnMut() -> u64| {
                mode == Mode::Enforce
                    && (limit.enforce_percentage == Percentage::ALL || limit.enforce_percentage.holds(roll()))
            };
            let (reservation, missing) = self.reservation(index, limit, buckets, &request);
            if missing.is_some() {
                decision.tallies.push((index, Metric::KeyMissing));
            }
            let Some(reservation) = reservation else {
                if let (Some(part), OnMissingKey::Deny) = (missing, limit.on_missing_key) {
                    refusals.add(&mut decision, is_enforced(&mut roll), index, Reason::NoKey { part });
                }
                continue;
            };
            if mode == Mode::Shadow {
                shadowed.push(reservation);
                continue;
            }
            match reservation.draft(store) {
                Ok(draft) if draft.charged.admits() => drafted.push((reservation, draft)),
                Ok(draft) => {
                    let is_enforced = is_enforced(&mut roll);
                    refusals.refused(&mut decision, is_enforced, &reservation, &draft.charged);
                    reservation.note_refusal(&draft, store);
                }
                Err(error) => self.failed(&reservation, error, &mut refusals, &mut decision),
            }
        }
        if refusals.foremost.is_none() {
            self.commit(drafted, &mut roll, store, &mut refusals, &mut decision);
        }
        for reservation in &shadowed {
            charge_shadow(reservation, store, &mut decision);
        }
        if let Some(refusal) = refusals.foremost {
            decision.outcome = Outcome::Refused(refusal);
        }
        decision
    }

    /// The charge of a request to a limit, and the index of the first missing part of the key. The charge is `None` if a
    /// part is missing and the limit does not charge such requests.
    fn reservation<'a>(
        &'a self,
        index: usize,
        limit: &'a Limit,
        buckets: &'a Buckets,
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
        (Some(Reservation { limit: index, location, charge }), missing)
    }

    /// Writes the drafts to the store, all of them or none.
    fn commit(
        &self,
        mut drafted: Vec<(Reservation<'_>, Draft)>,
        roll: &mut impl FnMut() -> u64,
        store: &mut impl Store,
        refusals: &mut Denials,
        decision: &mut Decision,
    ) {
        for (reservation, draft) in &mut drafted {
            match reservation.commit(draft, store) {
                Ok(()) if draft.charged.admits() => {}
                Ok(()) => {
                    let percentage =
                        self.config.limits.get(reservation.limit).map(|limit| limit.enforce_percentage);
                    let is_enforced = percentage.is_none_or(|percentage| percentage.holds(roll()));
                    refusals.refused(decision, is_enforced, reservation, &draft.charged);
                }
                Err(error) => self.failed(reservation, error, refusals, decision),
            }
            if refusals.foremost.is_some() {
                break;
            }
        }
        let refused = refusals.foremost.is_some();
        for (reservation, draft) in
            drafted.iter().filter(|(_, draft)| draft.committed && draft.charged.admits())
        {
            if draft.charged.overflowed() {
                decision.tallies.push((reservation.limit, Metric::Overflow));
            }
            if refused && draft.charged.level == ChargedLevel::Nowhere {
                continue;
            }
            if refused {
                let tally = match reservation.give_back(&draft.charged.level, store) {
                    Ok(()) => Metric::GivenBack,
                    Err(_) => Metric::Error,
                };
                decision.tallies.push((reservation.limit, tally));
            } else {
                decision.tallies.push((reservation.limit, Metric::Allowed));
                decision.stands(reservation, &draft.charged);
            }
        }
    }

    fn failed(
        &self,
        reservation: &Reservation<'_>,
        _: StoreError,
        refusals: &mut Denials,
        decision: &mut Decision,
    ) {
        decision.tallies.push((reservation.limit, Metric::Error));
        if self.config.on_error == OnError::Deny {
            refusals.keep(Denial { limit: Some(reservation.limit), reason: Reason::Error });
        }
    }
}

impl Buckets {
    fn new(limit: &Limit, table: &Table) -> Self {
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
        Self {
            hasher,
            only,
            overrides,
            matched_by_claims: in_match.then(FirstRequests::default),
            keyed_by_claims: (in_key && !in_match).then(FirstRequests::default),
        }
    }
}

fn charge_shadow(reservation: &Reservation<'_>, store: &mut impl Store, decision: &mut Decision) {
    let charged = reservation.draft(store).and_then(|mut draft| {
        reservation.commit(&mut draft, store)?;
        Ok(draft.charged)
    });
    let tally = match charged {
        Ok(charged) => {
            if charged.overflowed() {
                decision.tallies.push((reservation.limit, Metric::Overflow));
            }
            if charged.admits() { Metric::Allowed } else { Metric::ShadowDenied }
        }
        Err(_) => Metric::Error,
    };
    decision.tallies.push((reservation.limit, tally));
}

impl Decision {
    /// Keeps the standing of the bucket with the smallest share left.
    fn stands(&mut self, reservation: &Reservation<'_>, charged: &Charged) {
        let Verdict::Admitted { owed } = charged.verdict else { return };
        let standing = Standing::new(reservation.limit, charged.quota, owed);
        if let Outcome::Admitted(tightest) = &mut self.outcome
            && tightest.is_none_or(|tightest| standing.share() < tightest.share())
        {
            *tightest = Some(standing);
        }
    }
}

/// The enforced refusals. The foremost is one where waiting does not help, otherwise the one with the longest wait.
#[derive(Debug, Default)]
struct Denials {
    foremost: Option<Denial>,
}

impl Denials {
    fn refused(
        &mut self,
        decision: &mut Decision,
        is_enforced: bool,
        reservation: &Reservation<'_>,
        charged: &Charged,
    ) {
        if charged.overflowed() {
            decision.tallies.push((reservation.limit, Metric::Overflow));
        }
        let reason = match charged.verdict {
            Verdict::Refused { owed, wait } => {
                Reason::NoTokens { standing: Standing::new(reservation.limit, charged.quota, owed), wait }
            }
            _ => Reason::NoSlot,
        };
        self.add(decision, is_enforced, reservation.limit, reason);
    }

    fn add(&mut self, decision: &mut Decision, is_enforced: bool, limit: usize, reason: Reason) {
        decision.tallies.push((limit, if is_enforced { Metric::Denied } else { Metric::ShadowDenied }));
        if is_enforced {
            self.keep(Denial { limit: Some(limit), reason });
        }
    }

    fn keep(&mut self, refusal: Denial) {
        let wait = |refusal: &Denial| match refusal.reason {
            Reason::NoTokens { wait, .. } => Some(wait),
            Reason::NoSlot | Reason::NoKey { .. } | Reason::Error => None,
        };
        let comes_first = match &self.foremost {
            None => true,
            Some(foremost) => match (wait(foremost), wait(&refusal)) {
                (Some(longest), Some(wait)) => wait > longest,
                (longest, None) => longest.is_some(),
                (None, Some(_)) => false,
            },
        };
        if comes_first {
            self.foremost = Some(refusal);
        }
    }
}

#[cfg(test)]
mod tests;
