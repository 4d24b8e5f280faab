//! Evaluates the rules on a request.

use super::decision::{Decision, Outcome};
use super::denial::Denial;
use super::expression::{self, Context};
use super::reason;
use super::verifier::{CacheStatus, Judged};
use crate::config::{Action, Config, OnJwksUnavailable, ProviderId, Rule, TokenUse};
use mesh_policy::matching::request::MatchInput;
use mesh_policy::mode::Mode;
use mesh_policy::truth::Truth;

/// Evaluates the rules in their order. `judge` verifies the token; it is called at most once, and only if a rule or
/// the default needs it.
pub(super) fn decide<'a>(
    config: &'a Config,
    request: MatchInput<'a>,
    judge: impl Fn(&MatchInput<'_>) -> (Judged, Option<CacheStatus>),
) -> Decision {
    Evaluation { config, request, judge, judged: None, shadow: Vec::new() }.decision()
}

/// The state of evaluating the rules on one request.
struct Evaluation<'a, J> {
    config: &'a Config,
    request: MatchInput<'a>,
    judge: J,
    judged: Option<(Judged, Option<CacheStatus>)>,
    shadow: Vec<usize>,
}

/// Whether a rule applies to the request.
enum Holds {
    Yes,
    No,
    /// The rule cannot be decided, and this is the outcome for the request.
    Ends(Outcome),
}

impl<'a, J: Fn(&MatchInput<'_>) -> (Judged, Option<CacheStatus>)> Evaluation<'a, J> {
    fn decision(mut self) -> Decision {
        let (outcome, rule) = self.decide();
        let decided_by = rule.and_then(|index| self.config.rules.get(index));
        let looked = decided_by.is_none_or(|rule| rule.token != TokenUse::None);
        let (verified, cache_status) = match self.judged {
            Some((Judged::Good(verified), cache_status)) => (Some(verified).filter(|_| looked), cache_status),
            Some((_, cache_status)) => (None, cache_status),
            None => (None, None),
        };
        Decision { outcome, rule, shadow: self.shadow, verified, cache_status, client_ip_fallback: false }
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
        // An undecided test satisfies a deny rule, but not an allow rule.
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
            // A shadow rule never makes a request wait.
            Judged::NoKey(unverified) if rule.mode == Mode::Shadow => Judged::without_waiting(unverified),
            judged => judged.clone(),
        };
        match judged {
            Judged::Absent => without_token,
            Judged::Bad(denial) if optional => Holds::Ends(Outcome::Refused(denial)),
            Judged::Unknown(denial) if optional => {
                if denial.reason == reason::JWKS_UNAVAILABLE && allow_public {
                    without_token
                } else {
                    Holds::Ends(Outcome::Refused(denial))
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
                let is_taken = rule.providers.contains(ProviderId::new(verified.provider));
                if is_taken && holds(matches.and(claims)) { Holds::Yes } else { Holds::No }
            }
        }
    }

    fn by_default(&mut self) -> Outcome {
        let allow = self.config.default == Action::Allow;
        let allow_public = self.config.on_jwks_unavailable == OnJwksUnavailable::AllowPublic;
        match self.judged().clone() {
            Judged::Good(_) | Judged::Absent if allow => Outcome::Allowed,
            Judged::Unknown(denial) if allow && allow_public && denial.reason == reason::JWKS_UNAVAILABLE => {
                Outcome::Allowed
            }
            Judged::Good(verified) => {
                Outcome::Refused(Denial::new(reason::NO_RULE).of_provider(verified.provider))
            }
            Judged::Absent => Outcome::Refused(Denial::new(reason::NO_TOKEN)),
            Judged::Bad(denial) | Judged::Unknown(denial) => Outcome::Refused(denial),
            Judged::NoKey(unverified) => Outcome::NoKey(unverified),
        }
    }

    fn carry_out(&self, rule: usize, action: Action) -> Outcome {
        match action {
            Action::Allow => Outcome::Allowed,
            Action::Deny => {
                let provider = match &self.judged {
                    Some((Judged::Good(verified), _)) => Some(verified.provider),
                    _ => None,
                };
                Outcome::Refused(Denial { provider, ..Denial::new(reason::DENIED_BY) }.by_rule(rule))
            }
        }
    }

    fn judged(&mut self) -> &Judged {
        let Self { request, judge, judged, .. } = self;
        &judged.get_or_insert_with(|| judge(request)).0
    }
}
