//! What is wrong with a config.

use std::cell::Cell;
use std::fmt;

/// What is wrong, as one of a few words. Stable: tools may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A field that does not exist.
    UnknownField,
    /// A field or a part that must be there is not.
    Missing,
    /// Another JSON type is expected.
    WrongType,
    /// A number or a duration outside of its bounds.
    OutOfRange,
    /// A word that is none of the choices, or a name that refers to nothing.
    UnknownWord,
    /// A name or a value that may be there once is there twice.
    Duplicate,
    /// Fields that do not go together.
    Conflict,
    /// A string that does not have the form that is expected.
    BadPattern,
    /// Too many bytes, items or levels.
    TooLarge,
}

impl ProblemKind {
    /// The kind as a word: `unknown-field`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown-field",
            Self::Missing => "missing",
            Self::WrongType => "wrong-type",
            Self::OutOfRange => "out-of-range",
            Self::UnknownWord => "unknown-word",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::BadPattern => "bad-pattern",
            Self::TooLarge => "too-large",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is; `None` if it is the proxy's rather than the config's.
    pub kind: Option<ProblemKind>,
    /// The JSON path, as `limits[0].rate.requests`; empty for the config as a whole.
    pub path: String,
    /// What was found and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.message),
            path => write!(formatter, "{path}: {}", self.message),
        }
    }
}

/// Everything that is wrong; at least one problem. Displayed as one problem per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The one reason why no config can be used, which is not in the config.
    #[must_use]
    pub fn one(message: String) -> Self {
        Self(vec![Problem { kind: None, path: String::new(), message }])
    }

    /// The same, of a config that is at this path of another one.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        for problem in &mut self.0 {
            problem.path = joined(path, &problem.path);
        }
        self
    }

    /// With those of another part of the config.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The config as a whole has one problem.
    pub(crate) fn whole(kind: ProblemKind, message: String) -> Self {
        Self(vec![Problem { kind: Some(kind), path: String::new(), message }])
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    pub(crate) fn from_sink(sink: Sink) -> Option<Self> {
        let problems = sink.0.into_inner();
        (!problems.is_empty()).then_some(Self(problems))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A path and one within it.
pub(crate) fn joined(path: &str, within: &str) -> String {
    if path.is_empty() || within.is_empty() || within.starts_with(['[', '.']) {
        format!("{path}{within}")
    } else {
        format!("{path}.{within}")
    }
}

/// Collects the problems that readers find. A cell, so that nested readers can share it; taken and
/// put back, so that no borrow can fail.
#[derive(Default)]
pub(crate) struct Sink(Cell<Vec<Problem>>);

impl Sink {
    /// Maximum number of problems that are kept.
    const MAX: usize = 100;

    /// Whether further problems would be dropped.
    pub(crate) fn is_full(&self) -> bool {
        let problems = self.0.take();
        let full = problems.len() >= Self::MAX;
        self.0.set(problems);
        full
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn report(&self, kind: ProblemKind, path: &str, message: String) {
        let mut problems = self.0.take();
        if problems.len() < Self::MAX {
            problems.push(Problem { kind: Some(kind), path: path.to_owned(), message });
        }
        self.0.set(problems);
    }
}
