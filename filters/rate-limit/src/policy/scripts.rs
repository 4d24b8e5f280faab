//! Every script of a few workers: a depth-first search over what may happen next.
//!
//! A worker's host calls are its steps: it reads a record, reads the clock, writes a record. Between
//! any two of them another worker may take a step, a request may begin, or time may pass. The search
//! takes each of these choices in turn, as long as [`Scene`] has requests and pauses left.
//!
//! `decide` cannot stop in the middle, so a step runs it from its beginning: it is told again what it
//! was told before, up to the first call that has not been made. What happens in a state depends only
//! on the state, so each is searched once; scripts that meet in one are counted all the same.

use super::{Decision, Policy};
use mesh_policy::facts::Facts;
use mesh_policy::hash::Key;
use mesh_policy::headers::Headers;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// What there is to happen.
pub(super) struct Scene {
    /// Configs in the order in which they were loaded, each with what its requests may cost: their
    /// header `cost`.
    pub(super) configs: Vec<(String, Vec<u64>)>,
    /// Requests in a script.
    pub(super) requests: u32,
    /// Workers, each with one request at a time.
    pub(super) workers: usize,
    /// How long time passes at once, in nanoseconds.
    pub(super) pause: u64,
    /// How often it may pass.
    pub(super) pauses: u32,
    /// Whether time also passes while requests are on their way.
    pub(super) pauses_in_flight: bool,
}

/// A request that was decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Event {
    pub(super) config: usize,
    pub(super) cost: u64,
    pub(super) admitted: bool,
    /// For each limit, when its bucket was last looked at, which is what counted.
    pub(super) looks: Vec<u64>,
    /// How many requests had been decided when this one last read the clock.
    pub(super) after: usize,
}

/// A state of the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: u64,
    records: BTreeMap<Text, Record>,
    writes: u32,
    flying: Vec<Request>,
    begun: u32,
    pauses: u32,
    /// In the order in which they were decided.
    pub(super) events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Request {
    config: usize,
    cost: u64,
    told: Vec<Told>,
    next: Call,
    after: usize,
}

/// What a host call answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Told {
    Record(Option<Record>),
    Clock(u64),
    Written(bool),
}

impl Told {
    fn record(&self) -> Option<Record> {
        match self {
            Self::Record(record) => *record,
            other => panic!("{other:?} for a record"),
        }
    }

    fn clock(&self) -> u64 {
        match self {
            Self::Clock(now) => *now,
            other => panic!("{other:?} for an instant"),
        }
    }

    fn written(&self) -> bool {
        match self {
            Self::Written(written) => *written,
            other => panic!("{other:?} for a write"),
        }
    }
}

/// A host call that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    Record(Text),
    Clock,
    Write { name: Text, value: Text, number: u32 },
}

/// A record, with the number of the write that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Record {
    value: Text,
    number: u32,
}

/// Bytes that are kept once, so that states are quickly compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Text(usize);

#[derive(Default)]
struct Texts {
    known: HashMap<Rc<[u8]>, Text>,
    all: Vec<Rc<[u8]>>,
}

impl Texts {
    fn keep(&mut self, bytes: &[u8]) -> Text {
        if let Some(text) = self.known.get(bytes) {
            return *text;
        }
        let (text, bytes) = (Text(self.all.len()), Rc::<[u8]>::from(bytes));
        self.all.push(bytes.clone());
        self.known.insert(bytes, text);
        text
    }
}

/// Called with every state in which a request was decided, and with the records when a script ends.
pub(super) type Check<'a> = &'a dyn Fn(&World, Option<Vec<Rc<[u8]>>>) -> Result<(), String>;

/// How much a search has tried.
pub(super) struct Found {
    pub(super) scripts: u64,
    pub(super) states: usize,
}

/// A search.
pub(super) struct Search<'a> {
    scene: &'a Scene,
    policies: Vec<Policy>,
    headers: HashMap<u64, Headers>,
    /// The records' names, by limit.
    limits: Vec<Text>,
    texts: RefCell<Texts>,
    check: Check<'a>,
    /// How many scripts each state leads to.
    known: HashMap<Rc<World>, u64>,
    path: Vec<String>,
}

