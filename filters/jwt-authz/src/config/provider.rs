//! Who issues tokens, and what of a token is checked.

use super::jwks::Jwks;
use super::place::Place;
use crate::crypto::Algorithm;
use mesh_config::{Fields, Value};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::claim::claim_path;
use mesh_policy::matching::string::StringMatch;
use mesh_policy::name::read_name;
use std::time::Duration;

/// A provider of tokens.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name, in counters, problem documents and rules.
    pub name: String,
    /// `iss`, if it is checked.
    pub issuer: Option<String>,
    /// One of these must be in `aud`; empty if it is not checked.
    pub audiences: Vec<String>,
    /// `sub` must pass one of these; empty if it is not checked.
    pub subjects: Vec<StringMatch>,
    /// Its keys.
    pub jwks: Jwks,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be off.
    pub leeway: Duration,
    /// Whether a token must have an `exp`.
    pub require_expiration: bool,
    /// How far from now `exp` may be.
    pub max_lifetime: Option<Duration>,
    /// Where its tokens are found.
    pub from: Vec<Place>,
    /// Whether the upstream sees the token.
    pub forward_token: bool,
    /// The header that takes the payload as it came, in base64url.
    pub payload_header: Option<HeaderName>,
    /// Claims that headers take.
    pub claims_to_headers: Vec<ClaimHeader>,
}

/// A claim and the header that takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The names that lead to the claim.
    pub claim: Vec<String>,
    /// The header.
    pub header: HeaderName,
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const MAX_LEEWAY: Duration = Duration::from_secs(3600);
const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(10 * 365 * 86_400);
const MAX_TEXTS: usize = 100;
const MAX_TEXT_BYTES: usize = 1024;
const MAX_PLACES: usize = 8;
const MAX_CLAIM_HEADERS: usize = 32;

/// Headers that the proxy or the connection needs as they are.
const NOT_FOR_CLAIMS: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "cookie",
    "authorization",
];

impl Provider {
    /// `names` and `issuers`: those of the providers in front, which this one must not have.
    pub(super) fn read(
        fields: &Fields<'_>,
        names: &mut Vec<String>,
        issuers: &mut Vec<Option<String>>,
    ) -> Option<Self> {
        let name = fields.required("name", |value| read_name(&value, "provider", names));
        let issuer = read_issuer(fields, issuers);
        let audiences = fields.restriction("audiences", |value| {
            bounded(&value, value.non_empty_list(|item| read_text(&item))?, MAX_TEXTS, "audiences")
        });
        let subjects = fields.restriction("subjects", |value| {
            bounded(&value, value.non_empty_list(StringMatch::read)?, MAX_TEXTS, "subjects")
        });
        let jwks = fields.required("jwks", Jwks::read);
        let algorithms = fields.required("algorithms", |value| read_algorithms(&value, jwks.as_ref()));
        let leeway = fields.or("leeway", DEFAULT_LEEWAY, |value| value.duration(Duration::ZERO..=MAX_LEEWAY));
        let require_expiration = fields.or("require_expiration", true, |value| value.boolean());
        let max_lifetime = fields.restriction("max_lifetime", |value| value.duration(LIFETIMES));
        let from = fields.or("from", vec![Place::bearer()], |value| {
            bounded(&value, value.non_empty_list(Place::read)?, MAX_PLACES, "places")
        });
        let forward_token = fields.or("forward_token", false, |value| value.boolean());
        let mut taken = from.as_deref().map(place_headers).unwrap_or_default();
        let payload_header = fields.optional("payload_header", |value| read_header(value, &mut taken));
        let claims_to_headers = fields.or("claims_to_headers", Vec::new(), |value| {
            let headers = value.list(|item| item.object(|fields| ClaimHeader::read(fields, &mut taken)))?;
            bounded(&value, headers, MAX_CLAIM_HEADERS, "headers")
        });
        Some(Self {
            name: name?,
            issuer: issuer?,
            audiences: audiences?.unwrap_or_default(),
            subjects: subjects?.unwrap_or_default(),
            jwks: jwks?,
            algorithms: algorithms?,
            leeway: leeway?,
            require_expiration: require_expiration?,
            max_lifetime: max_lifetime?,
            from: from?,
            forward_token: forward_token?,
            payload_header: payload_header?,
            claims_to_headers: claims_to_headers?,
        })
    }

