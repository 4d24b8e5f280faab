//! A policy, and a proxy whose clock, random numbers and shared data a test sets.

use super::super::editor::Editor;
use super::super::{Metric, Policy};
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Attribute, Facts};
use mesh_policy::headers::{HeaderValue, Headers};
use mesh_policy::metric::Metric as _;
use mesh_policy::percent::Percentage;
use mesh_policy::policy::{Decide as _, Environment, Policy as _, Setup, Sources};
use mesh_policy::scope::Scope;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Count, Verdict};
use mesh_testkit::records::Alone;
use std::cell::{Cell, LazyCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

pub(super) type Told<'a> = Verdict<'a, Metric>;

/// The random numbers, over and over: the halves of a trace id, and a span id. The last 56 bits of the trace id are 13 % of
/// their range, so the trace is sampled for shares from 87 % on.
const RANDOM: [u64; 3] = [0x1111_1111_1111_1111, 0x2222_2222_2222_2222, 0x3333_3333_3333_3333];

/// What stands for ids in headers. The last 56 bits of `<t>` are 80.7 % of their range, so it is sampled for shares from
/// 20 % on.
const IDS: [(&str, &str); 9] = [
    ("<t>", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("<s>", "00f067aa0ba902b7"),
    // The lower half of `<t>`, padded and alone, and both in decimal digits.
    ("<padded>", "0000000000000000a3ce929d0e0e4736"),
    ("<short>", "a3ce929d0e0e4736"),
    ("<decimal t>", "11803532876627986230"),
    ("<decimal s>", "67667974448284343"),
    // Another trace.
    ("<other>", "0af7651916cd43dd8448eb211c80319c"),
    // A new trace and its span.
    ("<new>", "11111111111111112222222222222222"),
    ("<new s>", "3333333333333333"),
];

/// What the proxy provides. A test makes it fail.
pub(super) struct Host {
    pub(super) has_random: bool,
    pub(super) has_store: bool,
    /// Number of random numbers, and of readings and writings of the store so far.
    pub(super) asked: [usize; 3],
    now: Nanos,
    pub(super) store: Alone,
}

/// Time and random numbers of a host.
struct Provided<'a>(&'a RefCell<Host>);

impl Sources for Provided<'_> {
    fn random(&mut self) -> Option<u64> {
        let host = &mut *self.0.borrow_mut();
        let number = RANDOM[host.asked[0] % RANDOM.len()];
        host.asked[0] += 1;
        host.has_random.then_some(number)
    }

    fn now(&mut self) -> Option<Nanos> {
        Some(self.0.borrow().now)
    }

    fn since_epoch(&mut self) -> Option<Duration> {
        None
    }
}

/// Shared data of a host.
struct Shared<'a>(&'a RefCell<Host>);

impl Store for Shared<'_> {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let host = &mut *self.0.borrow_mut();
        host.asked[1] += 1;
        host.store.now = host.now;
        if host.has_store { host.store.read(key) } else { Err(StoreError::Host) }
    }

    fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
        let host = &mut *self.0.borrow_mut();
        host.asked[2] += 1;
        if host.has_store { host.store.write(key, value, version) } else { Err(StoreError::Host) }
    }
}

/// What a config is read with.
struct Loading<'a> {
    shared: Shared<'a>,
    scope: Scope,
}

impl<'a> Setup for Loading<'a> {
    type Store = Shared<'a>;

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn now(&self) -> Nanos {
        self.shared.0.borrow().now
    }

    fn random_key(&mut self) -> Result<[u8; 16], mesh_config::Problems> {
        Ok([7; 16])
    }

    fn store(&mut self) -> &mut Shared<'a> {
        &mut self.shared
    }
}

/// A worker of the proxy, with a config.
pub(super) struct Gateway {
    pub(super) policy: Policy,
    /// What workers of one proxy share.
    pub(super) host: Rc<RefCell<Host>>,
    /// Which way the requests go, as the proxy says: 1 inbound, 2 outbound.
    pub(super) direction: Option<u64>,
    /// Whether requests have a verified token.
    pub(super) has_claims: bool,
}

impl Gateway {
    #[track_caller]
    pub(super) fn new(config: &str) -> Self {
        let host = Host {
            has_random: true,
            has_store: true,
            asked: [0; 3],
            now: Nanos(1_000_000_000_000),
            store: Alone::default(),
        };
        Self::of(config, Rc::new(RefCell::new(host)))
    }

    /// Another listener or worker of the proxy.
    #[track_caller]
    pub(super) fn beside(&self, config: &str) -> Self {
        Self::of(config, Rc::clone(&self.host))
    }

    #[track_caller]
    fn of(config: &str, host: Rc<RefCell<Host>>) -> Self {
        let mut setup = Loading { shared: Shared(&host), scope: Scope::of_plugin("test") };
        let policy = Policy::read(config.as_bytes())
            .and_then(|config| Policy::build(config, &mut setup))
            .unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        Self { policy, host, direction: None, has_claims: true }
    }

    /// Time passes.
    pub(super) fn pass(&self, time: Duration) {
        let host = &mut *self.host.borrow_mut();
        host.now = host.now.after(time);
    }

