//! The decision on a request: which faults it gets, and why.

mod answer;
mod decision;
mod dice;
mod host_interface;
mod metric;
mod names;
pub mod reason;
mod response;

pub use decision::{Cause, Changes, Decision, Fault, Untouched};
pub use metric::Metric;
pub use names::{FaultKind, Kinds};
pub use response::{Answer, Course};

use crate::budget::Budget;
use crate::config::{ATTEMPT, Config, Rule, Trigger, TriggerKind, UPSTREAM_ADDRESS};
use crate::trigger::{self, Asked};
use dice::{Dice, NoRandomNumber};
use mesh_policy::facts::{Facts, Needs, Sent};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::percent::Percentage;
use mesh_policy::policy::Sources;
use mesh_policy::routes::RouteConfig as _;
use mesh_policy::settings::DecisionLog;
use std::cell::RefCell;
use std::rc::Rc;

/// Maximum number of headers that are asked for one by one. Beyond that the whole map costs less.
const MAX_PROBES: usize = 4;

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    plugin: String,
    needs: Needs,
    own_headers: Vec<HeaderName>,
    /// A request that has none of these headers passes untouched; `None` if that is not enough to tell.
    probes: Option<Vec<HeaderName>>,
    /// What bounds the share of faulted requests; in shadow the share of those that would be.
    budget: Option<Rc<RefCell<Budget>>>,
    /// That of all configs of the block that are enforced.
    enforced_budget: Option<Rc<RefCell<Budget>>>,
}

impl Policy {
    /// `plugin`: the plugin's name, for gauges.
    #[must_use]
    pub fn new(config: Config, plugin: &str) -> Self {
        let enforced_budget = budget(&config);
        Self::with_budget(config, plugin, enforced_budget)
    }

    /// The policy of a route of the block whose own policy this is. All enforced configs of a block share one budget. One in
    /// shadow has its own, so faults that do not happen spend nothing.
    #[must_use]
    pub fn of_route(&self, config: Config) -> Self {
        Self::with_budget(config, &self.plugin, self.enforced_budget.clone())
    }

