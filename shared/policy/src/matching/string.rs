//! A test on a value, or on the values of something that may have several.

use super::needle::Needle;
use super::one_of::one_of;
use super::pattern::Pattern;
use mesh_config::{Fields, Value};

/// Exactly one of `exact`, `prefix`, `suffix`, `contains`, `regex` (the whole value), `in` (one of
/// a list) and `present`; all but the last with `ignore_case: true` (ASCII) where wanted.
#[derive(Clone, Debug)]
pub struct StringMatch {
    test: Test,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Needle),
    Regex(Box<Pattern>),
    In(Vec<Box<[u8]>>),
    Present(bool),
}

/// The names of the tests.
pub(crate) const NAMES: [&str; 7] = ["exact", "prefix", "suffix", "contains", "regex", "in", "present"];

/// The most bytes that a text to compare with may have.
pub(crate) const MAX_BYTES: usize = 4096;

/// The most texts that `in` may have: they are compared one by one.
const MAX_TEXTS: usize = 1000;

impl StringMatch {
    /// Whether the value is this text.
    #[must_use]
    pub fn exact(text: &str) -> Self {
        Self { test: Test::Exact(text.as_bytes().into()), ignore_case: false }
    }

    /// Reads a field that is only a string test: an object, or a text as short for `exact`.
    pub fn read(value: Value<'_>) -> Option<Self> {
        if value.is_text() {
            return Some(Self { test: Test::Exact(text(&value)?), ignore_case: false });
        }
        if !value.is_object() {
            return value.expected("text or an object");
        }
        value.object(Self::read_fields)
    }

    /// Reads the test from the fields of an object that may have others.
    pub fn read_fields(fields: &Fields<'_>) -> Option<Self> {
        let ignore_case = fields.or("ignore_case", false, |value| value.boolean());
        let test = one_of(fields, &NAMES, |name, value| {
            Self::read_test(name, &value, ignore_case.unwrap_or(false))
        })?;
        if ignore_case? && test.present().is_some() {
            return fields.problem("ignore_case", "found true, expected nothing: `present` has no case");
        }
        Some(test)
    }

    /// Reads the value of the field of one of [`NAMES`].
    pub(crate) fn read_test(name: &str, value: &Value<'_>, ignore_case: bool) -> Option<Self> {
        Some(Self { test: Test::read(name, value, ignore_case)?, ignore_case })
    }

    /// Whether the one value there is passes.
    #[must_use]
    pub fn is_match(&self, value: &[u8]) -> bool {
        let same = if self.ignore_case { <[u8]>::eq_ignore_ascii_case } else { <[u8] as PartialEq>::eq };
        match &self.test {
            Test::Exact(text) => same(value, text),
            Test::Prefix(text) => value.get(..text.len()).is_some_and(|start| same(start, text)),
            Test::Suffix(text) => {
                let start = value.len().checked_sub(text.len());
                start.and_then(|start| value.get(start..)).is_some_and(|end| same(end, text))
            }
            Test::Contains(needle) => needle.is_in(value),
            Test::Regex(pattern) => pattern.is_match(value),
            Test::In(texts) => texts.iter().any(|text| same(value, text)),
            Test::Present(present) => *present,
        }
    }

    /// Whether one of the values passes. `present: false` holds if there is none; where there is
    /// none, no other test holds.
    pub fn is_match_any(&self, mut values: impl Iterator<Item: AsRef<[u8]>>) -> bool {
        match self.test {
            Test::Present(present) => values.next().is_some() == present,
            _ => values.any(|value| self.is_match(value.as_ref())),
        }
    }

    /// What `present` says, if that is the test.
    pub(crate) fn present(&self) -> Option<bool> {
        match self.test {
            Test::Present(present) => Some(present),
            _ => None,
        }
    }

    /// `contains` as a test on a whole element, if that is the test.
    pub(crate) fn as_element(&self) -> Option<Self> {
        match &self.test {
            Test::Contains(needle) => {
                Some(Self { test: Test::Exact(needle.text().into()), ignore_case: self.ignore_case })
            }
            _ => None,
        }
    }

    /// Whether case is ignored.
    pub(crate) const fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// The texts that a value is compared with, and where in the value each must stand; none for `regex` and
    /// `present`. With `ignore_case` those of `contains` are in lower case.
    pub(crate) fn literals(&self) -> (Anchor, impl Iterator<Item = &[u8]>) {
        let (anchor, one, several): (_, Option<&[u8]>, &[Box<[u8]>]) = match &self.test {
            Test::Exact(text) => (Anchor::Whole, Some(text), &[]),
            Test::In(texts) => (Anchor::Whole, None, texts),
            Test::Prefix(text) => (Anchor::Start, Some(text), &[]),
            Test::Suffix(text) => (Anchor::End, Some(text), &[]),
            Test::Contains(needle) => (Anchor::Part, Some(needle.text()), &[]),
            Test::Regex(_) | Test::Present(_) => (Anchor::Part, None, &[]),
        };
        (anchor, one.into_iter().chain(several.iter().map(AsRef::as_ref)))
    }

    /// `Some` if the texts can match values that have no spaces and tabs at their ends, as those of
    /// [`Headers`](crate::headers::Headers). `value`: where the test was read from.
    pub(crate) fn possible_without_outer_spaces(self, value: &Value<'_>) -> Option<Self> {
        let (anchor, mut texts) = self.literals();
        let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let impossible = texts.find(|text| {
            (anchor != Anchor::Part && anchor != Anchor::End && is_space(text.first()))
                || (anchor != Anchor::Part && anchor != Anchor::Start && is_space(text.last()))
        });
        if let Some(text) = impossible {
            return value.problem(format_args!(
                "found `{}`, which can never match, expected no space at the {} end: values are compared without",
                text.escape_ascii(),
                if is_space(text.first()) { "left" } else { "right" },
            ));
        }
        drop(texts);
        Some(self)
    }
}

/// Where in a value a text must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Whole,
    Start,
    End,
    Part,
}

impl Test {
    fn read(name: &str, value: &Value<'_>, ignore_case: bool) -> Option<Self> {
        match name {
            "exact" => text(value).map(Self::Exact),
            "prefix" => part(value).map(Self::Prefix),
            "suffix" => part(value).map(Self::Suffix),
            "contains" => part(value).map(|text| Self::Contains(Needle::new(&text, ignore_case))),
            "regex" => Pattern::read(value, ignore_case).map(|pattern| Self::Regex(Box::new(pattern))),
            "in" => {
                let texts = value.non_empty_list(|item| text(&item))?;
                if texts.len() > MAX_TEXTS {
                    return value
                        .problem(format_args!("found {} texts, expected at most {MAX_TEXTS}", texts.len()));
                }
                Some(Self::In(texts))
            }
            _ => value.boolean().map(Self::Present),
        }
    }
}

fn text(value: &Value<'_>) -> Option<Box<[u8]>> {
    let text = value.text()?;
    if text.len() > MAX_BYTES {
        return value.problem(format_args!("found {} bytes, expected at most {MAX_BYTES}", text.len()));
    }
    Some(text.as_bytes().into())
}

/// A part of a value: an empty one is in every value, which nobody means.
fn part(value: &Value<'_>) -> Option<Box<[u8]>> {
    value.non_empty_text().and_then(|_| text(value))
}

#[cfg(test)]
mod tests;
