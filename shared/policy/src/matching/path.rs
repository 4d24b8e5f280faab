//! A test on the path in its normal form.

mod template;

use super::one_of::one_of;
use super::string::{NAMES, StringMatch};
use crate::config::{Fields, Value};
use crate::path::normalise;
use std::fmt::Display;
use template::Template;

/// A test on the path: one of its text, or a template of its segments.
#[derive(Clone, Debug)]
pub(crate) enum PathMatch {
    Text(StringMatch),
    Template(Template),
}

impl PathMatch {
    /// Reads a test on the path. A path that no normal path can equal or begin with is refused: a
    /// rule on it would never hold, whatever it was to keep out.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        let test = if value.is_object() {
            value.object(Self::read_fields)?
        } else {
            Self::Text(StringMatch::read(value.clone())?)
        };
        if let Self::Text(text) = &test {
            possible(text, &value)?;
        }
        Some(test)
    }

    fn read_fields(fields: &Fields<'_>) -> Option<Self> {
        const TEMPLATE: &str = "template";
        let ignore_case = fields.or("ignore_case", false, |value| value.boolean());
        let names: Vec<_> = NAMES.into_iter().chain([TEMPLATE]).collect();
        let test = one_of(fields, &names, |name, value| {
            if name == TEMPLATE {
                Template::read(&value).map(Self::Template)
            } else {
                StringMatch::read_test(name, &value, ignore_case.unwrap_or(false)).map(Self::Text)
            }
        })?;
        if ignore_case? && matches!(test, Self::Template(_)) {
            return fields
                .problem("ignore_case", "found true, expected nothing: a `template` minds the case");
        }
        Some(test)
    }

    /// Whether a path in normal form passes.
    pub(crate) fn is_match(&self, path: &[u8]) -> bool {
        match self {
            Self::Text(test) => test.is_match(path),
            Self::Template(template) => template.is_match(path),
        }
    }

    /// Whether a template names one of its segments so.
    pub(crate) fn has_capture(&self, name: &str) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Template(template) => template.has_capture(name),
        }
    }

    /// The segment of a path in normal form that a template names so; `None` if the path does not pass.
    pub(crate) fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        match self {
            Self::Text(_) => None,
            Self::Template(template) => template.capture(path, name),
        }
    }
}

/// `Some` if there are paths in normal form that pass.
fn possible(test: &StringMatch, value: &Value<'_>) -> Option<()> {
    if test.present().is_some() {
        return value.problem("found `present`, expected another test: there always is a path");
    }
    let (whole, texts) = test.beginnings();
    for text in texts {
        // Behind a prefix something follows: `/a/.` is not normal, but `/a/.x` is.
        let rest: &[u8] = if whole { b"" } else { b"x" };
        let possible = [text, rest].concat();
        let normal = normalise(&possible);
        if *normal != *possible {
            let normal = normal.strip_suffix(rest).unwrap_or(&normal);
            return not_normal(value, text.escape_ascii(), normal.escape_ascii());
        }
    }
    Some(())
}

fn not_normal<T>(value: &Value<'_>, found: impl Display, normal: impl Display) -> Option<T> {
    value.problem(format_args!("found `{found}`, which no path in normal form can be, expected `{normal}`"))
}
