//! What an object asks for its fields: a reader, or a describer.

use crate::kind::Kind;
use crate::problem::ProblemKind;
use std::fmt::Display;

/// Takes the fields of an object one by one. A [`Reader`](crate::Reader) reads each from a config and
/// returns its value; a [`Describer`](crate::describe::Describer) records it and returns `None`.
///
/// Every field must be asked for, whatever the others say, or the description lacks it. `name` is in
/// snake case; a reader finds the same name in camel case too. `doc` is for users; a reader ignores it,
/// so it is not part of a module.
pub trait Form: Sized {
    /// A field that must be there.
    fn required<K: Kind>(&mut self, name: &'static str, doc: &'static str, kind: K) -> Option<K::Out>;

    /// A field with a default, as a user would write it in JSON.
    fn default<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        json: &'static str,
        kind: K,
    ) -> Option<K::Out>;

    /// A field that may be left out, and is then Rust's default.
    fn omitted<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out>;

    /// A field that restricts something, and is Rust's default if it is left out. `null` is refused: it
    /// would lift the restriction.
    fn restriction<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out>;

    /// One of several fields of which exactly one must be there.
    fn alternative<K: Kind>(
        &mut self,
        group: &mut Group,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out>;

    /// Fields, already asked for, that count as one alternative.
    fn together(&mut self, group: &mut Group, names: &'static [&'static str]);

    /// Ends a group of alternatives: `Some` if one is there, or none and none is required.
    fn close(&mut self, group: Group, is_required: bool) -> Option<()>;

    /// Reports that none of several fields is there, of which one must be. Returns `None`.
    fn require_one_of<T>(&mut self, names: &[&'static str]) -> Option<T>;

    /// What fields are called in other products, and here: for suggestions.
    fn elsewhere(&mut self, names: &'static [(&'static str, &'static str)]);

    /// Whether a field is there and not `null`. It is asked for elsewhere.
    fn is_given(&mut self, name: &'static str) -> bool;

    /// Reports a problem with a field, or with what is at a path such as `items[2].name`; with the
    /// object itself if `field` is empty. Returns `None`, for use as the last expression.
    fn problem_at<T>(&mut self, field: &str, kind: ProblemKind, message: impl Display) -> Option<T>;

    /// Fields of which exactly one must be there; each makes a `T`.
    fn one_of<T>(&mut self) -> OneOf<'_, Self, T> {
        OneOf { form: self, group: Group::default(), found: None }
    }
}

/// Alternatives of which exactly one must be there.
#[derive(Debug, Default)]
pub struct Group {
    pub(crate) names: Vec<&'static str>,
    pub(crate) given: Vec<&'static str>,
    /// Names that count as one alternative; for descriptions.
    pub(crate) together: Vec<&'static [&'static str]>,
    /// How many alternatives are given.
    pub(crate) choices: usize,
    /// One of them is there and `null`.
    pub(crate) has_null: bool,
    /// `null` counts as left out.
    pub(crate) takes_null: bool,
}

/// A group of alternatives under construction.
pub struct OneOf<'f, F, T> {
    form: &'f mut F,
    group: Group,
    found: Option<T>,
}

impl<F: Form, T> OneOf<'_, F, T> {
    /// `null` counts as left out: for fields that restrict nothing.
    #[must_use]
    pub fn take_null(mut self) -> Self {
        self.group.takes_null = true;
        self
    }

    /// An alternative.
    #[must_use]
    pub fn case<K: Kind>(
        mut self,
        name: &'static str,
        doc: &'static str,
        kind: K,
        make: impl FnOnce(K::Out) -> T,
    ) -> Self {
        if let Some(value) = self.form.alternative(&mut self.group, name, doc, kind) {
            self.found = Some(make(value));
        }
        self
    }

    /// Fields, already asked for, that count as one alternative; `value` is what they make together.
    #[must_use]
    pub fn together(mut self, names: &'static [&'static str], value: Option<T>) -> Self {
        self.form.together(&mut self.group, names);
        self.found = self.found.or(value);
        self
    }

    /// What the one alternative makes.
    #[must_use]
    pub fn end(self) -> Option<T> {
        self.form.close(self.group, true).and(self.found)
    }

    /// What the one alternative makes, if there is one.
    ///
    /// # Errors
    /// [`Refused`] if there are several, or if it is wrong.
    pub fn end_or_none(self) -> Result<Option<T>, Refused> {
        let is_given = self.group.choices > 0;
        match (self.form.close(self.group, false), self.found) {
            (Some(()), found) if found.is_some() == is_given => Ok(found),
            _ => Err(Refused),
        }
    }
}

/// A problem was reported.
#[derive(Clone, Copy, Debug)]
pub struct Refused;
