//! Plays every script of requests to a few configs.

use super::super::{Outcome, Policy};
use super::simulation::{decide, policy};
use mesh_policy::headers::Headers;
use mesh_policy::time::Nanos;
use mesh_testkit::records::{Alone, Records};
use mesh_testkit::search::{self, Bounds, Found, Replay, Scene, State, search};
use std::collections::{BTreeSet, HashMap};

/// A scene of requests to a few configs.
pub(super) struct Requests<'a> {
    policies: Vec<Policy>,
    /// The possible requests: to each config, with each cost.
    requests: Vec<Request>,
    headers: HashMap<u64, Headers>,
    /// Names of the records, by limit.
    limits: Vec<Vec<u8>>,
    law: Law<'a>,
}

/// A request with a cost, handled by a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Request {
    pub(super) config: usize,
    pub(super) cost: u64,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Decided {
    pub(super) admitted: bool,
    /// For each limit, when its bucket was last read, which is when the charge took effect.
    pub(super) looks: Vec<u64>,
}

pub(super) type Event = search::Event<Request, Decided>;

/// The state of a script, as passed to a law.
pub(super) struct Told<'a> {
    pub(super) now: u64,
    /// Results in the order of the decisions.
    pub(super) events: &'a [Event],
    /// The configs that took part.
    pub(super) configs: BTreeSet<usize>,
    /// The records, at the end of the script.
    pub(super) records: Option<Records>,
}

/// A property that is checked after each decision and at the end of each script.
pub(super) type Law<'a> = &'a dyn Fn(&Told<'_>) -> Result<(), String>;

/// Plays every script of requests to `configs`, which are in the order of loading. Each has the possible costs of its
/// requests, sent in the header `cost`.
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
    // A start time that is late enough to subtract from.
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