impl<'a> Search<'a> {
    /// Runs every script.
    pub(super) fn run(scene: &'a Scene, check: Check<'a>) -> Found {
        let policy = |((config, _), since): (&(String, Vec<u64>), u64)| {
            let config =
                crate::config::parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
            Policy::new(config, "test", Key::new([7; 16]), Nanos(since))
        };
        let headers = |cost: &u64| (*cost, Headers::from_pairs([("cost", cost.to_string())]));
        let mut search = Self {
            scene,
            policies: scene.configs.iter().zip(1..).map(policy).collect(),
            headers: scene.configs.iter().flat_map(|(_, costs)| costs).map(headers).collect(),
            limits: Vec::new(),
            texts: RefCell::default(),
            check,
            known: HashMap::new(),
            path: Vec::new(),
        };
        search.limits = search.find_limits();
        let scripts = search.follow(World {
            // Late enough for every instant that is reckoned back from it.
            now: 1_000_000_000_000,
            records: BTreeMap::new(),
            writes: 0,
            flying: Vec::new(),
            begun: 0,
            pauses: 0,
            events: Vec::new(),
        });
        Found { scripts, states: search.known.len() }
    }

    /// A request of the first config reads all records, in the order of its limits.
    fn find_limits(&self) -> Vec<Text> {
        let mut told = Vec::new();
        let mut names = Vec::new();
        loop {
            match self.replay(0, self.scene.configs[0].1[0], &told).1 {
                Some(Call::Record(name)) => {
                    names.push(name);
                    told.push(Told::Record(None));
                }
                Some(Call::Clock) => told.push(Told::Clock(0)),
                _ => return names,
            }
        }
    }

    fn follow(&mut self, world: World) -> u64 {
        let world = Rc::new(world);
        if let Some(scripts) = self.known.get(&world) {
            return *scripts;
        }
        let mut scripts = 0;
        for at in 0..world.flying.len() {
            let mut next = (*world).clone();
            let request = next.flying.remove(at);
            let step = format!("{} of config {} cost {}", request.next.name(), request.config, request.cost);
            let decided = self.step(&mut next, request);
            self.path.push(step);
            if decided {
                self.check(&next, None);
            }
            scripts += self.follow(next);
            self.path.pop();
        }
        if world.begun < self.scene.requests && world.flying.len() < self.scene.workers {
            for (config, (_, costs)) in self.scene.configs.iter().enumerate() {
                for cost in costs {
                    let mut next = (*world).clone();
                    next.begun += 1;
                    let (_, call) = self.replay(config, *cost, &[]);
                    let request = Request {
                        config,
                        cost: *cost,
                        told: Vec::new(),
                        next: call.expect("a request reads a record"),
                        after: 0,
                    };
                    // The first host call begins it: before that it is not there.
                    let step = format!("config {config} begins cost {cost}");
                    self.step(&mut next, request);
                    self.path.push(step);
                    scripts += self.follow(next);
                    self.path.pop();
                }
            }
        }
        if world.pauses < self.scene.pauses
            && (world.begun < self.scene.requests || !world.flying.is_empty())
            && (self.scene.pauses_in_flight || world.flying.is_empty())
        {
            let now = world.now + self.scene.pause;
            self.path.push("time passes".to_owned());
            scripts += self.follow(World { now, pauses: world.pauses + 1, ..(*world).clone() });
            self.path.pop();
        }
        if scripts == 0 {
            let texts = self.texts.borrow();
            let records = world.records.values().map(|record| texts.all[record.value.0].clone());
            self.check(&world, Some(records.collect()));
            scripts = 1;
        }
        self.known.insert(world, scripts);
        scripts
    }

    fn check(&self, world: &World, ended: Option<Vec<Rc<[u8]>>>) {
        if let Err(problem) = (self.check)(world, ended) {
            panic!("{problem}\n  {}", self.path.join("\n  "));
        }
    }