    /// The verdict on a request with these headers.
    pub(super) fn decide(&self, headers: &str) -> Told<'_> {
        self.decide_on(&parsed(headers))
    }

    pub(super) fn decide_on(&self, headers: &Headers) -> Told<'_> {
        let claims = r#"{"tenant": "acme"}"#.parse().unwrap();
        let attribute = |path: &Vec<String>| Attribute {
            path: path.clone(),
            value: self.direction.map(|direction| direction.to_le_bytes().to_vec()),
        };
        let attributes: Vec<_> = self.policy.needs().attributes.iter().map(attribute).collect();
        let facts = Facts {
            source: Some([192, 0, 2, 1].into()),
            claims: Some(&claims).filter(|_| self.has_claims),
            attributes: &attributes,
            ..Facts::of(headers)
        };
        // Each request has the same random numbers.
        self.host.borrow_mut().asked[0] = 0;
        let environment = Environment { sources: &mut Provided(&self.host), store: &mut Shared(&self.host) };
        self.policy.decide(&facts, environment)
    }

    /// How often the share of new traces is asked for, which tests the sampling rules.
    pub(super) fn shares_asked(&self, headers: &str) -> usize {
        let (headers, asked) = (parsed(headers), Cell::new(0));
        let share = LazyCell::new(|| {
            asked.set(asked.get() + 1);
            Percentage::ALL
        });
        let mut editor = Editor::new(&headers, &headers, Vec::new());
        assert!(self.policy.trace(&mut editor, &share, &mut Provided(&self.host)).is_ok());
        asked.get()
    }

    /// What the upstream gets of a request.
    #[track_caller]
    pub(super) fn send(&self, request: &str) -> Vec<String> {
        sent(request, &self.decide(request).request)
    }

    /// What a verdict counts, each as the metric's name and the values of its labels, behind its number unless that is one.
    #[track_caller]
    pub(super) fn counted(&self, verdict: &Told<'_>) -> Vec<String> {
        let names: Vec<_> = verdict.counts.iter().map(|count| self.name(*count)).collect();
        let numbered = names.iter().zip(&verdict.counts).map(|(name, count)| {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} is counted twice");
            match count.number {
                0 => panic!("{name} counts nothing"),
                1 => name.clone(),
                number => format!("{number} {name}"),
            }
        });
        numbered.collect()
    }

    #[track_caller]
    pub(super) fn name(&self, Count { metric, labels, .. }: Count<Metric>) -> String {
        let definition = metric.definition();
        if definition.labels.is_empty() {
            assert_eq!(labels, 0);
            return definition.name.to_owned();
        }
        let values = self.policy.label_values(metric);
        let values = values.get(labels).and_then(Option::as_ref);
        let values = values.unwrap_or_else(|| panic!("no {} with index {labels}", definition.name));
        assert_eq!(values.len(), definition.labels.len());
        format!("{} {}", definition.name, values.join(" "))
    }
}

/// A text with its ids: `<t>` is a trace, `<s>` a span of it, see [`IDS`].
pub(super) fn expand(text: &str) -> String {
    IDS.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
}

/// Headers, `name: value; name: value`.
pub(super) fn parsed(headers: &str) -> Headers {
    let headers = expand(headers);
    Headers::from_pairs(headers.split("; ").filter_map(|header| header.split_once(": ")))
}

/// Headers as a sorted list.
pub(super) fn sorted(headers: &str) -> Vec<String> {
    let headers = expand(headers);
    let mut headers: Vec<_> =
        headers.split("; ").filter(|header| !header.is_empty()).map(str::to_owned).collect();
    headers.sort();
    headers
}

/// The headers of a request after these edits, sorted.
#[track_caller]
pub(super) fn sent(request: &str, edits: &[Edit]) -> Vec<String> {
    let mut headers = sent_on(&parsed(request), edits)
        .iter()
        .map(|(name, value)| format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
        .collect::<Vec<_>>();
    headers.sort();
    headers
}

/// The headers of a request after these edits.
#[track_caller]
pub(super) fn sent_on(request: &Headers, edits: &[Edit]) -> Headers {
    let mut headers = request.clone();
    for edit in edits {
        match edit {
            Edit::Set(name, value) => {
                headers.remove(name);
                headers.add(name, value);
            }
            Edit::Add(name, value) => headers.add(name, value),
            Edit::Remove(name) => assert!(headers.remove(name) > 0, "{edit:?}"),
            Edit::Target(_) | Edit::Status(_) => panic!("{edit:?}"),
        }
    }
    headers
}

/// The changes of a request's headers, each one call to the proxy: `set name: value`, `add name: value`, `remove name`.
pub(super) fn edits(verdict: &Told<'_>) -> Vec<String> {
    let line = |edit: &Edit| {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        match edit {
            Edit::Set(name, value) => format!("set {}: {}", name.as_str(), text(value)),
            Edit::Add(name, value) => format!("add {}: {}", name.as_str(), text(value)),
            Edit::Remove(name) => format!("remove {}", name.as_str()),
            Edit::Target(_) | Edit::Status(_) => panic!("{edit:?}"),
        }
    };
    verdict.request.iter().map(line).collect()
}

/// The label of a verdict, for the access log.
pub(super) fn label(verdict: &Told<'_>) -> String {
    verdict.decision.as_ref().map_or_else(|| "-".to_owned(), |decision| decision.label.to_string())
}
