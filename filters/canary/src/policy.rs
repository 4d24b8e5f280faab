//! The decision on a request: which variant it gets, and why.

mod answer;
mod background;
mod cohort;
mod decision;
mod guarded;
mod host_interface;
mod identity;
mod metric;
mod names;
pub mod reason;
mod schedule;
mod split;
mod tally;

pub use decision::{Assigned, Choice, Decision, Failed, Source};
pub use metric::Metric;

use crate::config::{self, Config};
use cohort::Cohort;
use mesh_policy::facts::{Facts, Needs, Sent};
use mesh_policy::grpc::is_grpc;
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::policy::Environment;
use mesh_policy::preflight::is_preflight;
use mesh_policy::routes::RouteConfig as _;
use mesh_policy::scope::Scope;
use mesh_policy::store::Store;
use mesh_policy::time::Nanos;
use names::Names;
use split::Split;
use std::borrow::Cow;
use std::rc::Rc;
use tally::Tally;

/// A config, prepared for decisions.
pub struct Policy {
    config: Config,
    needs: Needs,
    /// Headers that clients may not set: the output's, and the one that names a variant.
    own_headers: Vec<HeaderName>,
    names: Names,
    /// In the order of the config.
    splits: Vec<Split>,
    /// The split and the variant of each subject of an observation.
    subjects: Vec<(usize, usize)>,
    tally: Tally,
}

impl Policy {
    /// `scope` names the state of guards, and `since` is the current time, which orders configs.
    #[must_use]
    pub fn new(config: Config, scope: &Scope, since: Nanos) -> Self {
        Self::with_cohorts(config, scope, since, |_| None)
    }

    /// The policy of a route. Its splits share the cohorts of the block's own splits, and so their guards. This policy, the
    /// block's own, does what guards do in the background.
    #[must_use]
    pub fn of_route(&self, config: Config, scope: &Scope, since: Nanos) -> Self {
        Self::with_cohorts(config, scope, since, |name| {
            let mut splits = self.config.splits.0.iter().zip(&self.splits);
            splits.find(|(split, _)| split.name == name).map(|(_, prepared)| Rc::clone(&prepared.cohort))
        })
    }

    /// `cohort`: that of another config, by its split's name.
    fn with_cohorts(
        config: Config,
        scope: &Scope,
        since: Nanos,
        cohort: impl Fn(&str) -> Option<Rc<Cohort>>,
    ) -> Self {
        let mode = config.settings.mode;
        let mut splits = Vec::new();
        let mut subjects = Vec::new();
        for (index, split) in config.splits.0.iter().enumerate() {
            let shared = cohort(&split.name);
            splits.push(Split {
                is_shared: shared.is_some(),
                cohort: shared.unwrap_or_else(|| Rc::new(Cohort::new(split, scope, since))),
                is_in_force: mode.max(split.mode) == Mode::Enforce,
                first_subject: subjects.len(),
            });
            subjects.extend((0..split.variants.len()).map(|variant| (index, variant)));
        }
        let mut own_headers: Vec<HeaderName> = config.own_headers().cloned().collect();
        own_headers.dedup();
        Self {
            needs: config.settings.complete(config.needs()),
            own_headers,
            names: Names::new(&config),
            splits,
            tally: Tally::new(subjects.len()),
            subjects,
            config,
        }
    }