    /// Makes a request's next host call; whether it is decided now.
    fn step(&self, world: &mut World, mut request: Request) -> bool {
        let told = match &request.next {
            Call::Record(name) => Told::Record(world.records.get(name).copied()),
            Call::Clock => {
                request.after = world.events.len();
                Told::Clock(world.now)
            }
            // As the proxy: a number is compared only where there is a record.
            Call::Write { name, value, number } => {
                let conflict = world.records.get(name).is_some_and(|record| record.number != *number);
                if !conflict {
                    world.writes += 1;
                    world.records.insert(*name, Record { value: *value, number: world.writes });
                }
                Told::Written(!conflict)
            }
        };
        request.told.push(told);
        let (decision, next) = self.replay(request.config, request.cost, &request.told);
        match next {
            Some(next) => {
                world.flying.push(Request { next, ..request });
                // Workers are alike, so their order is no difference between states.
                world.flying.sort_unstable();
                false
            }
            None => {
                world.events.push(Event {
                    config: request.config,
                    cost: request.cost,
                    admitted: matches!(decision.outcome, super::Outcome::Admitted(_)),
                    looks: self.looks(&request),
                    after: request.after,
                });
                true
            }
        }
    }

    fn looks(&self, request: &Request) -> Vec<u64> {
        let mut store = Replay::new(&request.told, &self.texts);
        self.decide(request.config, request.cost, &mut store);
        let last = |limit: &Text| store.looks.iter().rfind(|(name, _)| name == limit).map(|(_, now)| *now);
        self.limits.iter().map(|limit| last(limit).unwrap_or_default()).collect()
    }

    fn replay(&self, config: usize, cost: u64, told: &[Told]) -> (Decision, Option<Call>) {
        let mut store = Replay::new(told, &self.texts);
        let decision = self.decide(config, cost, &mut store);
        (decision, store.next)
    }

    fn decide(&self, config: usize, cost: u64, store: &mut Replay<'_>) -> Decision {
        let facts = Facts {
            headers: &self.headers[&cost],
            source: None,
            principal: None,
            claims: None,
            attributes: &[],
        };
        self.policies[config].decision(&facts, || 0, store)
    }
}

impl World {
    /// The configs that have taken part so far.
    pub(super) fn configs(&self) -> BTreeSet<usize> {
        let decided = self.events.iter().map(|event| event.config);
        decided.chain(self.flying.iter().map(|request| request.config)).collect()
    }
}

impl Call {
    const fn name(&self) -> &'static str {
        match self {
            Self::Record(_) => "reads the record",
            Self::Clock => "reads the clock",
            Self::Write { .. } => "writes",
        }
    }
}

/// Tells a request what it was told before; fails at the first call that has not been made.
struct Replay<'a> {
    told: std::slice::Iter<'a, Told>,
    texts: &'a RefCell<Texts>,
    next: Option<Call>,
    looks: Vec<(Text, u64)>,
}

impl<'a> Replay<'a> {
    fn new(told: &'a [Told], texts: &'a RefCell<Texts>) -> Self {
        Self { told: told.iter(), texts, next: None, looks: Vec::new() }
    }

    fn tell(&mut self, call: impl FnOnce() -> Call) -> Result<&'a Told, StoreError> {
        let told = if self.next.is_none() { self.told.next() } else { None };
        told.ok_or_else(|| {
            self.next.get_or_insert_with(call);
            StoreError::Host
        })
    }
}

impl Store for Replay<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let texts = self.texts;
        let name = texts.borrow_mut().keep(key);
        let record = self.tell(|| Call::Record(name))?.record();
        let now = self.tell(|| Call::Clock)?.clock();
        self.looks.push((name, now));
        let (value, version) = match record {
            Some(Record { value, number }) => {
                (Some(texts.borrow().all[value.0].to_vec()), Version::Number(number))
            }
            None => (None, Version::Absent),
        };
        Ok(Snapshot { value, version, now: Nanos(now) })
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let number = match version {
            Version::Absent => u32::MAX,
            Version::Number(number) => number,
        };
        let texts = self.texts;
        let keep = |bytes| texts.borrow_mut().keep(bytes);
        let call = || Call::Write { name: keep(key), value: keep(value), number };
        let written = self.tell(call)?.written();
        Ok(if written { Written::Done } else { Written::Conflict })
    }
}