    #[inline(never)]
    fn with_budget(config: Config, plugin: &str, enforced_budget: Option<Rc<RefCell<Budget>>>) -> Self {
        let is_enforced = config.settings.mode == Mode::Enforce;
        let budget = if is_enforced { enforced_budget.clone() } else { budget(&config) };
        Self {
            plugin: plugin.to_owned(),
            needs: config.settings.complete(config.needs()),
            own_headers: config.own_headers().cloned().collect(),
            probes: probes(&config),
            budget,
            enforced_budget,
            config,
        }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// A request that has none of these headers passes untouched; `None` if that is not enough to tell.
    #[must_use]
    pub fn probes(&self) -> Option<&[HeaderName]> {
        self.probes.as_deref()
    }

    /// Whether a rule asks how many requests are in flight.
    #[must_use]
    pub fn counts_in_flight(&self) -> bool {
        self.config.settings.mode != Mode::Off
            && self.config.rules.iter().any(|rule| rule.in_flight.is_some())
    }

    /// Decides on a request. `in_flight`: how many other requests the plugin has in flight, if that is known. The filter's own
    /// mode plays no part: it says what becomes of the decision.
    pub fn decide(&self, facts: &Facts<'_>, in_flight: Option<u64>, sources: &mut dyn Sources) -> Decision {
        let client = self.config.settings.client(&self.needs, facts);
        let request = MatchInput::new(facts, client.ip);
        let mut decision = Decision { client_ip_fallback: client.fallback, ..Decision::default() };
        decision.outcome = self.search(&request, in_flight, sources, &mut decision);
        decision
    }

    fn search(
        &self,
        request: &MatchInput<'_>,
        in_flight: Option<u64>,
        sources: &mut dyn Sources,
        decision: &mut Decision,
    ) -> Result<Fault, Untouched> {
        if self.config.exclude.as_ref().is_some_and(|exclude| exclude.test(request).is_possible()) {
            return Err(Untouched::Excluded);
        }
        if let Some(budget) = &self.budget {
            let now = sources.now().ok_or(Untouched::Failed)?;
            budget.try_borrow_mut().map_err(|_| Untouched::Failed)?.came(now);
        }
        if let Some(fault) = self.asked_for(request.facts(), decision) {
            return self.may_fault(request.facts(), sources).map(|()| fault);
        }
        let dice = Dice::new(self.config.cohort.as_ref(), request);
        for (index, rule) in self.config.rules.iter().enumerate() {
            if rule.mode == Mode::Off || !matches(rule, request, in_flight) {
                continue;
            }
            self.may_fault(request.facts(), sources)?;
            let fault = roll_all(&dice, index, rule, request.facts(), sources)
                .map_err(|NoRandomNumber| Untouched::Failed)?;
            let is_fault = !fault.kinds().is_empty();
            if rule.mode == Mode::Shadow {
                decision.shadow.extend(Some(fault).filter(|_| is_fault));
                continue;
            }
            if !is_fault {
                return Err(Untouched::ByDice(index));
            }
            return if self.spend(sources)? { Ok(fault) } else { Err(Untouched::OverBudget(index)) };
        }
        Err(Untouched::NoRule)
    }

    /// The fault that the request asks for with the right secret.
    fn asked_for(&self, facts: &Facts<'_>, decision: &mut Decision) -> Option<Fault> {
        let trigger = self.config.trigger.as_ref()?;
        let (asked, secret) = (facts.sent(&trigger.header), facts.sent(&trigger.secret_header));
        if (asked, secret) == (Sent::Nothing, Sent::Nothing) {
            return None;
        }
        let fault = match (asked, secret) {
            (Sent::Once(asked), Sent::Once(secret)) if trigger.secret.matches(secret) => {
                trigger::parse(asked).and_then(|asked| trigger.fault(asked))
            }
            _ => None,
        };
        decision.is_trigger_ignored = fault.is_none();
        fault
    }

    /// Whether a request may be faulted at all. Asked once a rule is for it.
    fn may_fault(&self, facts: &Facts<'_>, sources: &mut dyn Sources) -> Result<(), Untouched> {
        let marker = self.config.marker.request_header.as_ref().filter(|_| !self.config.stack);
        if marker.is_some_and(|marker| facts.headers.first(marker.as_str()).is_some()) {
            return Err(Untouched::Marked);
        }
        if self.has_expired(sources) { Err(Untouched::Expired) } else { Ok(()) }
    }

    /// Whether the config has expired, or nobody can tell.
    pub fn has_expired(&self, sources: &mut dyn Sources) -> bool {
        let Some(expires_at) = self.config.expires_at else { return false };
        sources.since_epoch().is_none_or(|now| now >= expires_at)
    }

    /// Whether the budget allows one more fault.
    fn spend(&self, sources: &mut dyn Sources) -> Result<bool, Untouched> {
        let Some(budget) = &self.budget else { return Ok(true) };
        let now = sources.now().ok_or(Untouched::Failed)?;
        Ok(budget.try_borrow_mut().map_err(|_| Untouched::Failed)?.spend(now))
    }
}

impl Trigger {
    /// What a request gets that asks for a fault, if it may.
    fn fault(&self, asked: Asked) -> Option<Fault> {
        let may = |kind| self.allow.contains(&kind);
        let is_allowed = (asked.delay.is_none() || may(TriggerKind::Delay))
            && (asked.abort.is_none() || may(TriggerKind::Abort));
        is_allowed.then(|| Fault {
            delay: asked.delay.map(|delay| delay.min(self.max_delay)),
            is_aborted: asked.abort.is_some(),
            ..Fault::of(Cause::Trigger { status: asked.abort })
        })
    }
}

/// An unused budget, if the config has one.
fn budget(config: &Config) -> Option<Rc<RefCell<Budget>>> {
    // All requests are no bound, and the budget counts with a margin.
    let bounded = config.budget.filter(|budget| budget.percentage < Percentage::ALL);
    bounded.map(|budget| Rc::new(RefCell::new(Budget::new(budget.percentage, budget.window))))
}

/// Whether a rule is for a request.
fn matches(rule: &Rule, request: &MatchInput<'_>, in_flight: Option<u64>) -> bool {
    rule.matches.test(request).is_certain()
        && (rule.attempts.is_empty() || is_attempt(&rule.attempts, request.facts()))
        && rule.in_flight.is_none_or(|range| in_flight.is_some_and(|number| range.contains(number)))
}

/// Whether the filter runs in a cluster's filter chain, for one of these attempts.
fn is_attempt(attempts: &[u32], facts: &Facts<'_>) -> bool {
    let Some(_) = facts.attribute(&UPSTREAM_ADDRESS) else { return false };
    // A number of 8 bytes, little-endian.
    let attempt =
        facts.attribute(&ATTEMPT).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    attempt.is_some_and(|attempt| attempts.iter().any(|wanted| u64::from(*wanted) == attempt))
}

/// Rolls the dice of a rule, one for each kind of fault.
fn roll_all(
    dice: &Dice<'_, '_>,
    index: usize,
    rule: &Rule,
    facts: &Facts<'_>,
    sources: &mut dyn Sources,
) -> Result<Fault, NoRandomNumber> {
    let mut fault = Fault::of(Cause::Rule(index));
    let name = rule.name.as_str();
    if let Some(delay) = &rule.delay
        && let Some(roll) = dice.roll(name, FaultKind::Delay, delay.percentage, sources)?
    {
        fault.delay = Some(roll.wait(&delay.wait, sources)?);
    }
    if let Some(abort) = &rule.abort {
        fault.is_aborted = dice.roll(name, FaultKind::Abort, abort.percentage, sources)?.is_some();
    }
    // A tunnel has no response that could be changed.
    if fault.is_aborted || facts.headers.method() == b"CONNECT" {
        return Ok(fault);
    }
    if let Some(response) = &rule.response
        && let Some(roll) = dice.roll(name, FaultKind::Response, response.percentage, sources)?
    {
        let delay = match &response.delay {
            Some(delay) => Some(roll.wait(&delay.wait, sources)?),
            None => None,
        };
        fault.response = Some(Changes { delay });
    }
    if let Some(throttle) = &rule.throttle {
        fault.is_throttled = dice.roll(name, FaultKind::Throttle, throttle.percentage, sources)?.is_some();
    }
    Ok(fault)
}

/// Headers of which a request must have one for any rule to match it.
fn probes(config: &Config) -> Option<Vec<HeaderName>> {
    let sees_every_request = config.trigger.is_some()
        || config.budget.is_some()
        || config.settings.decision_log == DecisionLog::All;
    if sees_every_request {
        return None;
    }
    let mut probes = Vec::new();
    for rule in config.rules.iter().filter(|rule| rule.mode != Mode::Off) {
        let required = HeaderName::new(rule.matches.required_header()?)?;
        if !probes.contains(&required) {
            probes.push(required);
        }
    }
    Some(probes).filter(|probes| probes.len() <= MAX_PROBES)
}

#[cfg(test)]
mod tests;