    /// The config that the policy was built from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Decides on a request. The filter's own mode plays no part: it says what becomes of the decision.
    ///
    /// # Errors
    /// The proxy has no clock, no random number, or does not give the state of a guard.
    pub fn decision(
        &self,
        facts: &Facts<'_>,
        mut environment: Environment<'_, impl Store>,
    ) -> Result<Decision<'_>, Failed> {
        let client = self.config.settings.client(&self.needs, facts);
        let request = MatchInput::new(facts, client.ip);
        let named = self.named(facts, &request);
        let mut decision = Decision {
            choice: Choice { source: Source::Default, variant: self.config.default.as_deref() },
            shadow: Vec::new(),
            assigned: None,
            is_override_ignored: named == Named::Ignored,
            is_header_removed: false,
            without_identity: Vec::new(),
            client_ip_fallback: client.fallback,
        };
        if let Named::Variant(variant) = named {
            decision.choice =
                Choice { source: Source::Override(variant), variant: self.names.variant(variant) };
        } else if let Some(choice) = self.by_rule(&request, &mut decision.shadow) {
            decision.choice = choice;
        } else {
            self.by_split(&request, &mut environment, &mut decision)?;
        }
        decision.is_header_removed = self.is_header_removed(facts, decision.choice.source);
        Ok(decision)
    }

    /// Which variant the request names itself.
    fn named(&self, facts: &Facts<'_>, request: &MatchInput<'_>) -> Named {
        let Some(trusted) = &self.config.trusted_override else { return Named::Nothing };
        let variant = match facts.sent(&trusted.header) {
            Sent::Nothing => return Named::Nothing,
            Sent::Once(value) => self.names.index(value),
            Sent::Ambiguous => None,
        };
        match variant {
            Some(variant) if trusted.matches.test(request).is_certain() => Named::Variant(variant),
            _ => Named::Ignored,
        }
    }

    /// The first rule that matches; those in shadow mode are noted in passing.
    fn by_rule<'a>(&'a self, request: &MatchInput<'_>, shadow: &mut Vec<Choice<'a>>) -> Option<Choice<'a>> {
        for (index, rule) in self.config.rules.iter().enumerate() {
            if rule.mode == Mode::Off || !rule.matches.test(request).is_certain() {
                continue;
            }
            let choice = Choice { source: Source::Rule(index), variant: Some(rule.variant.as_str()) };
            if rule.mode == Mode::Enforce {
                return Some(choice);
            }
            shadow.push(choice);
        }
        None
    }

    /// The first split that matches; those in shadow mode are noted in passing.
    fn by_split<'a>(
        &'a self,
        request: &MatchInput<'_>,
        environment: &mut Environment<'_, impl Store>,
        decision: &mut Decision<'a>,
    ) -> Result<(), Failed> {
        for (index, (split, prepared)) in self.config.splits.0.iter().zip(&self.splits).enumerate() {
            if split.mode == Mode::Off || !split.matches.test(request).is_certain() {
                continue;
            }
            let is_enforced = split.mode == Mode::Enforce;
            let user = User::of(split, request, is_enforced, environment).ok_or(Failed);
            let given = user.and_then(|user| Ok((prepared.give(&user.identity, environment)?, user)));
            let (given, user) = match given {
                Ok((Some(given), user)) => (given, user),
                Err(Failed) if is_enforced => return Err(Failed),
                // A split that has nothing to give decides nothing, nor does one that only would.
                Ok((None, _)) | Err(Failed) => continue,
            };
            if user.is_new {
                decision.without_identity.push(index);
            }
            let source = if given.is_fallback { Source::Fallback(index) } else { Source::Split(index) };
            let variant = split.variants.get(given.variant).map(|variant| variant.name.as_str());
            let choice = Choice { source, variant };
            if !is_enforced {
                decision.shadow.push(choice);
                continue;
            }
            decision.choice = choice;
            decision.assigned = Some(Assigned {
                split: index,
                variant: given.variant,
                began: given.began,
                cookie: user.cookie,
                is_grpc: user.is_grpc,
            });
            break;
        }
        Ok(())
    }

    /// Whether the client has sent the output's header, in any spelling, and it is not the override that was followed.
    fn is_header_removed(&self, facts: &Facts<'_>, source: Source) -> bool {
        let Some(header) = &self.config.output.header else { return false };
        let overriding = self.config.trusted_override.as_ref().map(|trusted| &trusted.header);
        let is_one = overriding.is_some_and(|other| other.is_same_variable(header.as_str().as_bytes()));
        let is_followed = matches!(source, Source::Override(_)) && is_one;
        !is_followed && facts.removed.spelt_like(header).next().is_some()
    }
}

/// Which variant a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Nothing,
    Variant(usize),
    Ignored,
}

/// Whom a split assigns.
struct User<'a> {
    identity: Cow<'a, [u8]>,
    /// Whether the request had no identity.
    is_new: bool,
    cookie: Option<String>,
    is_grpc: bool,
}

impl<'a> User<'a> {
    /// `None` if the request has no identity, and the proxy has no random numbers for another.
    fn of(
        split: &'a config::Split,
        request: &'a MatchInput<'_>,
        is_enforced: bool,
        environment: &mut Environment<'_, impl Store>,
    ) -> Option<Self> {
        let headers = request.facts().headers;
        let is_grpc = is_grpc(headers);
        if let Some(identity) = identity::known(&split.sticky, request) {
            return Some(Self { identity, is_new: false, cookie: None, is_grpc });
        }
        // Clients of gRPC have no cookies, and browsers ignore those of a preflight.
        let takes_cookies = !is_grpc && !is_preflight(headers, true, []);
        let is_new = !split.sticky.is_empty();
        if is_enforced && takes_cookies && split.assign_cookie.is_some() {
            let identity = identity::new(environment.sources)?;
            let cookie = Some(identity.clone());
            return Some(Self { identity: identity.into_bytes().into(), is_new, cookie, is_grpc });
        }
        let random = environment.sources.random()?;
        Some(Self { identity: random.to_le_bytes().to_vec().into(), is_new, cookie: None, is_grpc })
    }
}

#[cfg(test)]
mod tests;
