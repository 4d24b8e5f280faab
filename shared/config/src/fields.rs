//! The fields of an object, asked for by name.

use crate::node::Node;
use crate::problem::Sink;
use crate::suggest::{nearest, quoted};
use crate::value::Value;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;

/// The fields of one object. What a reader asks for is what is allowed: the rest is refused.
pub struct Fields<'a> {
    entries: &'a [(String, Node)],
    path: String,
    sink: &'a Sink,
    asked: Cell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(entries: &'a [(String, Node)], path: &str, sink: &'a Sink) -> Self {
        Self { entries, path: path.to_owned(), sink, asked: Cell::default() }
    }

    /// The field as it stands, if it is there. `null` counts as not there.
    ///
    /// `name` is in snake case; the same name in camel case is found too.
    pub fn get(&self, name: &'static str) -> Option<Value<'a>> {
        self.get_or_null(name).filter(|value| !value.is_null())
    }

    #[inline(never)]
    fn get_or_null(&self, name: &'static str) -> Option<Value<'a>> {
        let mut asked = self.asked.take();
        if !asked.contains(&name) {
            asked.push(name);
        }
        self.asked.set(asked);
        let (found, node) = self.entries.iter().find(|(found, _)| same_name(found, name))?;
        Some(self.value_of(found, node))
    }

    /// A field that must be there.
    pub fn required<T>(&self, name: &'static str, reader: impl FnOnce(Value<'a>) -> Option<T>) -> Option<T> {
        match self.get(name) {
            Some(value) => reader(value),
            None => self.problem(name, "missing"),
        }
    }

    /// A field that may be left out: `Some(None)` then, and `None` if it is there and wrong.
    #[allow(clippy::option_option, reason = "left out and wrong are different answers")]
    pub fn optional<T>(
        &self,
        name: &'static str,
        reader: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.get(name).map_or(Some(None), |value| reader(value).map(Some))
    }

    /// A field that may be left out, and then restricts nothing: `Some(None)` then, and `None` if it is there
    /// and wrong. `null`, which is what an empty field of a YAML file becomes, is wrong: it would lift a
    /// restriction that somebody has begun to write.
    #[allow(clippy::option_option, reason = "left out and wrong are different answers")]
    pub fn restriction<T>(
        &self,
        name: &'static str,
        reader: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get_or_null(name) {
            None => Some(None),
            Some(value) if value.is_null() => {
                value.expected("a value; leave the field out for no restriction")
            }
            Some(value) => reader(value).map(Some),
        }
    }

    /// Whether the field is there and `null`.
    pub fn is_null(&self, name: &'static str) -> bool {
        self.get_or_null(name).is_some_and(|value| value.is_null())
    }

    /// `Some` if none of these fields is `null`: for fields of which one is to be there.
    pub fn no_null(&self, names: &[&'static str]) -> Option<()> {
        let checked = names.iter().map(|name| self.restriction(name, |_| Some(())).map(drop));
        checked.fold(Some(()), Option::and)
    }

    /// A field with a default.
    pub fn or<T>(
        &self,
        name: &'static str,
        default: T,
        reader: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Option<T> {
        self.get(name).map_or(Some(default), reader)
    }

    /// Reports a problem with a field, there or not. Answers `None`, for use as the last expression.
    pub fn problem<T>(&self, name: &str, message: &str) -> Option<T> {
        self.report(&self.path_of(name), message);
        None
    }

    #[cold]
    #[inline(never)]
    fn report(&self, path: &str, message: &str) {
        self.sink.report(path, message.to_owned());
    }

    /// Reports a problem with the object as a whole. Answers `None`, for use as the last expression.
    pub fn problem_here<T>(&self, message: &str) -> Option<T> {
        self.report(&self.path, message);
        None
    }

    /// The names that are there, as written.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn value_of(&self, name: &str, node: &'a Node) -> Value<'a> {
        Value::at(node, self.path_of(name), self.sink)
    }

    /// `Some` if no name stands twice: a parser that keeps the last one hides the other.
    pub(crate) fn unique(&self) -> Option<()> {
        self.distinct(Cow::Borrowed)
    }

    /// `Some` if every field was asked for, once, in whichever case.
    pub(crate) fn finish(&self) -> Option<()> {
        let asked = self.asked.take();
        let mut known = self.distinct(|name| Cow::Owned(snake_case(name)));
        for (name, _) in self.entries {
            if asked.iter().any(|asked| same_name(name, asked)) {
                continue;
            }
            if self.sink.is_full() {
                return None;
            }
            let message = match nearest(&snake_case(name), asked.iter().copied()) {
                Some(nearest) => format!("unknown field, did you mean `{nearest}`?"),
                None if asked.is_empty() => "unknown field, expected none".to_owned(),
                None => format!("unknown field, expected one of {}", quoted(asked.iter().copied())),
            };
            known = self.problem(name, &message);
        }
        known
    }

    fn distinct(&self, same: impl Fn(&'a str) -> Cow<'a, str>) -> Option<()> {
        let mut seen = BTreeSet::new();
        let mut distinct = Some(());
        for (name, _) in self.entries {
            if !seen.insert(same(name)) {
                distinct = self.problem(name, "found twice, expected once");
            }
        }
        distinct
    }

    fn path_of(&self, name: &str) -> String {
        let plain = !name.is_empty()
            && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
        match (plain, self.path.as_str()) {
            (true, "") => name.to_owned(),
            (true, path) => format!("{path}.{name}"),
            (false, path) => format!("{path}[{name:?}]"),
        }
    }
}

fn same_name(found: &str, name: &str) -> bool {
    found == name || (!found.contains('_') && snake_case(found) == name)
}

/// `onMissingKey` as `on_missing_key`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
