//! Converts a denial to a refusal.

use super::denial::Denial;
use super::reason;
use crate::config::Config;
use mesh_policy::label::Label;
use mesh_policy::reason::Challenge;
use mesh_policy::refusal::{Member, Refusal};
use std::borrow::Cow;

/// The refusal of a denial. It has fixed texts and names from the config, and nothing of the token or its claims.
///
/// `no_token` is the text for a request without a token.
pub(super) fn refusal<'a>(config: &'a Config, no_token: &'a str, denial: &Denial) -> Refusal<'a> {
    let mut refusal = Refusal::new(denial.reason, details(config, denial));
    refusal.realm = &config.realm;
    if denial.reason == reason::NO_TOKEN {
        refusal.text = Some(Cow::Borrowed(no_token));
    }
    let is_forbidden = denial.reason == reason::NO_RULE || denial.reason == reason::DENIED_BY;
    if is_forbidden && denial.provider.is_none() {
        // `insufficient_scope` requires a valid token, and the request has none.
        refusal.reason.class.challenge = Challenge::None;
    }
    if let Some(provider) = denial.provider.and_then(|index| config.providers.get(index)) {
        refusal.members.push(("provider", Member::Text(&provider.name)));
    }
    if let Some(rule) = rule_name(config, denial) {
        refusal.members.push(("rule", Member::Text(rule)));
    }
    refusal
}

/// The response code details: `jwt_authz` and the label of the reason, for `denied_by` with the rule's name.
pub(super) fn details<'a>(config: &'a Config, denial: &Denial) -> Label<'a> {
    let label = denial.reason.label;
    let subject = match rule_name(config, denial) {
        Some(rule) => Cow::Owned(format!("{label}:{rule}")),
        None => Cow::Borrowed(label),
    };
    Label::of("jwt_authz").about(subject)
}

fn rule_name<'a>(config: &'a Config, denial: &Denial) -> Option<&'a str> {
    denial.rule.and_then(|index| config.rules.get(index)).map(|rule| rule.name.as_str())
}
