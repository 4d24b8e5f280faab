//! Strings.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::value::Value;

/// A string that is read by a function.
#[derive(Clone, Copy)]
pub struct Text<T> {
    read: fn(&Value<'_>, &str) -> Option<T>,
    must_not_be_empty: bool,
    max_bytes: usize,
    instead: &'static str,
    pattern: &'static str,
    examples: &'static [&'static str],
}

/// A string that is read by a function, which reports a problem with its value otherwise.
pub const fn text<T>(read: fn(&Value<'_>, &str) -> Option<T>) -> Text<T> {
    Text { read, must_not_be_empty: false, max_bytes: usize::MAX, instead: "", pattern: "", examples: &[] }
}

/// Any string.
pub const fn string<T: for<'a> From<&'a str>>() -> Text<T> {
    text(|_, text| Some(text.into()))
}

impl<T> Text<T> {
    /// With at least one byte.
    #[must_use]
    pub const fn not_empty(mut self) -> Self {
        self.must_not_be_empty = true;
        self
    }

    /// With at most so many bytes.
    #[must_use]
    pub const fn at_most(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// What may be there instead of a string, for messages: ` or an object`.
    #[must_use]
    pub const fn or(mut self, instead: &'static str) -> Self {
        self.instead = instead;
        self
    }

    /// With the form of a pattern, which is for the description only: the function refuses the others.
    #[must_use]
    pub const fn described_as(mut self, pattern: &'static str, examples: &'static [&'static str]) -> Self {
        self.pattern = pattern;
        self.examples = examples;
        self
    }
}

impl<T> Kind for Text<T> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        let text = value.string_within(self.must_not_be_empty, self.max_bytes, self.instead)?;
        (self.read)(value, text)
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        let mut shape = Shape::of_type("string");
        if self.must_not_be_empty {
            shape = shape.with("minLength", 1);
        }
        if self.max_bytes < usize::MAX {
            shape = shape.with("maxLength", self.max_bytes);
        }
        if !self.pattern.is_empty() {
            shape = shape.with("pattern", self.pattern);
        }
        if !self.examples.is_empty() {
            shape = shape.with("examples", self.examples.to_vec());
        }
        shape
    }
}
