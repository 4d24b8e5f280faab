//! A decision in a word.

use std::borrow::Cow;
use std::fmt;

/// A decision in a word and what it is about, as `rate_limited{per-client}`. Never what the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// The word.
    pub word: &'static str,
    /// What stands in braces behind it.
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
