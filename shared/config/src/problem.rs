//! What is wrong with a config.

use std::cell::Cell;
use std::fmt;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
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

/// Everything that is wrong; at least one problem. Displayed as one problem a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The config as a whole has one problem.
    #[must_use]
    pub fn one(message: String) -> Self {
        Self(vec![Problem { path: String::new(), message }])
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

/// Where a reader puts the problems it meets. A cell, so that nested readers can share it; taken
/// and put back, so that no borrow can fail.
#[derive(Default)]
pub(crate) struct Sink(Cell<Vec<Problem>>);

impl Sink {
    /// A config that is wrong a thousand times over is not worth more lines.
    const MAX: usize = 100;

    /// Nothing more is kept: no need to look for more.
    pub(crate) fn is_full(&self) -> bool {
        let problems = self.0.take();
        let full = problems.len() >= Self::MAX;
        self.0.set(problems);
        full
    }

    pub(crate) fn report(&self, path: &str, message: String) {
        let mut problems = self.0.take();
        if problems.len() < Self::MAX {
            problems.push(Problem { path: path.to_owned(), message });
        }
        self.0.set(problems);
    }
}
