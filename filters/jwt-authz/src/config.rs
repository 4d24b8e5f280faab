//! What a user writes, read into values that can only be valid.

mod claims;
mod jwks;
mod place;
mod provider;
mod rule;

pub use claims::{Claims, Comparison, HostTest, Literal, Test};
pub use jwks::{Jwks, Location, Remote};
pub use place::Place;
pub use provider::{ClaimHeader, Provider};
pub use rule::{Action, Rule, TokenUse};

use mesh_config::{Fields, Problems, Value};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::matching::claim::claim_path;
use mesh_policy::mode::Mode;
use mesh_policy::preflight::CorsPreflight;

/// A config of the filter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether any decision bites.
    pub mode: Mode,
    /// What becomes of CORS preflight requests.
    pub cors_preflight: CorsPreflight,
    /// Where the client's address is found, for the rules' matches.
    pub client_ip: ClientIp,
    /// The `realm` of challenges (RFC 9110, section 11.5).
    pub realm: String,
    /// Who issues tokens, at least one.
    pub providers: Vec<Provider>,
    /// The rules, in the order of the config.
    pub rules: Vec<Rule>,
    /// What becomes of a request that no rule decides.
    pub default: Action,
    /// What becomes of a path with an escaped slash.
    pub escaped_slashes: EscapedSlashes,
    /// What becomes of a request whose token cannot be checked for want of keys.
    pub on_jwks_unavailable: OnJwksUnavailable,
    /// The most bytes of a token.
    pub max_token_bytes: usize,
    /// Which tokens are remembered.
    pub token_cache: TokenCache,
    /// The share of a worker's time, in percent, for signature checks in the VM.
    pub in_vm_share: u8,
    /// The claims that other modules may see.
    pub export: Vec<Vec<String>>,
}

/// What becomes of a path with an escaped slash or backslash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EscapedSlashes {
    /// It is refused: whether `%2F` separates segments is the upstream's choice, so a rule on the path
    /// could judge another path than the one that is served.
    #[default]
    Refuse,
    /// It is judged with the escape in it.
    Keep,
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

/// What becomes of a request whose token cannot be checked for want of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnJwksUnavailable {
    /// It is refused, unless a rule lets it in without looking at its token.
    #[default]
    Deny,
    /// It is judged as if it had no token, and refused if it needs one.
    AllowPublic,
}

/// Which tokens are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCache {
    /// How many at most, in each worker; none with 0.
    pub entries: usize,
    /// The longest.
    pub max_token_bytes: usize,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { entries: 1024, max_token_bytes: 4096 }
    }
}

/// A token's providers are a set of bits.
const MAX_PROVIDERS: usize = 32;
/// Rules are tried one by one.
const MAX_RULES: usize = 256;
const MAX_EXPORTED: usize = 32;
const MAX_REALM_BYTES: usize = 128;
const DEFAULT_REALM: &str = "mesh";
const DEFAULT_TOKEN_BYTES: u64 = 8192;
const TOKEN_BYTES: std::ops::RangeInclusive<u64> = 256..=65_536;
const DEFAULT_IN_VM_SHARE: u64 = 20;

/// Reads a config.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Config, Problems> {
    mesh_config::read(bytes, Config::read)
}

