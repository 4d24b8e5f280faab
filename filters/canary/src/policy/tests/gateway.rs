//! A policy, and a proxy whose clocks, random numbers and shared data a test sets.

use super::super::{Decision, Failed, Metric, Policy};
use crate::config::parse;
use mesh_policy::effects::Edit;
use mesh_policy::facts::Facts;
use mesh_policy::headers::Headers;
use mesh_policy::metric::Metric as _;
use mesh_policy::outcome::{Outcome, Timing};
use mesh_policy::policy::{Decide as _, Environment, Policy as _, Sources};
use mesh_policy::report::Report;
use mesh_policy::routes::RouteConfig as _;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Count, Verdict};
use mesh_testkit::random::SplitMix64;
use mesh_testkit::records::Alone;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub(in super::super) const SECOND: Duration = Duration::from_secs(1);

/// 2026-11-20T10:00:00Z, when rollouts of tests start.
pub(in super::super) const START: Duration = Duration::from_secs(1_795_168_800);

/// The claims of every request.
const TOKEN: &str = r#"{"sub": "alice"}"#;

pub(in super::super) type Told<'a> = Verdict<'a, Metric>;

/// What the proxy provides. A test makes it fail.
pub(in super::super) struct Host {
    pub(in super::super) has_random: bool,
    pub(in super::super) has_clock: bool,
    pub(in super::super) has_wall_clock: bool,
    pub(in super::super) has_store: bool,
    /// Number of random numbers, and of readings of each clock and of the store so far.
    pub(in super::super) asked: [u32; 4],
    now: Nanos,
    since_epoch: Duration,
    random: SplitMix64,
    store: Alone,
}

impl Host {
    /// The monotonic clock.
    pub(in super::super) const fn clock(&self) -> Nanos {
        self.now
    }

    /// Overwrites all records with something else.
    pub(in super::super) fn damage(&mut self) {
        self.store.records.iter_mut().for_each(|(_, value)| *value = vec![7; 99]);
    }
}

/// Time and random numbers of a host.
struct Provided<'a>(&'a RefCell<Host>);

impl Sources for Provided<'_> {
    fn random(&mut self) -> Option<u64> {
        let host = &mut *self.0.borrow_mut();
        host.asked[0] += 1;
        let number = host.random.roll();
        host.has_random.then_some(number)
    }

    fn now(&mut self) -> Option<Nanos> {
        let host = &mut *self.0.borrow_mut();
        host.asked[1] += 1;
        host.has_clock.then_some(host.now)
    }

    fn since_epoch(&mut self) -> Option<Duration> {
        let host = &mut *self.0.borrow_mut();
        host.asked[2] += 1;
        host.has_wall_clock.then_some(host.since_epoch)
    }
}

/// Shared data of a host.
struct Shared<'a>(&'a RefCell<Host>);

impl Store for Shared<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let host = &mut *self.0.borrow_mut();
        host.asked[3] += 1;
        host.store.now = host.now;
        if host.has_store { host.store.read(key) } else { Err(StoreError::Host) }
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let host = &mut *self.0.borrow_mut();
        if host.has_store { host.store.write(key, value, version) } else { Err(StoreError::Host) }
    }
}

/// A worker of the proxy, with a config.
pub(in super::super) struct Gateway {
    pub(in super::super) policy: Policy,
    /// What workers of one proxy share.
    pub(in super::super) host: Rc<RefCell<Host>>,
}

impl Gateway {
    /// The wall clock starts at [`START`].
    #[track_caller]
    pub(in super::super) fn new(config: &str) -> Self {
        let host = Host {
            has_random: true,
            has_clock: true,
            has_wall_clock: true,
            has_store: true,
            asked: [0; 4],
            now: Nanos(1_000_000_000_000),
            since_epoch: START,
            random: SplitMix64::new(1),
            store: Alone::default(),
        };
        Self::of(config, Rc::new(RefCell::new(host)))
    }

    /// Another worker of the proxy, or this one after a push: a config that is loaded now.
    #[track_caller]
    pub(in super::super) fn beside(&self, config: &str) -> Self {
        Self::of(config, Rc::clone(&self.host))
    }

    #[track_caller]
    fn of(config: &str, host: Rc<RefCell<Host>>) -> Self {
        let config = parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let now = host.borrow().now;
        Self { policy: Policy::new(config, &Scope::of_plugin("test"), now), host }
    }

    /// A route of the block whose own config this is.
    #[track_caller]
    pub(in super::super) fn route(&self, config: &str) -> Self {
        let mut config = parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let own = self.policy.config();
        config.complete(own).unwrap_or_else(|misfits| panic!("{misfits:?}"));
        assert_eq!(config.misfits(own), []);
        let now = self.host.borrow().now;
        let policy = self.policy.of_route(config, &Scope::of_plugin("test"), now);
        Self { policy, host: Rc::clone(&self.host) }
    }

