//! The result of a decision, as one value.

use crate::effects::Edit;
use crate::label::Label;
use crate::outcome::Observation;
use crate::refusal::Refusal;
use std::rc::Rc;

/// Everything that happens to a request. The host layer carries it out. `'a` is the lifetime of the policy, whose names
/// the verdict borrows, and `M` the filter's [`Metric`](crate::metric::Metric).
#[derive(Clone, Debug)]
pub struct Verdict<'a, M> {
    /// The refusal; `None` if the request is forwarded.
    pub refusal: Option<Box<Refusal<'a>>>,
    /// Filter state `wasm.<key>` and its value, if the request is forwarded. The route is selected again, since it may
    /// depend on it.
    pub filter_state: Option<(&'a str, &'a str)>,
    /// Filter state `wasm.<key>` for access logs, and its value, if the request is forwarded. No route depends on it.
    pub logged: Option<(&'static str, String)>,
    /// Changes of the request's headers, if the request is forwarded.
    pub request: Vec<Edit>,
    /// Changes of the response's headers, if the request is forwarded.
    pub response: Vec<Edit>,
    /// Counters to increase, each named once.
    pub counts: Vec<Count<M>>,
    /// The decision, for the access log. `None`: nothing was decided.
    pub decision: Option<Decision<'a>>,
    /// Claims of a verified token for later filters, if the request is forwarded.
    pub claims: Option<Claims>,
    /// Asks for the outcome of the request, if it is forwarded.
    pub observation: Option<Observation>,
    /// Log lines at level `warn`.
    pub warnings: Vec<String>,
}

/// A counter, and by how much it increases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count<M> {
    /// The metric.
    pub metric: M,
    /// Index of the labels' values; 0 without a label.
    pub labels: usize,
    /// By how much. A client may choose it, for one call to the proxy whatever it is.
    pub number: u64,
}

/// A decision for the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The label that is recorded.
    pub label: Label<'a>,
    /// Whether it is recorded if only notable decisions are.
    pub is_notable: bool,
}

/// Claims for later filters.
#[derive(Clone, Debug)]
pub struct Claims {
    /// All claims, for filters in the same module.
    pub all: Rc<serde_json::Value>,
    /// The exported claims as JSON, for filters in other modules; `None` if there are none.
    pub exported: Option<Vec<u8>>,
}

impl<M> Default for Verdict<'_, M> {
    fn default() -> Self {
        Self {
            refusal: None,
            filter_state: None,
            logged: None,
            request: Vec::new(),
            response: Vec::new(),
            counts: Vec::new(),
            decision: None,
            claims: None,
            observation: None,
            warnings: Vec::new(),
        }
    }
}

impl<'a, M> Verdict<'a, M> {
    /// The request goes on. `by`: the limit or the rule that decided so.
    #[must_use]
    pub fn allowed(by: Option<&'a str>) -> Self {
        let label = Label { subject: by.map(Into::into), ..Label::of("allowed") };
        Self { decision: Some(Decision { label, is_notable: false }), ..Self::default() }
    }
}

impl<'a, M> From<Refusal<'a>> for Verdict<'a, M> {
    fn from(refusal: Refusal<'a>) -> Self {
        Self { refusal: Some(Box::new(refusal)), ..Self::default() }
    }
}

impl<M> Count<M> {
    /// Counts one, for a metric without a label.
    pub const fn of(metric: M) -> Self {
        Self::labelled(metric, 0)
    }

    /// Counts one. `labels`: the index of the labels' values.
    pub const fn labelled(metric: M, labels: usize) -> Self {
        Self { metric, labels, number: 1 }
    }

    /// Counts so many.
    #[must_use]
    pub fn times(self, number: u64) -> Self {
        Self { number, ..self }
    }
}
