//! What a user writes, read into values that can only be valid.

mod claims;
mod jwks;
mod provider;
mod provider_set;
mod route;
mod rule;
mod token_location;

pub use claims::{Claims, HostTest, Test};
pub use jwks::{Jwks, Location, Remote};
pub use provider::{ClaimHeader, Provider};
pub use provider_set::{ProviderId, ProviderSet};
pub use rule::{Action, Rule, TokenUse};
pub use token_location::TokenLocation;

use mesh_config::kinds::{Text, choice, integer, list, object_with, text};
use mesh_config::{Kind, ProblemKind, Value};
use mesh_policy::matching::claim::claim_path;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::settings::Settings;

/// Maximum number of rules, which are tried one by one.
const MAX_RULES: usize = 256;
const MAX_EXPORTED: usize = 32;
const MAX_REALM_BYTES: usize = 128;
const TOKEN_BYTES: std::ops::RangeInclusive<u64> = 256..=65_536;

mesh_config::object! {
    /// A config of the filter.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// The fields that every filter has.
        pub settings: Settings = flatten(),
        /// What happens to CORS preflights.
        pub cors_preflight: CorsPreflight = default("allow", choice()),
        /// The `realm` of challenges (RFC 9110, section 11.5).
        pub realm: String = default("mesh", realm()),
        /// Who issues tokens.
        pub providers: Vec<Provider> = required(providers()),
        /// Rules that allow or deny requests. Rules with `action: deny` are evaluated first. Default: none.
        pub rules: Vec<Rule> = restriction(
            list(object_with(providers.as_deref()))
                .at_most(MAX_RULES, "rules")
                .unique("name", "a name that no other rule has")
        ),
        /// What happens to a request to which no rule applies. A bad token is refused in either case.
        pub default: Action = default("deny", choice()),
        /// What happens to a path with an escaped slash or backslash.
        pub escaped_slashes: EscapedSlashes = default("refuse", choice()),
        /// What happens to a request with a token for which there are [no keys yet](#key-sets).
        pub on_jwks_unavailable: OnJwksUnavailable = default("deny", choice()),
        /// Maximum length of a token; a request with a longer one is refused.
        pub max_token_bytes: usize = default(8192, integer(TOKEN_BYTES)),
        /// Which verified tokens are [remembered](#remembered-tokens).
        pub token_cache: TokenCache = default({}, TokenCache::kind()),
        /// The [share of a worker's time](#the-share-of-a-workers-time), in percent, for signatures that the proxy
        /// cannot check itself, and for `ES384` signatures that are wrong.
        pub in_vm_share: u8 = default(20, integer(1..=100)),
        /// The claims that [other modules](#other-filters) and access logs may see.
        pub export: Vec<Vec<String>> = default([], list(claim_path()).at_most(MAX_EXPORTED, "claims")),
    }
    elsewhere {
        "jwt_rules" => "providers",
    }
}

mesh_config::choice! {
    /// What happens to a path with an escaped slash or backslash.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum EscapedSlashes {
        /// The request is refused: whether `%2F` separates segments is the upstream's choice, so a rule on the path
        /// could judge another path than the one that is served.
        #[default]
        Refuse = "refuse",
        /// An escaped slash is a character of its segment; [read this](#before-you-rely-on-it) first.
        Keep = "keep",
    }
}

impl EscapedSlashes {
    /// What an escaped slash is to the tests on a path that is not refused.
    pub(crate) const fn in_paths(self) -> mesh_policy::path::EscapedSlashes {
        match self {
            Self::Refuse => mesh_policy::path::EscapedSlashes::Either,
            Self::Keep => mesh_policy::path::EscapedSlashes::Character,
        }
    }
}

mesh_config::choice! {
    /// What happens to a request whose token cannot be checked because there are no keys.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum OnJwksUnavailable {
        /// A 503, unless a rule admits the request without looking at its token.
        #[default]
        Deny = "deny",
        /// The request is judged as if it had no token where none is needed (`token: optional`, `default: allow`), and
        /// a 503 elsewhere.
        AllowPublic = "allow_public",
    }
}

mesh_config::object! {
    /// Which tokens are remembered.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TokenCache {
        /// Maximum number of remembered tokens in each worker; 0 for none. All configs of a VM share 64 MiB.
        pub entries: usize = default(1024, integer(0..=65_536)),
        /// Maximum length of a token that is remembered.
        pub max_token_bytes: usize = default(4096, integer(TOKEN_BYTES)),
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { entries: 1024, max_token_bytes: 4096 }
    }
}

mesh_config::root!(Config, "jwt-authz");

/// A realm is quoted in a header: nothing that would have to be escaped there.
fn realm() -> Text<String> {
    text(|value, realm| {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if realm.len() > MAX_REALM_BYTES || !realm.bytes().all(plain) {
            let characters = "printable ASCII characters without `\"` and `\\`";
            let expected = format_args!("1 to {MAX_REALM_BYTES} {characters}");
            return value.expected(ProblemKind::BadPattern, expected);
        }
        Some(realm.to_owned())
    })
    .not_empty()
}

fn providers() -> impl Kind<Out = Vec<Provider>> {
    list(Provider::kind())
        .not_empty()
        .at_most(ProviderId::MAX, "providers")
        .unique("name", "a name that no other provider has")
        .unique("issuer", "an issuer that no other provider has")
        .and_then(|value, providers| check_providers(value, &providers).map(|()| providers))
}

fn check_providers(value: &Value<'_>, providers: &[Provider]) -> Option<()> {
    // A token's issuer picks its provider, and a provider without an issuer takes the tokens that are left.
    let without_issuer = |(_, provider): &(usize, &Provider)| provider.issuer.is_none();
    if let Some((index, _)) = providers.iter().enumerate().filter(without_issuer).nth(1) {
        let message = "missing, expected one: another provider has none already";
        return value.problem_at(&format!("[{index}].issuer"), ProblemKind::Missing, message);
    }
    let locations = || providers.iter().flat_map(|provider| &provider.from);
    for (index, location) in locations().enumerate() {
        if let Some(header) = locations().take(index).find_map(|other| location.overlaps(other)) {
            let message = format_args!(
                "found the header `{header}` with prefixes that begin alike, expected one of them: its value \
                 would be two tokens"
            );
            return value.problem(ProblemKind::Conflict, message);
        }
    }
    for header in providers.iter().flat_map(Provider::own_headers) {
        if locations().any(|location| location.is_in(header)) {
            let message = format_args!(
                "found the header `{}` for claims and for tokens, expected two: what clients send in the one \
                 is removed",
                header.as_str()
            );
            return value.problem(ProblemKind::Conflict, message);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
