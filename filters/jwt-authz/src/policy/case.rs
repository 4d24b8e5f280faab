//! The rules, in their order, on one request.

use super::answer::Refusal;
use super::decision::{Decision, Outcome};
use super::expression::{self, Context};
use super::reason::{Fault, Reason};
use super::verifier::{Judged, Remembered};
use crate::config::{Action, Config, OnJwksUnavailable, Rule, TokenUse};
use mesh_policy::matching::request::MatchInput;
use mesh_policy::matching::truth::Truth;
use mesh_policy::mode::Mode;

/// A request before the rules. Its token is looked at once, and only if a rule asks.
pub(super) struct Case<'a, J> {
    config: &'a Config,
    request: MatchInput<'a>,
    judge: J,
    judged: Option<(Judged, Option<Remembered>)>,
    shadow: Vec<usize>,
}

/// Whether a rule holds.
enum Holds {
    Yes,
    No,
    /// It cannot be said: this is what becomes of the request.
    Ends(Outcome),
}

impl<'a, J: Fn(&MatchInput<'_>) -> (Judged, Option<Remembered>)> Case<'a, J> {
    /// `judge`: looks at the token.
    pub(super) const fn new(config: &'a Config, request: MatchInput<'a>, judge: J) -> Self {
        Self { config, request, judge, judged: None, shadow: Vec::new() }
    }

    /// Takes the decision.
    pub(super) fn decision(mut self) -> Decision {
        let (outcome, rule) = self.decide();
        let decided_by = rule.and_then(|index| self.config.rules.get(index));
        let looked = decided_by.is_none_or(|rule| rule.token != TokenUse::None);
        let (verified, remembered) = match self.judged {
            Some((Judged::Good(verified), remembered)) => (Some(verified).filter(|_| looked), remembered),
            Some((_, remembered)) => (None, remembered),
            None => (None, None),
        };
        Decision { outcome, rule, shadow: self.shadow, verified, remembered, client_ip_fallback: false }
    }

    /// Deny rules, then allow rules, then the default.
    fn decide(&mut self) -> (Outcome, Option<usize>) {
        let config = self.config;
        for action in [Action::Deny, Action::Allow] {
            for (index, rule) in config.rules.iter().enumerate() {
                if rule.action != action || rule.mode == Mode::Off {
                    continue;
                }
                match self.holds(rule) {
                    Holds::No => {}
                    Holds::Yes | Holds::Ends(Outcome::Refused(_)) if rule.mode == Mode::Shadow => {
                        self.shadow.push(index);
                    }
                    Holds::Yes => return (self.carry_out(index, action), Some(index)),
                    Holds::Ends(outcome) => return (outcome, None),
                }
            }
        }
        (self.by_default(), None)
    }

    fn holds(&mut self, rule: &Rule) -> Holds {
        // What is undecided lets nobody in and keeps everybody out.
        let holds = match rule.action {
            Action::Allow => Truth::is_certain,
            Action::Deny => Truth::is_possible,
        };
        let matches = rule.matches.test(&self.request);
        if !holds(matches) {
            return Holds::No;
        }
        if rule.token == TokenUse::None {
            return Holds::Yes;
        }
        let optional = rule.token == TokenUse::Optional;
        let without_token = if rule.needs_good_token() { Holds::No } else { Holds::Yes };
        let allow_public = self.config.on_jwks_unavailable == OnJwksUnavailable::AllowPublic;
        let judged = match self.judged() {
            // Nobody waits for what does not decide.
            Judged::NoKey(unverified) if rule.mode == Mode::Shadow => unverified.settled(),
            judged => judged.clone(),
        };
        match judged {
            Judged::Absent => without_token,
            Judged::Bad(fault) if optional => Holds::Ends(Outcome::Refused(Refusal::new(fault))),
            Judged::Unknown(fault) if optional => {
                if fault.reason == Reason::JwksUnavailable && allow_public {
                    without_token
                } else {
                    Holds::Ends(Outcome::Refused(Refusal::new(fault)))
                }
            }
            Judged::Bad(_) | Judged::Unknown(_) => Holds::No,
            Judged::NoKey(unverified) => Holds::Ends(Outcome::NoKey(unverified)),
            Judged::Good(verified) => {
                let context = Context { request: &self.request, matches: &rule.matches };
                let claims = || match &rule.claims {
                    Some(claims) => expression::test(claims, &verified.claims, &context),
                    None => Truth::Yes,
                };
                let is_taken = rule.providers & (1 << verified.provider) != 0;
                if is_taken && holds(matches.and(claims)) { Holds::Yes } else { Holds::No }
            }
        }
    }

    fn by_default(&mut self) -> Outcome {
        let allow = self.config.default == Action::Allow;
        let allow_public = self.config.on_jwks_unavailable == OnJwksUnavailable::AllowPublic;
        match self.judged().clone() {
            Judged::Good(_) | Judged::Absent if allow => Outcome::Allowed,
            Judged::Unknown(fault) if allow && allow_public && fault.reason == Reason::JwksUnavailable => {
                Outcome::Allowed
            }
            Judged::Good(verified) => {
                let fault = Fault::new(Reason::NoRule, "no rule lets this request in");
                Outcome::Refused(Refusal::new(fault.of(verified.provider)))
            }
            Judged::Absent => {
                Outcome::Refused(Refusal::new(Fault::new(Reason::Missing, "the request has no token")))
            }
            Judged::Bad(fault) | Judged::Unknown(fault) => Outcome::Refused(Refusal::new(fault)),
            Judged::NoKey(unverified) => Outcome::NoKey(unverified),
        }
    }

    fn carry_out(&self, rule: usize, action: Action) -> Outcome {
        match action {
            Action::Allow => Outcome::Allowed,
            Action::Deny => {
                let fault = Fault::new(Reason::DeniedBy, "a rule refuses this request");
                let provider = match &self.judged {
                    Some((Judged::Good(verified), _)) => Some(verified.provider),
                    _ => None,
                };
                Outcome::Refused(Refusal { fault: Fault { provider, ..fault }, rule: Some(rule) })
            }
        }
    }

    fn judged(&mut self) -> &Judged {
        let Self { request, judge, judged, .. } = self;
        &judged.get_or_insert_with(|| judge(request)).0
    }
}
