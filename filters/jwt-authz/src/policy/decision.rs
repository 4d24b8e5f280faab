//! A decision and what it is based on.

use super::denial::Denial;
use super::unverified::Unverified;
use super::verified::Verified;
use super::verifier::CacheStatus;
use std::rc::Rc;

/// The decision on one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Whether the request is allowed, refused or has to wait.
    pub outcome: Outcome,
    /// Index of the rule that decided; `None` for the default, a bad token and an ambiguous path.
    pub rule: Option<usize>,
    /// Indices of the shadow rules that would have decided.
    pub shadow: Vec<usize>,
    /// The verified token, if the deciding rule looked at it. Only then are its claims forwarded to the upstream.
    pub verified: Option<Rc<Verified>>,
    /// Whether the token was in the cache; `None` if no token was verified.
    pub cache_status: Option<CacheStatus>,
    /// Whether `x-forwarded-for` has fewer addresses than `trusted_hops`.
    pub client_ip_fallback: bool,
}

/// Whether a request is allowed, refused or has to wait for a key.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The request goes on.
    Allowed,
    /// The request is refused.
    Refused(Denial),
    /// The token cannot be verified without a key that may still be fetched.
    NoKey(Rc<Unverified>),
}

impl Decision {
    /// A refusal that involves no rule.
    #[must_use]
    pub const fn refused(denial: Denial) -> Self {
        Self {
            outcome: Outcome::Refused(denial),
            rule: None,
            shadow: Vec::new(),
            verified: None,
            cache_status: None,
            client_ip_fallback: false,
        }
    }
}
