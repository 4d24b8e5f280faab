//! A test on the path in its normal form.

mod literal;
mod not_normal;
mod template;

use super::string::{IGNORE_CASE, StringMatch, Test, strings, whole};
use crate::path::Readings;
use crate::truth::Truth;
use mesh_config::kinds::{Object, boolean, by_fields, hint, object};
use mesh_config::{Form, JsonType, Kind, Value};
use template::Template;

/// A test on the path: a string test, or a template of its segments.
#[derive(Clone, Debug)]
pub(crate) enum PathMatch {
    Text(StringMatch),
    Template(Template),
}

impl PathMatch {
    /// A test on the path. A string that no path in normal form can match is refused, as a rule with it would never hold.
    pub(crate) fn kind() -> impl Kind<Out = Self> {
        // Elsewhere a string is short for `exact`; for paths most users mean a prefix.
        let expected = "an object: say `exact` or `prefix`, as {\"prefix\": \"/api/\"}";
        hint(object::<Self>(), JsonType::String, expected).and_then(|value, test| {
            if let Self::Text(text) = &test {
                literal::possible(text, value)?;
            }
            Some(test)
        })
    }

    /// Whether the path passes the test. Undecided if the results of its readings differ.
    pub(crate) fn test(&self, path: &Readings<'_>) -> Truth {
        path.test(|path| match self {
            Self::Text(test) => test.is_match(path),
            Self::Template(template) => template.is_match(path),
        })
    }

    /// Whether this is a template with a segment of this name.
    pub(crate) fn has_capture(&self, name: &str) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Template(template) => template.has_capture(name),
        }
    }

    /// The segment of a path in normal form that the template names; `None` if the path does not match.
    pub(crate) fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        match self {
            Self::Text(_) => None,
            Self::Template(template) => template.capture(path, name),
        }
    }
}

impl Object for PathMatch {
    type Context<'a> = ();

    const NAME: &'static str = "PathMatch";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let ignore_case = form.default("ignore_case", IGNORE_CASE, "false", boolean());
        let template = Template::kind(ignore_case.unwrap_or(false));
        let test = form
            .one_of()
            .case("exact", "The path is this string.", whole(), |text| Self::from(Test::Exact(text)));
        let test = Test::cases(test, ignore_case, Self::from)
            .case("in", "The path is one of these strings.", strings(), |texts| Test::In(texts).into())
            .case("present", "Not for paths: there always is one.", boolean(), |present| {
                Test::Present(present).into()
            })
            .case("template", TEMPLATE, template, Self::Template)
            .end();
        let (test, ignore_case) = (test?, ignore_case?);
        Some(match test {
            Self::Text(text) => Self::Text(text.with_case(ignore_case)),
            template => template,
        })
    }
}

impl From<Test> for PathMatch {
    fn from(test: Test) -> Self {
        Self::Text(test.into())
    }
}

const TEMPLATE: &str = "The path has these segments: `{name}` and `*` are one segment each, `**` at the end is \
    the rest.";
