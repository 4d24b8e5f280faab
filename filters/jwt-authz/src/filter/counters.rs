//! What is counted.

use crate::config::{Action, Config};
use crate::policy::{Decision, Outcome, Reason, Remembered};
use mesh_host::metrics::{Counter, Gauge};
use mesh_policy::mode::Mode;

/// The counters of a config.
pub(super) struct Counters {
    allowed: Counter,
    denied: Vec<Counter>,
    shadow_denied: Vec<Counter>,
    /// For each rule: it allowed or denied, and would have if it were not in shadow mode.
    rules: Vec<[Counter; 2]>,
    cache_hit: Counter,
    cache_miss: Counter,
    client_ip_fallback: Counter,
    pub(super) unreadable: Counter,
    pub(super) claims_left_out: Counter,
    pub(super) providers: Vec<OfProvider>,
}

/// What is counted of a provider.
pub(super) struct OfProvider {
    pub(super) fetch_ok: Counter,
    pub(super) fetch_failed: Counter,
    pub(super) keys: Gauge,
    pub(super) keys_skipped: Gauge,
}

fn name(rest: &str) -> String {
    format!("mesh_filters.jwt_authz.{rest}")
}

/// As Istio cuts labels out of names, see the README.
pub(super) fn labelled(label: &str, value: &str, what: &str) -> String {
    name(&format!("{label}=.={value};.;{what}"))
}

impl Counters {
    pub(super) fn new(config: &Config) -> Self {
        let by_reason = |what| {
            Reason::ALL.map(|reason| Counter::define(&labelled("reason", reason.word(), what))).to_vec()
        };
        let rules = config.rules.iter().map(|rule| {
            let decided = match rule.action {
                Action::Allow => ["rule_allowed", "rule_shadow_allowed"],
                Action::Deny => ["rule_denied", "rule_shadow_denied"],
            };
            // Not under the names of the totals: whoever adds those up would count twice.
            decided.map(|what| Counter::define(&labelled("rule", &rule.name, what)))
        });
        let providers = config.providers.iter().map(|provider| {
            let counter = |what| Counter::define(&labelled("provider", &provider.name, what));
            let gauge = |what| Gauge::define(&labelled("provider", &provider.name, what));
            OfProvider {
                fetch_ok: counter("jwks_fetch_ok"),
                fetch_failed: counter("jwks_fetch_failed"),
                keys: gauge("keys"),
                keys_skipped: gauge("keys_skipped"),
            }
        });
        Self {
            allowed: Counter::define(&name("allowed")),
            denied: by_reason("denied"),
            shadow_denied: by_reason("shadow_denied"),
            rules: rules.collect(),
            cache_hit: Counter::define(&name("cache_hit")),
            cache_miss: Counter::define(&name("cache_miss")),
            client_ip_fallback: Counter::define(&name("client_ip_fallback")),
            unreadable: Counter::define(&name("unreadable")),
            claims_left_out: Counter::define(&name("claims_left_out")),
            providers: providers.collect(),
        }
    }

    /// Counts a decision that was taken.
    pub(super) fn count(&self, decision: &Decision, mode: Mode) {
        match &decision.outcome {
            Outcome::Allowed => self.allowed.increment(),
            Outcome::Refused(refusal) => {
                let denied = if mode == Mode::Enforce { &self.denied } else { &self.shadow_denied };
                if let Some(counter) = denied.get(refusal.fault.reason as usize) {
                    counter.increment();
                }
            }
            Outcome::NoKey(_) => return,
        }
        // In shadow mode of the filter a rule only would have decided.
        let decided = usize::from(mode != Mode::Enforce);
        self.rule(decision.rule, decided);
        decision.shadow.iter().for_each(|rule| self.rule(Some(*rule), 1));
        match decision.remembered {
            Some(Remembered::Hit) => self.cache_hit.increment(),
            Some(Remembered::Miss) => self.cache_miss.increment(),
            None => {}
        }
        if decision.client_ip_fallback {
            self.client_ip_fallback.increment();
        }
    }

    fn rule(&self, rule: Option<usize>, which: usize) {
        let counters = rule.and_then(|rule| self.rules.get(rule));
        if let Some(counter) = counters.and_then(|counters| counters.get(which)) {
            counter.increment();
        }
    }
}
