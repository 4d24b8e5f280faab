//! Labels of decisions.

use std::borrow::Cow;
use std::fmt;

/// The label of a decision, such as `rate_limited{per-client}`. Contains nothing that the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// The kind of decision.
    pub word: &'static str,
    /// What the decision is about, in braces: a limit, a rule or a reason.
    pub subject: Option<Cow<'a, str>>,
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word)?;
        match &self.subject {
            Some(subject) => write!(formatter, "{{{subject}}}"),
            None => Ok(()),
        }
    }
}
