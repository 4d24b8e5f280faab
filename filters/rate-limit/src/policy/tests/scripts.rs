//! Requests to a few configs, for a search through every script.

use super::super::{Outcome, Policy};
use super::simulation::{decide, policy};
use mesh_policy::headers::Headers;
use mesh_policy::time::Nanos;
use mesh_testkit::records::{Alone, Records};
use mesh_testkit::search::{self, Bounds, Found, Replay, Scene, State, search};
use std::collections::{BTreeSet, HashMap};

/// Requests by a few configs.
pub(super) struct Requests<'a> {
    policies: Vec<Policy>,
    /// What may come: requests by each config, of each cost.
    requests: Vec<Request>,
    headers: HashMap<u64, Headers>,
    /// The records' names, by limit.
    limits: Vec<Vec<u8>>,
    law: Law<'a>,
}

/// A request of a cost, by which config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Request {
    pub(super) config: usize,
    pub(super) cost: u64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Decided {
    pub(super) admitted: bool,
    /// For each limit, when its bucket was last looked at, which is what counted.
    pub(super) looks: Vec<u64>,
}

pub(super) type Event = search::Event<Request, Decided>;

/// What is told of a script so far.
pub(super) struct Told<'a> {
    pub(super) now: u64,
    /// In the order in which they were decided.
    pub(super) events: &'a [Event],
    /// The configs that have taken part.
    pub(super) configs: BTreeSet<usize>,
    /// When the script ends.
    pub(super) records: Option<Records>,
}

/// What must hold whenever a request was decided, and when a script ends.
pub(super) type Law<'a> = &'a dyn Fn(&Told<'_>) -> Result<(), String>;

/// Plays every script of requests by configs, in the order in which they were loaded, each with what its requests
/// may cost: their header `cost`.
pub(super) fn play(configs: &[(String, Vec<u64>)], bounds: Bounds, law: Law<'_>) -> Found {
    let costs = || configs.iter().flat_map(|(_, costs)| costs);
    let headers = |cost: &u64| (*cost, Headers::from_pairs([("cost", cost.to_string())]));
    let of = |(config, (_, costs)): (usize, &(String, Vec<u64>))| {
        costs.iter().map(move |cost| Request { config, cost: *cost }).collect::<Vec<_>>()
    };
    let mut requests = Requests {
        policies: configs.iter().zip(1..).map(|((config, _), since)| policy(config, since)).collect(),
        requests: configs.iter().enumerate().flat_map(of).collect(),
        headers: costs().map(headers).collect(),
        limits: Vec::new(),
        law,
    };
    // A request of the first config reads all records, in the order of its limits.
    let headers = &requests.headers[&requests.requests[0].cost];
    let (_, looks) = decide(&requests.policies[0], headers, &mut Alone::default());
    requests.limits = looks.into_iter().map(|(record, _)| record).collect();
    // Late enough for every instant that is reckoned back from it.
    search(&requests, bounds, Nanos(1_000_000_000_000))
}

impl Requests<'_> {
    fn check(&self, state: &State<Self>, records: Option<Records>) -> Result<(), String> {
        let decided = state.events.iter().map(|event| event.task.config);
        let configs = decided.chain(state.running().map(|request| request.config)).collect();
        (self.law)(&Told { now: state.now, events: &state.events, configs, records })
    }
}

impl Scene for Requests<'_> {
    type Worker = ();
    type Task = Request;
    type Outcome = Decided;

    const REMEMBERS: bool = false;

    fn worker(&self, _: usize) {}

    fn tasks(&self, _: &State<Self>, _: usize) -> Vec<Request> {
        self.requests.clone()
    }

    fn run(&self, (): &mut (), request: &Request, store: &mut Replay<'_>) -> Decided {
        let headers = &self.headers[&request.cost];
        let (decision, looks) = decide(&self.policies[request.config], headers, store);
        let last = |limit: &Vec<u8>| looks.iter().find(|(record, _)| record == limit).map(|(_, now)| *now);
        Decided {
            admitted: matches!(decision.outcome, Outcome::Admitted(_)),
            looks: self.limits.iter().map(|limit| last(limit).unwrap_or_default()).collect(),
        }
    }

    fn done(&self, state: &State<Self>, _: &dyn Fn() -> Records) -> Result<(), String> {
        self.check(state, None)
    }

    fn ended(&self, state: &State<Self>, records: Records) -> Result<(), String> {
        self.check(state, Some(records))
    }
}
