//! Simulates the workers of a proxy: before every call to the store, another worker may decide on a request.

use super::super::{Decision, Policy};
use mesh_policy::facts::Facts;
use mesh_policy::hash::Key;
use mesh_policy::headers::Headers;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_testkit::script::{self, Shared, World};
use std::cell::RefCell;
use std::rc::Rc;

pub(in crate::policy) type Step = script::Step<Arrival>;

/// A request, and the index of the config that decides on it.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Arrival {
    pub(in crate::policy) policy: usize,
    /// The configs that decide on it as well.
    pub(in crate::policy) beside: Vec<usize>,
    pub(in crate::policy) headers: Vec<(String, String)>,
}

/// A request with the header `k` to the first config.
pub(in crate::policy) fn of(key: &str) -> Arrival {
    Arrival { policy: 0, beside: Vec::new(), headers: vec![("k".to_owned(), key.to_owned())] }
}

/// A decision, and the time of the last read of each record, which is when charges took effect.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Event {
    pub(in crate::policy) arrival: Arrival,
    pub(in crate::policy) looks: Looks,
    pub(in crate::policy) decision: Decision,
}

/// The policy of a config that was loaded at this time.
pub(super) fn policy(config: &str, since: u64) -> Policy {
    let config = crate::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    Policy::new(config, &Scope::of_plugin("test"), Key::new([7; 16]), Nanos(since))
}

/// The policies of the configs of one block, the block's own first.
pub(super) fn block(configs: &[impl AsRef<str>]) -> Vec<Policy> {
    let own = policy(configs[0].as_ref(), 0);
    let of_route = |config: &str| {
        own.of_route(crate::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}")))
    };
    let routes: Vec<_> = configs[1..].iter().map(|config| of_route(config.as_ref())).collect();
    std::iter::once(own).chain(routes).collect()
}

/// The decision of a policy on a request, and when it last read each record.
pub(super) fn decide(policy: &Policy, headers: &Headers, store: &mut impl Store) -> (Decision, Looks) {
    decide_beside(policy, &[], headers, store)
}

/// As [`decide`], by several policies.
pub(super) fn decide_beside(
    policy: &Policy,
    others: &[&Policy],
    headers: &Headers,
    store: &mut impl Store,
) -> (Decision, Looks) {
    let mut store = Looking { store, looks: Looks::default() };
    let facts = Facts::of(headers);
    let decision = policy.decision_beside(others, &facts, || 0, &mut store);
    (decision, store.looks)
}

/// The time of the last read of each record, in the order of the first reads.
pub(in crate::policy) type Looks = Vec<(Vec<u8>, u64)>;

/// A store that records when it is read.
struct Looking<'a, S> {
    store: &'a mut S,
    looks: Looks,
}

impl<S: Store> Store for Looking<'_, S> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let snapshot = self.store.read(key)?;
        let now = snapshot.now.0;
        match self.looks.iter_mut().find(|(record, _)| record == key) {
            Some((_, last)) => *last = now,
            None => self.looks.push((key.to_vec(), now)),
        }
        Ok(snapshot)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.store.write(key, value, version)
    }
}

#[derive(Clone)]
pub(in crate::policy) struct Simulation {
    shared: Shared<Arrival>,
    policies: Rc<Vec<Policy>>,
    events: Rc<RefCell<Vec<Event>>>,
}

impl World for Simulation {
    type Action = Arrival;

    const DEEPEST: u32 = 4;

    fn shared(&self) -> &Shared<Arrival> {
        &self.shared
    }

    fn act(&self, arrival: Arrival) {
        self.arrive(&arrival);
    }
}

impl Simulation {
    pub(in crate::policy) fn new(configs: &[impl AsRef<str>]) -> Self {
        let policies = configs.iter().zip(0..).map(|(config, since)| policy(config.as_ref(), since));
        Self::with(policies.collect())
    }

    /// With the configs of one block, the block's own first.
    pub(in crate::policy) fn of_block(configs: &[impl AsRef<str>]) -> Self {
        Self::with(block(configs))
    }

    fn with(policies: Vec<Policy>) -> Self {
        Self { shared: Shared::new(Nanos(0)), policies: Rc::new(policies), events: Rc::default() }
    }

    pub(in crate::policy) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.script(steps);
    }

    pub(in crate::policy) fn arrive(&self, arrival: &Arrival) -> Decision {
        let headers = Headers::from_pairs(arrival.headers.iter().map(|(name, value)| (name, value)));
        let others: Vec<_> = arrival.beside.iter().map(|policy| &self.policies[*policy]).collect();
        let policy = &self.policies[arrival.policy];
        let (decision, looks) = decide_beside(policy, &others, &headers, &mut self.clone());
        let event = Event { arrival: arrival.clone(), looks, decision: decision.clone() };
        self.events.borrow_mut().push(event);
        decision
    }

    pub(in crate::policy) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The first config.
    pub(in crate::policy) fn config(&self) -> &crate::config::Config {
        self.policies[0].config()
    }

    pub(in crate::policy) fn explain(&self, decision: &Decision) -> Option<String> {
        let verdict = self.policies[0].verdict(&[], decision.clone()).verdict;
        match verdict.refusal {
            Some(refusal) => Some(refusal.details.to_string()),
            None => {
                let notable = verdict.decision.filter(|decision| decision.is_notable);
                notable.map(|decision| decision.label.to_string())
            }
        }
    }

    /// The decisions so far, in the order in which they took effect.
    pub(in crate::policy) fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }

    pub(in crate::policy) fn records(&self) -> usize {
        self.shared.records().len()
    }
}

impl Store for Simulation {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.read_record(key)
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.write_record(key, value, version)
    }
}