    /// Time passes.
    pub(in super::super) fn pass(&self, time: Duration) {
        let host = &mut *self.host.borrow_mut();
        host.now = host.now.after(time);
        host.since_epoch += time;
    }

    /// The wall clock alone is set.
    pub(in super::super) fn set_wall_clock(&self, since_epoch: Duration) {
        self.host.borrow_mut().since_epoch = since_epoch;
    }

    /// Other random numbers follow.
    pub(in super::super) fn seed(&self, seed: u64) {
        self.host.borrow_mut().random = SplitMix64::new(seed);
    }

    fn with_environment<T>(&self, act: impl FnOnce(Environment<'_, Shared<'_>>) -> T) -> T {
        act(Environment { sources: &mut Provided(&self.host), store: &mut Shared(&self.host) })
    }

    /// The verdict on a request with these headers, `name: value; name: value`. Headers that only the filter may set are
    /// apart, as the host layer hands them over.
    pub(in super::super) fn decide(&self, headers: &str) -> Told<'_> {
        let pairs = headers.split("; ").filter_map(|header| header.split_once(": "));
        let headers = Headers::from_pairs(pairs);
        self.decide_on(&headers)
    }

    pub(in super::super) fn decide_on(&self, headers: &Headers) -> Told<'_> {
        let (removed, headers) = self.apart(headers);
        let claims = TOKEN.parse().unwrap();
        let facts = Facts { removed: &removed, claims: Some(&claims), ..Facts::of(&headers) };
        self.with_environment(|environment| self.policy.decide(&facts, environment))
    }

    /// The decision that a verdict is made of.
    pub(in super::super) fn decision_on(&self, headers: &Headers) -> Result<Decision<'_>, Failed> {
        let (removed, headers) = self.apart(headers);
        let claims = TOKEN.parse().unwrap();
        let facts = Facts { removed: &removed, claims: Some(&claims), ..Facts::of(&headers) };
        self.with_environment(|environment| self.policy.decision(&facts, environment))
    }

    /// The verdict where the filter's mode is `off`.
    pub(in super::super) fn pass_by(&self, headers: &Headers) -> Told<'_> {
        use mesh_policy::headers::Unchangeable;
        let (removed, headers) = self.apart(headers);
        self.policy.pass(&removed, || Ok::<_, Unchangeable>(&headers)).unwrap()
    }

    /// Headers that only the filter may set, and the others.
    fn apart(&self, headers: &Headers) -> (Headers, Headers) {
        let is_own = |name: &[u8]| self.policy.own_headers().iter().any(|own| own.is_same_variable(name));
        (headers.filtered(is_own), headers.filtered(|name| !is_own(name)))
    }

    /// The first look at the config.
    pub(in super::super) fn start(&self) -> Report<Metric> {
        self.with_environment(|environment| self.policy.start(environment))
    }

    /// Background work.
    pub(in super::super) fn tick(&self) -> Report<Metric> {
        self.with_environment(|environment| self.policy.tick(environment))
    }

    /// The outcome of a request that has taken no time.
    pub(in super::super) fn observe(&self, verdict: &Told<'_>, is_error: bool) -> Option<Duration> {
        let observation = verdict.observation.unwrap();
        let timing = observation.began.map(|began| Timing { began, took: Duration::ZERO, known_at: began });
        self.policy.observe(&Outcome { subject: observation.subject, timing, is_error })
    }

    /// What a verdict counts, each as the metric's name and the values of its labels.
    #[track_caller]
    pub(in super::super) fn counted(&self, verdict: &Told<'_>) -> Vec<String> {
        verdict.counts.iter().map(|count| self.name(*count)).collect()
    }

    #[track_caller]
    pub(in super::super) fn name(&self, Count { metric, labels, .. }: Count<Metric>) -> String {
        let definition = metric.definition();
        if definition.labels.is_empty() {
            return definition.name.to_owned();
        }
        let values = self.policy.label_values(metric);
        let values = values[labels].as_ref().expect("a metric that is defined");
        assert_eq!(values.len(), definition.labels.len());
        format!("{} {}", definition.name, values.join(" "))
    }
}

/// The label of a verdict, for the access log.
pub(in super::super) fn label(verdict: &Told<'_>) -> String {
    match &verdict.refusal {
        Some(refusal) => refusal.details.to_string(),
        None => verdict.decision.as_ref().unwrap().label.to_string(),
    }
}

/// The value that a verdict sets a header to, of the request; `-` if it does not.
pub(in super::super) fn written(verdict: &Told<'_>, header: &str) -> String {
    value(&verdict.request, header)
}

/// The value that edits set or add of a header; `-` if they do not.
pub(in super::super) fn value(edits: &[Edit], header: &str) -> String {
    let value = edits.iter().find_map(|edit| match edit {
        Edit::Set(name, value) | Edit::Add(name, value) if name.as_str() == header => Some(value),
        _ => None,
    });
    value.map_or_else(|| "-".to_owned(), |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
