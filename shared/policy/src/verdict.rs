//! What is to happen to a request, as one value.

use crate::effects::Edit;
use crate::label::Label;
use crate::refusal::Refusal;
use std::rc::Rc;

/// Everything that is to happen to a request. The host layer carries it out; `'a` is the policy, whose names it
/// borrows, and `M` the filter's [`Metric`](crate::metric::Metric).
#[derive(Clone, Debug)]
pub struct Verdict<'a, M> {
    /// `None`: the request goes on.
    pub refusal: Option<Box<Refusal<'a>>>,
    /// Changes of the request's headers. Made if the request goes on.
    pub request: Vec<Edit>,
    /// Changes of the response's headers. Made if the request goes on.
    pub response: Vec<Edit>,
    /// Metrics to increment.
    pub counts: Vec<Count<M>>,
    /// The decision, for the access log.
    pub decision: Option<Decision<'a>>,
    /// Claims of a verified token, for the filters behind. Handed on if the request goes on.
    pub claims: Option<Claims>,
    /// Lines for the operator, at level `warn`.
    pub warnings: Vec<String>,
}

/// A metric to increment by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count<M> {
    /// The metric.
    pub metric: M,
    /// Which of its label's values, by its place in the config; 0 without a label.
    pub value: usize,
}

/// A decision for the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The decision.
    pub label: Label<'a>,
    /// Whether it is recorded where only notable decisions are.
    pub is_notable: bool,
}

/// Claims for the filters behind.
#[derive(Clone, Debug)]
pub struct Claims {
    /// All of them, for filters in the same module.
    pub all: Rc<serde_json::Value>,
    /// What filters in other modules may see, as JSON; `None`: nothing.
    pub exported: Option<Vec<u8>>,
}

impl<M> Default for Verdict<'_, M> {
    fn default() -> Self {
        Self {
            refusal: None,
            request: Vec::new(),
            response: Vec::new(),
            counts: Vec::new(),
            decision: None,
            claims: None,
            warnings: Vec::new(),
        }
    }
}

impl<'a, M> From<Refusal<'a>> for Verdict<'a, M> {
    fn from(refusal: Refusal<'a>) -> Self {
        Self { refusal: Some(Box::new(refusal)), ..Self::default() }
    }
}

impl<M> Count<M> {
    /// A metric without a label.
    pub const fn of(metric: M) -> Self {
        Self { metric, value: 0 }
    }
}
