//! A test on the path in its normal form.

mod literal;
mod template;

use super::one_of::one_of;
use super::string::{NAMES, StringMatch};
use super::truth::Truth;
use crate::path::Readings;
use mesh_config::{Fields, Value};
use std::fmt::Display;
use template::Template;

/// A test on the path: one of its text, or a template of its segments.
#[derive(Clone, Debug)]
pub(crate) enum PathMatch {
    Text(StringMatch),
    Template(Template),
}

const TEMPLATE: &str = "template";

impl PathMatch {
    /// Reads a test on the path. A text that no path can be, begin with, end with or hold is refused: a
    /// rule on it would never hold, whatever it was to keep out.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        if value.is_text() {
            // Short for `exact` elsewhere; here most people mean a prefix.
            return value.expected("an object: say `exact` or `prefix`, as {\"prefix\": \"/api/\"}");
        }
        let test = value.object(Self::read_fields)?;
        if let Self::Text(text) = &test {
            literal::possible(text, &value)?;
        }
        Some(test)
    }

    fn read_fields(fields: &Fields<'_>) -> Option<Self> {
        let ignore_case = fields.or("ignore_case", false, |value| value.boolean());
        let names: Vec<_> = NAMES.into_iter().chain([TEMPLATE]).collect();
        let test = one_of(fields, &names, |name, value| {
            let ignore_case = ignore_case.unwrap_or(false);
            if name == TEMPLATE {
                Template::read(&value, ignore_case).map(Self::Template)
            } else {
                StringMatch::read_test(name, &value, ignore_case).map(Self::Text)
            }
        });
        ignore_case.and(test)
    }

    /// Whether the path passes: undecided if its readings differ.
    pub(crate) fn test(&self, path: &Readings<'_>) -> Truth {
        path.test(|path| match self {
            Self::Text(test) => test.is_match(path),
            Self::Template(template) => template.is_match(path),
        })
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

fn not_normal<T>(value: &Value<'_>, found: impl Display, normal: impl Display) -> Option<T> {
    value.problem(format_args!("found `{found}`, which no path in normal form can be, expected `{normal}`"))
}
