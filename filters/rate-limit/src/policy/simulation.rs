//! A proxy's shared data with several workers, for tests: the same words, the same surprises.
//!
//! Before every host call of a worker the simulation may let time pass or let another worker decide
//! on a whole request, so that records change under the first one's hands. What happens when is a
//! list of [`Step`]s, which a property test makes up.

use super::{Decision, Policy};
use mesh_policy::facts::Facts;
use mesh_policy::hash::Key;
use mesh_policy::headers::Headers;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// A request to decide on, by which config.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) policy: usize,
    pub(super) headers: Vec<(String, String)>,
}

/// What happens before a host call.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Nothing,
    Pass(u64),
    Arrive(Arrival),
    Fail,
}

/// A decision and the instants of the last look at each record, which are those that counted.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) arrival: Arrival,
    pub(super) looks: HashMap<Vec<u8>, u64>,
    pub(super) decision: Decision,
}

#[derive(Default)]
struct World {
    records: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    writes: u32,
    now: u64,
    steps: VecDeque<Step>,
    events: Vec<Event>,
    depth: u32,
}

#[derive(Clone)]
pub(super) struct Simulation {
    world: Rc<RefCell<World>>,
    policies: Rc<Vec<Policy>>,
}

impl Simulation {
    pub(super) fn new(configs: &[impl AsRef<str>]) -> Self {
        let policy = |(config, since)| {
            let config: &str = AsRef::as_ref(config);
            let config =
                crate::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
            Policy::new(config, "test", Key::new([7; 16]), Nanos(since))
        };
        Self { world: Rc::default(), policies: Rc::new(configs.iter().zip(0..).map(policy).collect()) }
    }

    pub(super) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.world.borrow_mut().steps = steps.into_iter().collect();
    }

    pub(super) fn pass(&self, nanos: u64) {
        self.world.borrow_mut().now += nanos;
    }

    pub(super) fn arrive(&self, arrival: &Arrival) -> Decision {
        let mut worker = Worker { simulation: self.clone(), looks: HashMap::new() };
        let headers = Headers::from_pairs(arrival.headers.iter().map(|(name, value)| (name, value)));
        let facts = Facts { headers: &headers, source: None, principal: None, claims: None, attributes: &[] };
        let decision = self.policies[arrival.policy].decision(&facts, || 0, &mut worker);
        let event = Event { arrival: arrival.clone(), looks: worker.looks, decision: decision.clone() };
        self.world.borrow_mut().events.push(event);
        decision
    }

    /// The first config.
    pub(super) fn config(&self) -> &crate::config::Config {
        self.policies[0].config()
    }

    pub(super) fn explain(&self, decision: &Decision) -> Option<String> {
        let verdict = self.policies[0].verdict(decision.clone());
        match verdict.refusal {
            Some(refusal) => Some(refusal.details.to_string()),
            None => {
                let notable = verdict.decision.filter(|decision| decision.is_notable);
                notable.map(|decision| decision.label.to_string())
            }
        }
    }

    /// The decisions so far, in the order in which they took effect.
    pub(super) fn events(&self) -> Vec<Event> {
        self.world.borrow().events.clone()
    }

    pub(super) fn records(&self) -> usize {
        self.world.borrow().records.len()
    }

    fn disturb(&self) -> Result<(), StoreError> {
        const DEEPEST: u32 = 4;
        let step = {
            let mut world = self.world.borrow_mut();
            if world.depth >= DEEPEST { None } else { world.steps.pop_front() }
        };
        match step {
            None | Some(Step::Nothing) => {}
            Some(Step::Pass(nanos)) => self.pass(nanos),
            Some(Step::Fail) => return Err(StoreError::Host),
            Some(Step::Arrive(arrival)) => {
                self.world.borrow_mut().depth += 1;
                self.arrive(&arrival);
                self.world.borrow_mut().depth -= 1;
            }
        }
        Ok(())
    }
}

struct Worker {
    simulation: Simulation,
    looks: HashMap<Vec<u8>, u64>,
}

impl Store for Worker {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        self.simulation.disturb()?;
        let record = self.simulation.world.borrow().records.get(key).cloned();
        // Between the record and the clock there is time, too.
        self.simulation.disturb()?;
        let now = self.simulation.world.borrow().now;
        self.looks.insert(key.to_vec(), now);
        let (value, version) = match record {
            Some((value, cas)) => (Some(value), Version::Number(cas)),
            None => (None, Version::Absent),
        };
        Ok(Snapshot { value, version, now: Nanos(now) })
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        self.simulation.disturb()?;
        let mut world = self.simulation.world.borrow_mut();
        // As the proxy: a number is compared only where there is a record.
        let number = match version {
            Version::Absent => u32::MAX,
            Version::Number(number) => number,
        };
        if world.records.get(key).is_some_and(|(_, cas)| *cas != number) {
            return Ok(Written::Conflict);
        }
        world.writes += 1;
        let cas = world.writes;
        world.records.insert(key.to_vec(), (value.to_vec(), cas));
        Ok(Written::Done)
    }
}

/// A request with the header `k`, by the first config.
pub(super) fn of(key: &str) -> Arrival {
    Arrival { policy: 0, headers: vec![("k".to_owned(), key.to_owned())] }
}
