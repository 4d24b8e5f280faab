//! One rule.

use super::claims::Claims;
use mesh_config::{Fields, Value};
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;
use mesh_policy::name::read_name;

/// A rule: which requests it is for, what their tokens must say, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, in counters, details and problem documents.
    pub name: String,
    /// Which requests it is for.
    pub matches: RequestMatch,
    /// What becomes of a request for which it holds.
    pub action: Action,
    /// Whether it looks at the request's token.
    pub token: TokenUse,
    /// What the token's claims must say.
    pub claims: Option<Claims>,
    /// The providers whose tokens it takes, as bits.
    pub providers: u32,
    /// Whether it decides.
    pub mode: Mode,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Allow,
    /// It is refused.
    Deny,
}

/// Whether a rule looks at a request's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It does not.
    None,
    /// A request without a token may pass, one with a bad token is refused.
    Optional,
    /// The rule holds only with a good token.
    Required,
}

impl Action {
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        value.choice(&[("allow", Self::Allow), ("deny", Self::Deny)])
    }
}

impl Rule {
    /// `names`: those of the rules in front, which this one must not have. `providers`: the names of the
    /// providers, if they are known.
    pub(super) fn read(
        fields: &Fields<'_>,
        names: &mut Vec<String>,
        providers: Option<&[&str]>,
    ) -> Option<Self> {
        let name = fields.required("name", |value| read_name(&value, "rule", names));
        let matches = fields.restriction("match", |value| {
            let matches = RequestMatch::read(value.clone())?;
            if matches.needs().claims {
                return value.problem("found `claims`, expected them in the rule's own `claims`");
            }
            Some(matches)
        });
        let matches = matches.map(Option::unwrap_or_default);
        let action = fields.required("action", Action::read);
        let claims = fields.restriction("claims", |value| Claims::read(&value, matches.as_ref()));
        let named = fields.restriction("providers", |value| read_providers(&value, providers));
        let wants_token = matches!(claims, None | Some(Some(_))) || matches!(named, None | Some(Some(_)));
        let default = match action {
            Some(Action::Deny) if !wants_token => TokenUse::None,
            _ => TokenUse::Required,
        };
        let token = fields.or("token", default, |value| {
            let token = value.choice(&[
                ("none", TokenUse::None),
                ("optional", TokenUse::Optional),
                ("required", TokenUse::Required),
            ])?;
            if token == TokenUse::None && wants_token {
                return value
                    .expected("`required` or `optional`: the rule asks for a token's claims or provider");
            }
            Some(token)
        });
        let mode = fields.or("mode", Mode::default(), Mode::read);
        Some(Self {
            name: name?,
            matches: matches?,
            action: action?,
            token: token?,
            claims: claims?,
            providers: named?.unwrap_or(u32::MAX),
            mode: mode?,
        })
    }

    /// Whether the rule looks at the request's host.
    pub(crate) fn tests_host(&self) -> bool {
        self.matches.tests_host() || self.claims.as_ref().is_some_and(Claims::tests_host)
    }

    /// Whether a request without a token cannot satisfy the rule.
    pub(crate) const fn needs_good_token(&self) -> bool {
        self.claims.is_some() || matches!(self.token, TokenUse::Required)
    }
}

fn read_providers(value: &Value<'_>, known: Option<&[&str]>) -> Option<u32> {
    let named = value.non_empty_list(|item| {
        let name = item.text()?;
        // Without good providers there is nothing to compare with.
        let known = known?;
        match known.iter().position(|known| *known == name) {
            Some(index) => u32::try_from(index).ok(),
            None => item.expected("the name of a provider"),
        }
    })?;
    Some(named.into_iter().fold(0, |bits, index| bits | 1 << index))
}
