//! A policy, and a proxy whose clocks and random numbers a test sets.

use super::super::{Decision, Fault, Metric, Policy, Untouched};
use crate::config::parse;
use mesh_policy::effects::Edit;
use mesh_policy::facts::{Attribute, Facts};
use mesh_policy::headers::Headers;
use mesh_policy::metric::Metric as _;
use mesh_policy::policy::{Policy as _, Sources};
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Count, Verdict};
use mesh_testkit::random::SplitMix64;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// 2026-11-21T00:00:00Z
pub(super) const START: Duration = Duration::from_secs(1_795_219_200);

/// What the proxy provides. A test makes it fail.
pub(super) struct Host {
    pub(super) has_random: bool,
    pub(super) has_clock: bool,
    pub(super) has_wall_clock: bool,
    /// Number of random numbers, and of readings of each clock so far.
    pub(super) asked: [u32; 3],
    pub(super) now: Nanos,
    pub(super) since_epoch: Duration,
    /// The next random numbers; behind them those of a generator.
    rolls: VecDeque<u64>,
    generator: Option<SplitMix64>,
}

/// Time and random numbers of a host.
struct Provided<'a>(&'a RefCell<Host>);

impl Sources for Provided<'_> {
    fn random(&mut self) -> Option<u64> {
        let host = &mut *self.0.borrow_mut();
        host.asked[0] += 1;
        if !host.has_random {
            return None;
        }
        let generated = || Some(host.generator.as_mut().expect("a roll that the test expects").roll());
        host.rolls.pop_front().or_else(generated)
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

/// A worker of the proxy, with a config.
pub(super) struct Gateway {
    pub(super) policy: Policy,
    pub(super) host: RefCell<Host>,
}

impl Gateway {
    /// A worker without random numbers but those that the test gives. The wall clock is at [`START`].
    #[track_caller]
    pub(super) fn new(config: &str) -> Self {
        let config = parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let host = Host {
            has_random: true,
            has_clock: true,
            has_wall_clock: true,
            asked: [0; 3],
            now: Nanos(1_000_000_000_000),
            since_epoch: START,
            rolls: VecDeque::new(),
            generator: None,
        };
        Self { policy: Policy::new(config, "test"), host: RefCell::new(host) }
    }

    /// A worker with a generator.
    #[track_caller]
    pub(super) fn random(config: &str, seed: u64) -> Self {
        let gateway = Self::new(config);
        gateway.host.borrow_mut().generator = Some(SplitMix64::new(seed));
        gateway
    }

    /// The next random numbers.
    pub(super) fn roll(&self, rolls: &[u64]) {
        self.host.borrow_mut().rolls.extend(rolls);
    }

    /// How many of them were not taken.
    pub(super) fn rolls_left(&self) -> usize {
        self.host.borrow().rolls.len()
    }

    /// Time passes.
    pub(super) fn pass(&self, time: Duration) {
        let host = &mut *self.host.borrow_mut();
        host.now = host.now.after(time);
        host.since_epoch += time;
    }

    /// The decision on a request with these headers, `name: value; name: value`.
    pub(super) fn decide(&self, headers: &str) -> Decision {
        self.decide_among(headers, None)
    }

    /// The decision on a request while so many others are in flight.
    pub(super) fn decide_among(&self, headers: &str, in_flight: Option<u64>) -> Decision {
        self.decide_on(&parsed(headers), in_flight, &[])
    }

    /// Headers that only the filter may read are apart, as the host layer hands them over.
    pub(super) fn decide_on(
        &self,
        headers: &Headers,
        in_flight: Option<u64>,
        attributes: &[(&[&str], &[u8])],
    ) -> Decision {
        let is_own = |name: &[u8]| self.policy.own_headers().iter().any(|own| own.is_same_variable(name));
        let (removed, headers) = (headers.filtered(is_own), headers.filtered(|name| !is_own(name)));
        let attribute = |(path, value): &(&[&str], &[u8])| Attribute {
            path: path.iter().map(ToString::to_string).collect(),
            value: Some(value.to_vec()),
        };
        let attributes: Vec<_> = attributes.iter().map(attribute).collect();
        let facts = Facts {
            removed: &removed,
            attributes: &attributes,
            source: Some([192, 0, 2, 1].into()),
            ..Facts::of(&headers)
        };
        self.policy.decide(&facts, in_flight, &mut Provided(&self.host))
    }

    /// What becomes of a request in few words, with the shadow rules in front: `shadow abort{a}, delay{b}`.
    pub(super) fn outcome(&self, decision: &Decision) -> String {
        let fault = |fault: &Fault| self.policy.label(fault.cause, fault.kinds());
        let shadow = decision.shadow.iter().map(|shadow| format!("shadow {}, ", fault(shadow)));
        let name = |rule: usize| &self.policy.config().rules[rule].name;
        let outcome = match decision.outcome {
            Ok(faulted) => fault(&faulted),
            Err(Untouched::Excluded) => "excluded".to_owned(),
            Err(Untouched::NoRule) => "no rule".to_owned(),
            Err(Untouched::ByDice(rule)) => format!("dice{{{}}}", name(rule)),
            Err(Untouched::Marked) => "marked".to_owned(),
            Err(Untouched::Expired) => "expired".to_owned(),
            Err(Untouched::OverBudget(rule)) => format!("over budget{{{}}}", name(rule)),
            // Only the filter knows of places.
            Err(Untouched::NoPlace(_)) => "no place".to_owned(),
            Err(Untouched::Failed) => "failed".to_owned(),
        };
        shadow.collect::<String>() + &outcome
    }

    /// What a verdict counts, each as the metric's name and the values of its labels.
    #[track_caller]
    pub(super) fn counted(&self, verdict: &Verdict<'_, Metric>) -> Vec<String> {
        verdict.counts.iter().map(|count| self.name(*count)).collect()
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

/// Headers, `name: value; name: value`.
pub(super) fn parsed(headers: &str) -> Headers {
    Headers::from_pairs(headers.split("; ").filter_map(|header| header.split_once(": ")))
}

/// The label of a verdict, for the access log.
pub(super) fn label(verdict: &Verdict<'_, Metric>) -> String {
    verdict.decision.as_ref().map_or_else(|| "-".to_owned(), |decision| decision.label.to_string())
}

/// Edits, one word and a header each.
pub(super) fn shown(edits: &[Edit]) -> Vec<String> {
    let text = |edit: &Edit| match edit {
        Edit::Set(name, value) => {
            format!("set {}: {}", name.as_str(), String::from_utf8_lossy(value.as_bytes()))
        }
        Edit::Add(name, value) => {
            format!("add {}: {}", name.as_str(), String::from_utf8_lossy(value.as_bytes()))
        }
        Edit::Remove(name) => format!("remove {}", name.as_str()),
        Edit::Target(_) => "target".to_owned(),
        Edit::Status(status) => format!("status {status}"),
    };
    edits.iter().map(text).collect()
}
