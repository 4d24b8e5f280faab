//! What was decided, and why.

use super::answer::Refusal;
use super::unverified::Unverified;
use super::verified::Verified;
use super::verifier::Remembered;
use std::rc::Rc;

/// A decision on one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What becomes of the request.
    pub outcome: Outcome,
    /// The rule that decided, by its place in the config; `None` for the default, for a bad token and for a
    /// path that cannot be judged.
    pub rule: Option<usize>,
    /// Rules in shadow mode that would have decided.
    pub shadow: Vec<usize>,
    /// The token, if it is good and what decided has looked at it: only then it says who the upstream serves.
    pub verified: Option<Rc<Verified>>,
    /// Whether the token was remembered, if it was looked at.
    pub remembered: Option<Remembered>,
    /// The client's address was to be found in `x-forwarded-for`, and was not.
    pub client_ip_fallback: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes on.
    Allowed,
    /// It is refused.
    Refused(Refusal),
    /// Its token cannot be judged before a key is there that may come.
    NoKey(Rc<Unverified>),
}

/// Whether a request may wait for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The decision may be [`Outcome::NoKey`].
    Wait,
    /// It is taken with the keys there are.
    Decide,
}

impl Decision {
    /// A refusal that no rule has to do with.
    #[must_use]
    pub const fn refused(refusal: Refusal) -> Self {
        Self {
            outcome: Outcome::Refused(refusal),
            rule: None,
            shadow: Vec::new(),
            verified: None,
            remembered: None,
            client_ip_fallback: false,
        }
    }
}