    /// The headers that only this filter may set.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.payload_header.iter().chain(self.claims_to_headers.iter().map(|claim| &claim.header))
    }
}

impl ClaimHeader {
    fn read(fields: &Fields<'_>, taken: &mut Vec<HeaderName>) -> Option<Self> {
        let claim = fields.required("claim", claim_path);
        let header = fields.required("header", |value| read_header(value, taken));
        Some(Self { claim: claim?, header: header? })
    }
}

/// A token's issuer picks its provider, and one without an issuer takes the tokens that are left.
#[allow(clippy::option_option, reason = "left out and wrong are different answers")]
fn read_issuer(fields: &Fields<'_>, issuers: &mut Vec<Option<String>>) -> Option<Option<String>> {
    let issuer = fields.restriction("issuer", |value| {
        let issuer = read_text(&value)?;
        if issuers.iter().flatten().any(|other| *other == issuer) {
            return value.expected("an issuer that no other provider has");
        }
        Some(issuer)
    })?;
    if issuer.is_none() && issuers.contains(&None) {
        return fields.problem("issuer", "missing, expected one: another provider has none already");
    }
    issuers.push(issuer.clone());
    Some(issuer)
}

fn read_algorithms(value: &Value<'_>, jwks: Option<&Jwks>) -> Option<Vec<Algorithm>> {
    let choices = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm));
    let mut known: Vec<Algorithm> = Vec::new();
    value.non_empty_list(|item| {
        let algorithm: Algorithm = item.choice(&choices)?;
        if known.contains(&algorithm) {
            return item.expected("an algorithm that is not in the list yet");
        }
        known.push(algorithm);
        match jwks {
            // A secret that a server gives to whoever asks is none.
            Some(Jwks::Remote(_)) if algorithm.is_symmetric() => {
                item.expected("an algorithm with public keys: a remote key set has no secrets")
            }
            Some(Jwks::Inline(set)) if set.candidates(None, algorithm).next().is_none() => {
                item.expected(if algorithm.is_symmetric() {
                    "an algorithm of an inline key; a secret must be as long as the hash"
                } else {
                    "an algorithm of an inline key"
                })
            }
            _ => Some(algorithm),
        }
    })
}

fn place_headers(places: &[Place]) -> Vec<HeaderName> {
    let header = |place: &Place| match place {
        Place::Header { name, .. } => Some(name.clone()),
        Place::Cookie(_) | Place::Query(_) => None,
    };
    places.iter().filter_map(header).collect()
}

/// `taken`: headers that hold something else of this provider already.
fn read_header(value: Value<'_>, taken: &mut Vec<HeaderName>) -> Option<HeaderName> {
    let name = HeaderName::read(value.clone())?;
    if NOT_FOR_CLAIMS.contains(&name.as_str()) {
        return value.expected("another header: this one has a meaning of its own");
    }
    if taken.iter().any(|other| other.is_same_variable(name.as_str().as_bytes())) {
        return value.expected("another header: this provider uses this one already");
    }
    taken.push(name.clone());
    Some(name)
}

fn read_text(value: &Value<'_>) -> Option<String> {
    let text = value.non_empty_text()?;
    if text.len() > MAX_TEXT_BYTES {
        return value.problem(format_args!("found {} bytes, expected at most {MAX_TEXT_BYTES}", text.len()));
    }
    Some(text.to_owned())
}

fn bounded<T>(value: &Value<'_>, items: Vec<T>, most: usize, what: &str) -> Option<Vec<T>> {
    if items.len() > most {
        return value.problem(format_args!("found {} {what}, expected at most {most}", items.len()));
    }
    Some(items)
}
