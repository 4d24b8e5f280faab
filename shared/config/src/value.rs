//! One value of a config, with its path; reading it reports what is wrong with it.

use crate::case::same_name;
use crate::duration::{parse_duration, spelt};
use crate::node::{Node, decimal};
use crate::problem::{ProblemKind, Sink, joined};
use crate::suggest::{nearest, quoted};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A value of the config. Every reading method returns `None` after it has reported a problem.
pub struct Value<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: String,
    pub(crate) sink: &'a Sink,
    /// How many [`Nested`](crate::kinds::Nested) values it is in.
    pub(crate) depth: usize,
}

/// A value without parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    String(&'a str),
    /// A number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
}

/// The JSON types that tell the forms of a value apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Value<'a> {
    pub(crate) fn root(node: &'a Node, sink: &'a Sink) -> Self {
        Self { node, path: String::new(), sink, depth: 0 }
    }

    /// Reports a problem with this value. Returns `None`, for use as the last expression.
    pub fn problem<T>(&self, kind: ProblemKind, message: impl Display) -> Option<T> {
        self.report(kind, &message);
        None
    }

    /// Reports a problem with the value at `path` within this one, as `[2].name`. Returns `None`.
    pub fn problem_at<T>(&self, path: &str, kind: ProblemKind, message: impl Display) -> Option<T> {
        self.report_at(path, kind, &message.to_string());
        None
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn report_at(&self, path: &str, kind: ProblemKind, message: &str) {
        self.sink.report(kind, &joined(&self.path, path), message.to_owned());
    }

    // Rare, and called from everywhere: out of line it makes a module smaller.
    #[cold]
    #[inline(never)]
    fn report(&self, kind: ProblemKind, message: &dyn Display) {
        self.sink.report(kind, &self.path, message.to_string());
    }

    /// Reports that something else was expected here. Returns `None`.
    pub fn expected<T>(&self, kind: ProblemKind, what: impl Display) -> Option<T> {
        self.report_expected(kind, &what);
        None
    }

    #[cold]
    #[inline(never)]
    fn report_expected(&self, kind: ProblemKind, what: &dyn Display) {
        self.report(kind, &format_args!("found {}, expected {what}", self.node.describe()));
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_string(&self) -> Option<&'a str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The strings, if it is an array of nothing else.
    #[must_use]
    pub fn as_strings(&self) -> Option<Vec<&'a str>> {
        let Node::List(items) = self.node else { return None };
        let string = |item: &'a Node| if let Node::Text(text) = item { Some(text.as_str()) } else { None };
        items.iter().map(string).collect()
    }

    /// Whether the value is an array that is not empty.
    #[must_use]
    pub fn has_items(&self) -> bool {
        matches!(self.node, Node::List(items) if !items.is_empty())
    }

    /// Whether the value is of a JSON type: for fields that have a short and a long form.
    #[must_use]
    pub const fn is(&self, json_type: JsonType) -> bool {
        matches!(
            (json_type, self.node),
            (JsonType::String, Node::Text(_))
                | (JsonType::Array, Node::List(_))
                | (JsonType::Object, Node::Object(_))
        )
    }

    /// A field of an object as it was written, without reporting anything.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<Self> {
        let Node::Object(entries) = self.node else { return None };
        let (_, node) = entries.iter().find(|(found, _)| same_name(found, name))?;
        Some(self.within(node, self.path.clone()))
    }

    /// A field of an object with its path, as it was written, without reporting anything; `None` for `null` too.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Self> {
        let Node::Object(entries) = self.node else { return None };
        let (found, node) = entries.iter().find(|(found, _)| same_name(found, name))?;
        Some(self.entry_at(found, node)).filter(|value| !matches!(value.node, Node::Null))
    }

    pub(crate) fn within(&self, node: &'a Node, path: String) -> Self {
        Self { node, path, sink: self.sink, depth: self.depth }
    }

    /// A string of at most so many bytes, and of at least one if it `must_not_be_empty`. `instead`: what
    /// may be there instead, for the message.
    #[inline(never)]
    pub(crate) fn string_within(
        &self,
        must_not_be_empty: bool,
        max_bytes: usize,
        instead: &str,
    ) -> Option<&'a str> {
        let text = match self.node {
            Node::Text(text) => text.as_str(),
            // YAML reads an unquoted `off`, `no` or `true` as a boolean.
            Node::Bool(flag) => {
                let hint = format_args!("a string{instead}; put it in quotes, as \"{flag}\"");
                return self.expected(ProblemKind::WrongType, hint);
            }
            _ => return self.expected(ProblemKind::WrongType, format_args!("a string{instead}")),
        };
        match text {
            "" if must_not_be_empty => self.expected(ProblemKind::BadPattern, "a string that is not empty"),
            text if text.len() > max_bytes => self.too_many(text.len(), "bytes", max_bytes),
            text => Some(text),
        }
    }

    /// Reports that there are more of something than may be.
    #[cold]
    #[inline(never)]
    fn report_too_many(&self, found: usize, what: &str, max: usize) {
        self.report(ProblemKind::TooLarge, &format_args!("found {found} {what}, expected at most {max}"));
    }

    /// Reports that there are more of something than may be. Returns `None`.
    pub fn too_many<T>(&self, found: usize, what: &str, max: usize) -> Option<T> {
        self.report_too_many(found, what, max);
        None
    }

    /// Reports that there are fewer items than must be. Returns `None`.
    pub(crate) fn too_few<T>(&self, found: usize, min: usize) -> Option<T> {
        if min == 1 {
            return self.problem(ProblemKind::Missing, "found an empty array, expected at least one item");
        }
        self.problem(ProblemKind::Missing, format_args!("found {found} items, expected at least {min}"))
    }

    /// `true` or `false`.
    #[inline(never)]
    pub fn boolean(&self) -> Option<bool> {
        match self.node {
            Node::Bool(value) => Some(*value),
            _ => self.expected(ProblemKind::WrongType, "true or false"),
        }
    }

    /// An integer; `5.0` is 5.
    #[inline(never)]
    pub fn integer(&self, range: &RangeInclusive<u64>) -> Option<u64> {
        // Above 2^53 a float no longer says which integer was meant.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let (integer, is_integer) = match self.node {
            Node::Integer(value) => (u64::try_from(*value).ok(), true),
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an integer between 0 and 2^53"
            )]
            Node::Float(value) if value.fract() == 0.0 => {
                (Some(*value as u64).filter(|_| (0.0..=EXACT).contains(value)), true)
            }
            _ => (None, false),
        };
        match integer.filter(|value| range.contains(value)) {
            None => {
                let kind = if is_integer { ProblemKind::OutOfRange } else { ProblemKind::WrongType };
                self.expected(kind, format_args!("an integer from {} to {}", range.start(), range.end()))
            }
            integer => integer,
        }
    }

    /// A number, within bounds if there are some.
    #[inline(never)]
    pub fn number(&self, range: &RangeInclusive<f64>) -> Option<f64> {
        let number = match self.node {
            #[allow(clippy::cast_precision_loss, reason = "JSON numbers are floats to most writers")]
            Node::Integer(value) => Some(*value as f64),
            Node::Float(value) => Some(*value),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            number => {
                let kind = number.map_or(ProblemKind::WrongType, |_| ProblemKind::OutOfRange);
                if *range.end() == f64::MAX {
                    return self.expected(kind, "a number");
                }
                let [min, max] = [decimal(*range.start()), decimal(*range.end())];
                self.expected(kind, format_args!("a number from {min} to {max}"))
            }
        }
    }

    /// A duration as `250ms`, `1m` or `1h30m`.
    #[inline(never)]
    pub fn duration(&self, range: &RangeInclusive<Duration>) -> Option<Duration> {
        let duration = match self.node {
            Node::Text(text) => parse_duration(text).ok(),
            _ => None,
        };
        match duration.filter(|duration| range.contains(duration)) {
            None => {
                let kind = match (duration, self.node) {
                    (Some(_), _) => ProblemKind::OutOfRange,
                    (None, Node::Text(_)) => ProblemKind::BadPattern,
                    (None, _) => ProblemKind::WrongType,
                };
                let [min, max] = [spelt(*range.start()), spelt(*range.end())];
                let example = "as \"250ms\", \"1m\" or \"1h30m\"";
                self.expected(kind, format_args!("a duration from {min} to {max}, {example}"))
            }
            duration => duration,
        }
    }

    /// One of a few words, as its index. Where `off` is one, `false` is `off`, which YAML makes of it.
    #[inline(never)]
    pub fn word(&self, words: &[&str]) -> Option<usize> {
        let found = match self.node {
            Node::Text(text) => text.as_str(),
            Node::Bool(false) => "off",
            _ => "",
        };
        let index = words.iter().position(|word| *word == found);
        if index.is_none() {
            let is_text = matches!(self.node, Node::Text(_));
            let kind = if is_text { ProblemKind::UnknownWord } else { ProblemKind::WrongType };
            let all = quoted(words);
            match nearest(found, words).filter(|_| is_text) {
                Some(word) => self.expected(kind, format_args!("one of {all}; did you mean `{word}`?")),
                None => self.expected(kind, format_args!("one of {all}")),
            }
        } else {
            index
        }
    }

    /// A string, a number or a boolean; `None`, without a report, for anything else.
    #[must_use]
    pub fn scalar(&self) -> Option<Scalar<'a>> {
        Some(match self.node {
            Node::Text(text) => Scalar::String(text),
            #[allow(clippy::cast_precision_loss, reason = "JSON numbers are floats to most writers")]
            Node::Integer(number) => Scalar::Number(*number as f64),
            Node::Float(number) => Scalar::Number(*number),
            Node::Bool(flag) => Scalar::Boolean(*flag),
            Node::Null | Node::List(_) | Node::Object(_) => return None,
        })
    }

    /// Any JSON: for documents that another standard describes. A repeated name in an object is a
    /// problem.
    pub fn json(&self) -> Option<serde_json::Value> {
        match self.node.to_json() {
            None => self.problem(ProblemKind::Duplicate, "found a name twice in an object, expected once"),
            json => json,
        }
    }

    /// The items of an array.
    #[inline(never)]
    pub(crate) fn array(&self) -> Option<&'a [Node]> {
        match self.node {
            Node::List(items) => Some(items),
            _ => self.expected(ProblemKind::WrongType, "an array"),
        }
    }

    #[inline(never)]
    pub(crate) fn item_at(&self, index: usize, node: &'a Node) -> Self {
        self.within(node, format!("{}[{index}]", self.path))
    }

    /// The entries of an object, in their order.
    #[inline(never)]
    pub(crate) fn entries(&self) -> Option<&'a [(String, Node)]> {
        match self.node {
            Node::Object(entries) => Some(entries),
            _ => self.expected(ProblemKind::WrongType, "an object"),
        }
    }

    pub(crate) fn entry_at(&self, name: &str, node: &'a Node) -> Self {
        self.within(node, field_path(&self.path, name))
    }
}

/// The path of a field of the value at `path`.
pub(crate) fn field_path(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
    match (plain, path) {
        (true, "") => name.to_owned(),
        (true, path) => format!("{path}.{name}"),
        (false, path) => format!("{path}[{name:?}]"),
    }
}
