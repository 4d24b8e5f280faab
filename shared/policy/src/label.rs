//! Labels of decisions.

use std::borrow::Cow;
use std::fmt;

/// The label of a decision, such as `rate_limited{per-client}` or `rule{testers}:v2`. Contains nothing that the client
/// sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// The kind of decision.
    pub word: &'static str,
    /// What the decision is about, in braces: a limit, a rule or a reason.
    pub subject: Option<Cow<'a, str>>,
    /// What was decided, after a colon.
    pub result: Option<&'a str>,
}

impl<'a> Label<'a> {
    /// A kind of decision alone.
    #[must_use]
    pub const fn of(word: &'static str) -> Self {
        Self { word, subject: None, result: None }
    }

    /// The same decision about a limit, a rule or a reason.
    #[must_use]
    pub fn about(self, subject: impl Into<Cow<'a, str>>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word)?;
        if let Some(subject) = &self.subject {
            write!(formatter, "{{{subject}}}")?;
        }
        match self.result {
            Some(result) => write!(formatter, ":{result}"),
            None => Ok(()),
        }
    }
}
