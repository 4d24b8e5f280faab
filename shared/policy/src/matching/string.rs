//! A test on a string, or on several strings.

use super::needle::Needle;
use super::pattern::Pattern;
use mesh_config::kinds::{Object, Text, boolean, by_fields, either, list, object, text};
use mesh_config::{Form, JsonType, Kind, OneOf, ProblemKind, Value};

/// Exactly one of `exact`, `prefix`, `suffix`, `contains`, `regex` (on the entire value), `in` (one of an array) and
/// `present`. All but the last can be combined with `ignore_case: true` (ASCII).
#[derive(Clone, Debug)]
pub struct StringMatch {
    test: Test,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Needle),
    Regex(Box<Pattern>),
    In(Vec<Box<[u8]>>),
    Present(bool),
}

/// Maximum length of a string to compare with, in bytes.
pub(crate) const MAX_BYTES: usize = 4096;

/// Maximum number of strings in `in`, which are compared one by one.
const MAX_STRINGS: usize = 1000;

impl StringMatch {
    /// A test whether the value equals this text.
    #[must_use]
    pub fn exact(text: &str) -> Self {
        Self { test: Test::Exact(text.as_bytes().into()), ignore_case: false }
    }

    /// A field that is only a string test: an object, or a string as short for `exact`.
    #[must_use]
    pub fn kind() -> impl Kind<Out = Self> {
        let exact = whole().or(" or an object").map(|text| Test::Exact(text).into());
        either(JsonType::Object, object::<Self>(), exact)
    }

    pub(crate) fn with_case(self, ignore_case: bool) -> Self {
        Self { ignore_case, ..self }
    }

    /// Whether a value passes the test.
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

    /// Whether one of the values passes the test. Without values, only `present: false` holds.
    pub fn is_match_any(&self, mut values: impl Iterator<Item: AsRef<[u8]>>) -> bool {
        match self.test {
            Test::Present(present) => values.next().is_some() == present,
            _ => values.any(|value| self.is_match(value.as_ref())),
        }
    }

    /// The value of `present`, if that is the test.
    pub(crate) fn present(&self) -> Option<bool> {
        match self.test {
            Test::Present(present) => Some(present),
            _ => None,
        }
    }

    /// `contains` as an equality test on an element, if that is the test.
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

    /// The strings that a value is compared with, and their position in the value; none for `regex` and `present`. With
    /// `ignore_case`, the string of `contains` is in lower case.
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

    /// `Some` if the strings can match values without leading and trailing spaces and tabs, such as those of
    /// [`Headers`](crate::headers::Headers). `value` is where the test was read from.
    pub(crate) fn possible_without_outer_spaces(&self, value: &Value<'_>) -> Option<()> {
        let (anchor, mut texts) = self.literals();
        let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let impossible = texts.find(|text| {
            (anchor != Anchor::Part && anchor != Anchor::End && is_space(text.first()))
                || (anchor != Anchor::Part && anchor != Anchor::Start && is_space(text.last()))
        });
        if let Some(text) = impossible {
            return value.problem(ProblemKind::BadPattern, format_args!(
                "found `{}`, which can never match, expected no space at the {} end: values are compared without",
                text.escape_ascii(),
                if is_space(text.first()) { "left" } else { "right" },
            ));
        }
        Some(())
    }
}

/// The position of a string in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Whole,
    Start,
    End,
    Part,
}

impl From<Test> for StringMatch {
    fn from(test: Test) -> Self {
        Self { test, ignore_case: false }
    }
}

impl Object for StringMatch {
    type Context<'a> = ();

    const NAME: &'static str = "StringMatch";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let ignore_case = form.default("ignore_case", IGNORE_CASE, "false", boolean());
        let one_of = form.one_of().case("exact", "The value is this string.", whole(), Test::Exact);
        let test = Test::cases(one_of, ignore_case, |test| test)
            .case("in", "The value is one of these strings.", strings(), Test::In)
            .case("present", PRESENT, boolean(), Test::Present)
            .end();
        let test = Self { test: test?, ignore_case: ignore_case? };
        if test.ignore_case && test.present().is_some() {
            let message = "found true, expected nothing: `present` has no case";
            return form.problem_at("ignore_case", ProblemKind::Conflict, message);
        }
        Some(test)
    }
}

pub(crate) const IGNORE_CASE: &str = "Whether strings are compared without case (ASCII).";
pub(crate) const PRESENT: &str = "Whether there is a value, whatever it is.";

impl Test {
    /// The tests that string tests and claim tests have in common.
    pub(crate) fn cases<F: Form, T>(
        one_of: OneOf<'_, F, T>,
        ignore_case: Option<bool>,
        make: fn(Self) -> T,
    ) -> OneOf<'_, F, T> {
        let ignore_case = ignore_case.unwrap_or(false);
        let needle = part().map(move |text| Needle::new(&text, ignore_case));
        one_of
            .case("prefix", "The value begins with this string.", part(), |text| make(Self::Prefix(text)))
            .case("suffix", "The value ends with this string.", part(), |text| make(Self::Suffix(text)))
            .case("contains", CONTAINS, needle, |needle| make(Self::Contains(needle)))
            .case("regex", REGEX, Pattern::kind(ignore_case), |pattern| make(Self::Regex(pattern)))
    }
}

const CONTAINS: &str = "The value contains this string. Of a claim: a whole word or element is this string.";
const REGEX: &str =
    "The whole value matches this regular expression, in the syntax of Rust's regex crate on bytes.";

/// A string that is compared with the entire value.
pub(crate) fn whole() -> Text<Box<[u8]>> {
    text(|_, text| Some(text.as_bytes().into())).at_most(MAX_BYTES)
}

/// A string that is compared with a part of the value. Not empty, as every value contains the empty string.
fn part() -> Text<Box<[u8]>> {
    whole().not_empty()
}

pub(crate) fn strings() -> impl Kind<Out = Vec<Box<[u8]>>> {
    list(whole()).not_empty().at_most(MAX_STRINGS, "strings")
}

#[cfg(test)]
mod tests;
