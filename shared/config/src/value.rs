//! One value of a config, with its path; reading it reports what is wrong with it.

use crate::duration::parse_duration;
use crate::fields::Fields;
use crate::node::{Node, decimal};
use crate::problem::Sink;
use crate::suggest::{nearest, quoted};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A value of the config. Every reading method answers `None` after it has reported a problem.
#[derive(Clone)]
pub struct Value<'a> {
    node: &'a Node,
    path: String,
    sink: &'a Sink,
}

impl<'a> Value<'a> {
    pub(crate) fn root(node: &'a Node, sink: &'a Sink) -> Self {
        Self { node, path: String::new(), sink }
    }

    pub(crate) fn at(node: &'a Node, path: String, sink: &'a Sink) -> Self {
        Self { node, path, sink }
    }

    /// Reports a problem with this value. Answers `None`, for use as the last expression.
    pub fn problem<T>(&self, message: impl Display) -> Option<T> {
        self.report(&message);
        None
    }

    // Rare, and called from everywhere: out of line it makes a module smaller.
    #[cold]
    #[inline(never)]
    fn report(&self, message: &dyn Display) {
        self.sink.report(&self.path, message.to_string());
    }

    /// Reports that something else was expected here.
    pub fn expected<T>(&self, what: impl Display) -> Option<T> {
        self.report_expected(&what);
        None
    }

    #[cold]
    #[inline(never)]
    fn report_expected(&self, what: &dyn Display) {
        self.report(&format_args!("found {}, expected {what}", self.node.describe()));
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// Whether the value is a JSON string: for fields that have a short and a long form.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.node, Node::Text(_))
    }

    /// Whether the value is a JSON object: for fields that have a short and a long form.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self.node, Node::Object(_))
    }

    /// Whether the value is a JSON list: for fields that have a short and a long form.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.node, Node::List(_))
    }

    /// Text.
    #[inline(never)]
    pub fn text(&self) -> Option<&'a str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => self.expected("text"),
        }
    }

    /// Text that is not empty.
    #[inline(never)]
    pub fn non_empty_text(&self) -> Option<&'a str> {
        match self.text()? {
            "" => self.expected("text that is not empty"),
            text => Some(text),
        }
    }

    /// `true` or `false`.
    #[inline(never)]
    pub fn boolean(&self) -> Option<bool> {
        match self.node {
            Node::Bool(value) => Some(*value),
            _ => self.expected("true or false"),
        }
    }

    /// A whole number; `5.0` is 5.
    #[inline(never)]
    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        // Above 2^53 a float no longer says which whole number was meant.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = match self.node {
            Node::Integer(value) => u64::try_from(*value).ok(),
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number between 0 and 2^53"
            )]
            Node::Float(value) if value.fract() == 0.0 && (0.0..=EXACT).contains(value) => {
                Some(*value as u64)
            }
            _ => None,
        };
        match whole.filter(|value| range.contains(value)) {
            None if *range.end() == u64::MAX => {
                self.expected(format_args!("a whole number of at least {}", range.start()))
            }
            None => self.expected(format_args!("a whole number from {} to {}", range.start(), range.end())),
            value => value,
        }
    }

    /// A number.
    #[inline(never)]
    pub fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let number = match self.node {
            #[allow(clippy::cast_precision_loss, reason = "JSON numbers are floats to most writers")]
            Node::Integer(value) => Some(*value as f64),
            Node::Float(value) => Some(*value),
            _ => None,
        };
        match number.filter(|value| range.contains(value)) {
            None => {
                let [least, most] = [decimal(*range.start()), decimal(*range.end())];
                self.expected(format_args!("a number from {least} to {most}"))
            }
            number => number,
        }
    }

    /// A duration as `250ms`, `1m` or `1h30m`.
    #[inline(never)]
    pub fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let duration = match self.node {
            Node::Text(text) => parse_duration(text).ok(),
            _ => None,
        };
        match duration.filter(|duration| range.contains(duration)) {
            None => self.expected(format_args!(
                "a duration from {:?} to {:?}, as \"250ms\", \"1m\" or \"1h30m\"",
                range.start(),
                range.end()
            )),
            duration => duration,
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let found = match self.node {
            Node::Text(text) => text.as_str(),
            _ => return self.expected(format_args!("one of {}", quoted(names()))),
        };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == found) {
            return Some(*choice);
        }
        match nearest(found, names()) {
            Some(name) => self.expected(format_args!("one of {}; did you mean `{name}`?", quoted(names()))),
            None => self.expected(format_args!("one of {}", quoted(names()))),
        }
    }

    /// Whatever stands here, as JSON: for documents that another standard describes. A name that stands
    /// twice in an object is a problem.
    pub fn json(&self) -> Option<serde_json::Value> {
        match self.node.to_json() {
            None => self.problem("found a name twice in an object, expected once"),
            json => json,
        }
    }

    /// A list. Every item is read, also behind one that is wrong.
    pub fn list<T>(&self, mut item: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Node::List(nodes) = self.node else { return self.expected("a list") };
        let items: Vec<Option<T>> =
            nodes.iter().enumerate().map(|(index, node)| item(self.item_at(index, node))).collect();
        items.into_iter().collect()
    }

    #[inline(never)]
    fn item_at(&self, index: usize, node: &'a Node) -> Value<'a> {
        Value::at(node, format!("{}[{index}]", self.path), self.sink)
    }

    /// A list with at least one item.
    pub fn non_empty_list<T>(&self, item: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        match self.list(item)? {
            items if items.is_empty() => self.problem("found an empty list, expected at least one item"),
            items => Some(items),
        }
    }

    /// An object with known fields; a field that `reader` did not ask for is a problem.
    pub fn object<T>(&self, reader: impl FnOnce(&Fields<'a>) -> Option<T>) -> Option<T> {
        let Node::Object(entries) = self.node else { return self.expected("an object") };
        let fields = Fields::new(entries, &self.path, self.sink);
        let value = reader(&fields);
        fields.finish().and(value)
    }

    /// An object whose names are the user's own, as header names are.
    pub fn entries<T>(&self, mut entry: impl FnMut(&'a str, Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Node::Object(entries) = self.node else { return self.expected("an object") };
        let fields = Fields::new(entries, &self.path, self.sink);
        let unique = fields.unique();
        let values: Vec<Option<T>> =
            entries.iter().map(|(name, node)| entry(name, fields.value_of(name, node))).collect();
        unique.and(values.into_iter().collect())
    }
}