impl Config {
    fn read(fields: &Fields<'_>) -> Option<Self> {
        let mode = fields.or("mode", Mode::default(), Mode::read);
        let cors_preflight = fields.or("cors_preflight", CorsPreflight::default(), CorsPreflight::read);
        let client_ip = fields.or("client_ip", ClientIp::default(), ClientIp::read);
        let realm = fields.or("realm", DEFAULT_REALM.to_owned(), read_realm);
        let providers = fields.required("providers", read_providers);
        let names = providers.as_deref().map(|providers| providers.iter().map(|p| p.name.as_str()).collect());
        let rules = fields.restriction("rules", |value| read_rules(&value, names));
        let default = fields.or("default", Action::Deny, Action::read);
        let escaped_slashes = fields.or("escaped_slashes", EscapedSlashes::default(), |value| {
            value.choice(&[("refuse", EscapedSlashes::Refuse), ("keep", EscapedSlashes::Keep)])
        });
        let on_jwks_unavailable = fields.or("on_jwks_unavailable", OnJwksUnavailable::default(), |value| {
            value.choice(&[
                ("deny", OnJwksUnavailable::Deny),
                ("allow_public", OnJwksUnavailable::AllowPublic),
            ])
        });
        let max_token_bytes =
            fields.or("max_token_bytes", DEFAULT_TOKEN_BYTES, |value| value.integer(TOKEN_BYTES));
        let token_cache = fields.or("token_cache", TokenCache::default(), TokenCache::read);
        let in_vm_share = fields.or("in_vm_share", DEFAULT_IN_VM_SHARE, |value| value.integer(1..=100));
        let export = fields.or("export", Vec::new(), read_export);
        Some(Self {
            mode: mode?,
            cors_preflight: cors_preflight?,
            client_ip: client_ip?,
            realm: realm?,
            providers: providers?,
            rules: rules?.unwrap_or_default(),
            default: default?,
            escaped_slashes: escaped_slashes?,
            on_jwks_unavailable: on_jwks_unavailable?,
            max_token_bytes: usize::try_from(max_token_bytes?).ok()?,
            token_cache: token_cache?,
            in_vm_share: u8::try_from(in_vm_share?).ok()?,
            export: export?,
        })
    }
}

impl TokenCache {
    fn read(value: Value<'_>) -> Option<Self> {
        value.object(|fields| {
            let default = Self::default();
            let entries = fields.or("entries", default.entries as u64, |value| value.integer(0..=65_536));
            let max_token_bytes = fields
                .or("max_token_bytes", default.max_token_bytes as u64, |value| value.integer(TOKEN_BYTES));
            Some(Self {
                entries: usize::try_from(entries?).ok()?,
                max_token_bytes: usize::try_from(max_token_bytes?).ok()?,
            })
        })
    }
}

/// A realm stands in quotes in a header: nothing that would have to be escaped there.
fn read_realm(value: Value<'_>) -> Option<String> {
    let realm = value.non_empty_text()?;
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if realm.len() > MAX_REALM_BYTES || !realm.bytes().all(plain) {
        return value.expected(format_args!(
            "1 to {MAX_REALM_BYTES} printable ASCII characters without `\"` and `\\`"
        ));
    }
    Some(realm.to_owned())
}

fn read_providers(value: Value<'_>) -> Option<Vec<Provider>> {
    let (mut names, mut issuers) = (Vec::new(), Vec::new());
    let providers = value
        .non_empty_list(|item| item.object(|fields| Provider::read(fields, &mut names, &mut issuers)))?;
    if providers.len() > MAX_PROVIDERS {
        return value
            .problem(format_args!("found {} providers, expected at most {MAX_PROVIDERS}", providers.len()));
    }
    let places = || providers.iter().flat_map(|provider| &provider.from);
    for (index, place) in places().enumerate() {
        if let Some(header) = places().take(index).find_map(|other| place.overlaps(other)) {
            return value.problem(format_args!(
                "found the header `{header}` with prefixes that begin alike, expected one of them: its value \
                 would be two tokens"
            ));
        }
    }
    for header in providers.iter().flat_map(Provider::own_headers) {
        if places().any(|place| place.is_in(header)) {
            return value.problem(format_args!(
                "found the header `{}` for claims and for tokens, expected two: what clients send in the one \
                 is removed",
                header.as_str()
            ));
        }
    }
    Some(providers)
}

fn read_rules(value: &Value<'_>, providers: Option<Vec<&str>>) -> Option<Vec<Rule>> {
    let mut names = Vec::new();
    let rules =
        value.list(|item| item.object(|fields| Rule::read(fields, &mut names, providers.as_deref())))?;
    if rules.len() > MAX_RULES {
        return value.problem(format_args!("found {} rules, expected at most {MAX_RULES}", rules.len()));
    }
    Some(rules)
}

fn read_export(value: Value<'_>) -> Option<Vec<Vec<String>>> {
    let claims = value.list(claim_path)?;
    if claims.len() > MAX_EXPORTED {
        return value.problem(format_args!("found {} claims, expected at most {MAX_EXPORTED}", claims.len()));
    }
    Some(claims)
}

#[cfg(test)]
mod tests;
