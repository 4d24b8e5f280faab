//! Who issues tokens, and what of a token is checked.

use super::jwks::Jwks;
use super::token_location::TokenLocation;
use crate::crypto::Algorithm;
use mesh_config::kind::some;
use mesh_config::kinds::{List, Text, boolean, choice, duration, list, object, object_with, string};
use mesh_config::{Kind, ProblemKind};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::claim::claim_path;
use mesh_policy::matching::string::StringMatch;
use std::time::Duration;

const MAX_LEEWAY: Duration = Duration::from_secs(3600);
const MIN_LIFETIME: Duration = Duration::from_secs(1);
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);
const MAX_STRINGS: usize = 100;
const MAX_STRING_BYTES: usize = 1024;
const MAX_PLACES: usize = 8;
const MAX_CLAIM_HEADERS: usize = 32;

mesh_config::object! {
    /// A provider of tokens.
    #[derive(Clone, Debug)]
    pub struct Provider {
        /// The provider's name in counters, problem documents and rules.
        pub name: String = required(mesh_policy::name::name()),
        /// What `iss` must be, exactly. No two providers have the same, and at most one has none. Set both `issuer`
        /// and `audiences`; otherwise tokens signed for other services are accepted. Default: not checked.
        pub issuer: Option<String> = restriction(some(short())),
        /// `aud`, a string or an array of strings, must have one of these. Default: not checked.
        pub audiences: Vec<String> = restriction(list(short()).not_empty().at_most(MAX_STRINGS, "audiences")),
        /// `sub` must pass one of these tests. Default: not checked.
        pub subjects: Vec<StringMatch> = restriction(
            list(StringMatch::kind()).not_empty().at_most(MAX_STRINGS, "subjects")
        ),
        /// The provider's keys.
        pub jwks: Jwks = required(object()),
        /// The [algorithms](#algorithms) that its tokens may be signed with. `HS…` only with an inline key.
        pub algorithms: Vec<Algorithm> = required(algorithms(jwks.as_ref())),
        /// How far the provider's clock may be off, for `exp`, `nbf` and `iat`.
        pub leeway: Duration = default("30s", duration(Duration::ZERO..=MAX_LEEWAY)),
        /// Whether a token must have an `exp`.
        pub require_expiration: bool = default(true, boolean()),
        /// How far from now `exp` may be; a token must have one then. Default: not checked.
        pub max_lifetime: Option<Duration> = restriction(some(duration(MIN_LIFETIME..=MAX_LIFETIME))),
        /// [Where its tokens are found](#places), and nowhere else.
        pub from: Vec<TokenLocation> = default(
            [{"header": "authorization", "prefix": "Bearer "}],
            list(object()).not_empty().at_most(MAX_PLACES, "places")
        ),
        /// Whether the upstream sees the token.
        pub forward_token: bool = default(false, boolean()),
        /// The header that takes the token's payload as it came, in base64url. Default: none.
        pub payload_header: Option<HeaderName> = optional(header(&token_headers(from.as_deref(), None))),
        /// Claims that are copied to headers.
        pub claims_to_headers: Vec<ClaimHeader> = default(
            [],
            claim_headers(&token_headers(from.as_deref(), payload_header.as_ref()))
        ),
    }
    elsewhere {
        "jwks_uri" => "jwks.remote",
        "remote_jwks" => "jwks.remote",
        "local_jwks" => "jwks.inline",
        "clock_skew" => "leeway",
        "clock_skew_seconds" => "leeway",
        "from_headers" => "from",
        "from_params" => "from",
        "from_cookies" => "from",
        "forward" => "forward_token",
        "forward_original_token" => "forward_token",
        "forward_payload_header" => "payload_header",
        "output_payload_to_header" => "payload_header",
        "output_claim_to_headers" => "claims_to_headers",
    }
}

mesh_config::object! {
    /// A claim and the header that takes it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ClaimHeader(taken: &'a [HeaderName]) {
        /// The claim: a string with dots between the names that lead to it, or an array of those names if they
        /// have dots themselves.
        pub claim: Vec<String> = required(claim_path()),
        /// The header that takes it. Not one that the connection or another filter depends on (`host`,
        /// `authorization`, `cookie`, `content-length`, `connection`, `te` …), and not one that the provider uses
        /// already.
        pub header: HeaderName = required(header(taken)),
    }
}

impl Provider {
    /// The headers that only this filter may set.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.payload_header.iter().chain(self.claims_to_headers.iter().map(|claim| &claim.header))
    }
}

fn short() -> Text<String> {
    string().not_empty().at_most(MAX_STRING_BYTES)
}

fn algorithms<'a>(jwks: Option<&'a Jwks>) -> List<'a, impl Kind<Out = Algorithm> + use<'a>> {
    let algorithm = choice::<Algorithm>().and_then(move |value, algorithm| {
        let other = |expected| value.expected(ProblemKind::Conflict, expected);
        match jwks {
            // A secret that a server gives to anyone is none.
            Some(Jwks::Remote(_)) if algorithm.is_symmetric() => {
                other("an algorithm with public keys: a remote key set has no secrets")
            }
            Some(Jwks::Inline(set)) if set.candidates(None, algorithm).next().is_none() => {
                other(if algorithm.is_symmetric() {
                    "an algorithm of an inline key; a secret must be as long as the hash"
                } else {
                    "an algorithm of an inline key"
                })
            }
            _ => Some(algorithm),
        }
    });
    list(algorithm).not_empty().unique("", "an algorithm that is not in the list yet")
}

/// The headers that a provider uses already: for its tokens, and for its payload.
fn token_headers(from: Option<&[TokenLocation]>, payload: Option<&Option<HeaderName>>) -> Vec<HeaderName> {
    let header = |location: &TokenLocation| match location {
        TokenLocation::Header { name, .. } => Some(name.clone()),
        TokenLocation::Cookie(_) | TokenLocation::Query(_) => None,
    };
    from.unwrap_or_default().iter().filter_map(header).chain(payload.cloned().flatten()).collect()
}

const TAKEN: &str = "another header: this provider uses this one already";

/// A header that is not `taken`.
fn header<'a>(taken: &'a [HeaderName]) -> impl Kind<Out = HeaderName> + use<'a> {
    HeaderName::kind_of_filter().and_then(move |value, name| {
        if taken.iter().any(|other| other.is_same_variable(name.as_str().as_bytes())) {
            return value.expected(ProblemKind::Duplicate, TAKEN);
        }
        Some(name)
    })
}

fn claim_headers<'a>(taken: &'a [HeaderName]) -> List<'a, impl Kind<Out = ClaimHeader> + use<'a>> {
    let headers = list(object_with::<ClaimHeader>(taken)).at_most(MAX_CLAIM_HEADERS, "headers");
    headers
        .unique_by("header", TAKEN, &|value| HeaderName::new(value.as_string()?).map(|name| name.variable()))
}
