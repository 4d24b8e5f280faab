//! One rule.

use super::claims::{Claims, claims};
use super::provider::Provider;
use super::provider_set::ProviderSet;
use mesh_config::kind::some;
use mesh_config::kinds::{Object, by_fields, choice};
use mesh_config::{Form, Kind, ProblemKind, Value};
use mesh_policy::matching::request::RequestMatch;
use mesh_policy::mode::Mode;

/// A rule: the requests and tokens to which it applies, and what happens to them.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, in counters, details and problem documents.
    pub name: String,
    /// Which requests it is for.
    pub matches: RequestMatch,
    /// What happens to a request to which the rule applies.
    pub action: Action,
    /// Whether it looks at the request's token.
    pub token: TokenUse,
    /// Tests on the token's claims.
    pub claims: Option<Claims>,
    /// The providers whose tokens it takes.
    pub providers: ProviderSet,
    /// Whether it is enforced.
    pub mode: Mode,
}

mesh_config::choice! {
    /// What happens to a request.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Action {
        /// It continues.
        Allow = "allow",
        /// It is refused.
        Deny = "deny",
    }
}

mesh_config::choice! {
    /// Whether a rule looks at a request's token.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum TokenUse {
        /// The rule does not look at the token.
        None = "none",
        /// A request without a token may pass, one with a bad token is refused.
        Optional = "optional",
        /// The rule applies only to requests with a good token.
        Required = "required",
    }
}

impl Object for Rule {
    /// The providers, if they are good.
    type Context<'a> = Option<&'a [Provider]>;

    const NAME: &'static str = "Rule";

    #[inline(never)]
    fn read(value: &Value<'_>, context: Self::Context<'_>) -> Option<Self> {
        by_fields(value, context)
    }

    fn fields<F: Form>(form: &mut F, providers: Option<&[Provider]>) -> Option<Self> {
        let name = form.required("name", NAME, mesh_policy::name::name());
        let matches = form.restriction("match", MATCH, match_without_claims());
        let action = form.required("action", ACTION, choice::<Action>());
        let claims = form.restriction("claims", CLAIMS, some(claims(matches.as_ref())));
        let named = form.restriction("providers", PROVIDERS, ProviderSet::kind(providers));
        let wants_token = !matches!(claims, Some(None)) || form.is_given("providers");
        let token = choice::<TokenUse>().and_then(|value, token| {
            if token == TokenUse::None && wants_token {
                let expected = "`required` or `optional`: the rule asks for a token's claims or provider";
                return value.expected(ProblemKind::Conflict, expected);
            }
            Some(token)
        });
        let token = form.omitted("token", TOKEN, some(token));
        let mode = form.default("mode", MODE, "\"enforce\"", choice::<Mode>());
        let default = match action {
            Some(Action::Deny) if !wants_token => TokenUse::None,
            _ => TokenUse::Required,
        };
        Some(Self {
            name: name?,
            matches: matches?,
            action: action?,
            token: token?.unwrap_or(default),
            claims: claims?,
            providers: named?,
            mode: mode?,
        })
    }
}

const NAME: &str = "The rule's name in counters, details and problem documents.";
const MATCH: &str = "Which requests the rule is for, see [match](#match). Default: every request.";
const ACTION: &str = "What happens to a request to which the rule applies.";
const CLAIMS: &str = "Tests on the token's [claims](#claims). Such a rule never applies to a request without a good token. \
    Default: not checked.";
const PROVIDERS: &str = "The names of the providers whose tokens the rule takes. Default: all.";
const TOKEN: &str = "Whether the rule looks at the request's token. Default: `required`, but `none` for a rule that \
    denies and has neither `claims` nor `providers`.";
const MODE: &str =
    "As `mode` at the top: in `shadow` the rule decides nothing and is counted where it would have.";

fn match_without_claims() -> impl Kind<Out = RequestMatch> {
    RequestMatch::kind().and_then(|value, matches| {
        if matches.needs().claims {
            let message = "found `claims`, expected them in the rule's own `claims`";
            return value.problem(ProblemKind::Conflict, message);
        }
        Some(matches)
    })
}

impl Rule {
    /// Whether the rule looks at the request's host.
    pub(crate) fn tests_host(&self) -> bool {
        self.matches.tests_host() || self.claims.as_ref().is_some_and(Claims::tests_host)
    }

    /// Whether a request without a token cannot satisfy the rule.
    pub(crate) const fn needs_good_token(&self) -> bool {
        self.claims.is_some() || matches!(self.token, TokenUse::Required)
    }
}
