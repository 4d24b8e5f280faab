//! Why a request is refused.

/// The stage that refused a request, as the response-code details name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no token, and no rule lets the request in without one.
    Missing,
    /// It does not have the shape of a token, or its header cannot be read or demands what we cannot do.
    Malformed,
    /// It has more bytes than a token may have.
    TooLarge,
    /// There is more than one token, or a header for one is there twice.
    Ambiguous,
    /// No key that fits: none with its `kid`, none for its algorithm, or the algorithm is not allowed.
    UnknownKey,
    /// No key that fits has made the signature.
    BadSignature,
    /// The payload cannot be read, or a claim is not what the standard or the provider wants.
    BadClaims,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` has yet to come.
    NotYetValid,
    /// `iss` is not a provider's.
    WrongIssuer,
    /// `aud` has none of the provider's audiences.
    WrongAudience,
    /// `sub` is none of the provider's subjects.
    WrongSubject,
    /// There are no keys yet to check the token with.
    JwksUnavailable,
    /// The token is good, and no rule lets the request in.
    NoRule,
    /// A rule refuses the request.
    DeniedBy,
    /// The path holds an escaped slash.
    EscapedSlash,
    /// The path begins with two slashes or has dot segments: upstreams differ in where it leads.
    AmbiguousPath,
    /// A rule looks at the host, and the authority names none, or several.
    AmbiguousHost,
    /// Signature checks in the VM have used up their share of the worker's time.
    Overloaded,
    /// The proxy fails.
    Error,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Missing,
        Self::Malformed,
        Self::TooLarge,
        Self::Ambiguous,
        Self::UnknownKey,
        Self::BadSignature,
        Self::BadClaims,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::WrongSubject,
        Self::JwksUnavailable,
        Self::NoRule,
        Self::DeniedBy,
        Self::EscapedSlash,
        Self::AmbiguousPath,
        Self::AmbiguousHost,
        Self::Overloaded,
        Self::Error,
    ];

    /// The word in details and counters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Ambiguous => "ambiguous",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::BadClaims => "bad_claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::WrongSubject => "wrong_subject",
            Self::JwksUnavailable => "jwks_unavailable",
            Self::NoRule => "no_rule",
            Self::DeniedBy => "denied_by",
            Self::EscapedSlash => "escaped_slash",
            Self::AmbiguousPath => "ambiguous_path",
            Self::AmbiguousHost => "ambiguous_host",
            Self::Overloaded => "overloaded",
            Self::Error => "error",
        }
    }
}

/// What is wrong with a token, or with checking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stage.
    pub reason: Reason,
    /// More exactly, for the client: our own words only.
    pub what: &'static str,
    /// The provider, by its place in the config, once it is known.
    pub provider: Option<usize>,
}

impl Fault {
    pub(crate) const fn new(reason: Reason, what: &'static str) -> Self {
        Self { reason, what, provider: None }
    }

    pub(crate) const fn of(self, provider: usize) -> Self {
        Self { provider: Some(provider), ..self }
    }
}
