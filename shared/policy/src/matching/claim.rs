//! A test on a claim of the verified token.

use super::string::{IGNORE_CASE, PRESENT, StringMatch, Test};
use mesh_config::kind::some;
use mesh_config::kinds::{self, Any, Object, any, boolean, by_fields, either, list, number, string};
use mesh_config::{Form, JsonType, Kind, OneOf, ProblemKind, Scalar, Value};
use serde_json::Value as Json;
use std::borrow::Cow;

mesh_config::object! {
    /// A claim and a test on it.
    #[derive(Clone, Debug)]
    pub struct ClaimMatch {
        /// The claim: a string with dots between the names that lead to it, or an array of those names if they
        /// have dots themselves.
        path as "claim": Vec<String> = required(claim_path()),
        /// The test.
        test: ClaimTest = flatten(),
    }
}

/// A test on the value of a claim. An array passes if one of its elements does; nested arrays and objects do
/// not pass.
#[derive(Clone, Debug)]
pub enum ClaimTest {
    /// `equals`, `in`: the claim is one of these values.
    In {
        /// The values.
        literals: Vec<Literal>,
        /// Whether strings are compared without regard to case (ASCII).
        ignore_case: bool,
    },
    /// `gt`, `gte`, `lt`, `lte`: the claim is a number within all of these bounds.
    Compare(Vec<(Comparison, f64)>),
    /// `prefix`, `suffix`, `contains`, `regex`, `present`: a test on the claim's [text].
    ///
    /// - `contains` compares entire words of a string, such as `scope` (RFC 8693, section 4.2), and entire elements of
    ///   an array: `administrator` does not contain `admin`.
    /// - `present` passes if the claim has any value. `null` counts as absent.
    Text {
        /// The test.
        test: StringMatch,
        /// Whether the test is on a word of a string or an element of an array.
        words: bool,
    },
}

/// A value to compare a claim with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A string. It equals a number or boolean that JSON writes like this.
    Text(String),
    /// A number. It equals no string.
    Number(f64),
    /// A boolean. It equals no string.
    Boolean(bool),
}

/// How a number is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
}

/// Maximum number of names that lead to a claim.
const MAX_DEPTH: usize = 16;
/// Maximum number of values in `in`, which are compared one by one.
const MAX_LITERALS: usize = 1000;
/// The largest integer up to which floats are exact: 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
/// A [`Literal`] as JSON Schema.
const LITERAL: &str =
    r#"{"type": ["string", "number", "boolean"], "minimum": -9007199254740991, "maximum": 9007199254740991}"#;

impl ClaimMatch {
    /// Whether the claims, a JSON object, pass the test. `None` if there is no verified token.
    #[must_use]
    pub fn is_match(&self, claims: Option<&Json>) -> bool {
        self.test.is_match(claims.and_then(|claims| find(claims, &self.path)))
    }
}

impl Object for ClaimTest {
    type Context<'a> = ();

    const NAME: &'static str = "ClaimTest";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let (ignore_case, cases) = Self::cases::<F, Self>(form, MAX_LITERALS);
        cases.end()?.with_case(form, ignore_case?)
    }
}

impl ClaimTest {
    /// Begins a group of alternatives with all tests, and asks whether case is ignored. `max_literals`: how many
    /// values `in` may have.
    pub fn cases<F: Form, T: From<Self>>(
        form: &mut F,
        max_literals: usize,
    ) -> (Option<bool>, OneOf<'_, F, T>) {
        form.elsewhere(&[("exact", "equals")]);
        let ignore_case = form.default("ignore_case", IGNORE_CASE, "false", boolean());
        let bounds = Self::bounds(form);
        let literals = list(Literal::kind()).not_empty().at_most(max_literals, "items");
        let equals = |literal| Self::literals(vec![literal]).into();
        let cases = form
            .one_of::<T>()
            .case(
                "equals",
                "The claim is this value. A string is also the number that it spells.",
                Literal::kind(),
                equals,
            )
            .case("in", "The claim is one of these values.", literals, |all| Self::literals(all).into());
        let cases = Test::cases(cases, ignore_case, |test| Self::from(test).into())
            .case("present", PRESENT, boolean(), |present| Self::from(Test::Present(present)).into())
            .together(&["gt", "gte", "lt", "lte"], bounds.map(T::from));
        (ignore_case, cases)
    }

    /// The test, with or without case; `None` if it has none to ignore.
    pub fn with_case<F: Form>(self, form: &mut F, ignore_case: bool) -> Option<Self> {
        let mut refuse = |what| {
            let message = format_args!("found true, expected nothing: {what}");
            form.problem_at("ignore_case", ProblemKind::Conflict, message)
        };
        Some(match self {
            test if !ignore_case => test,
            Self::Text { test, .. } if test.present().is_some() => return refuse("`present` has no case"),
            Self::Text { test, words } => Self::Text { test: test.with_case(true), words },
            Self::In { literals, .. }
                if literals.iter().any(|literal| matches!(literal, Literal::Text(_))) =>
            {
                Self::In { literals, ignore_case }
            }
            Self::In { .. } | Self::Compare(_) => return refuse("numbers and booleans have no case"),
        })
    }

    fn literals(literals: Vec<Literal>) -> Self {
        Self::In { literals, ignore_case: false }
    }

    fn bounds<F: Form>(form: &mut F) -> Option<Self> {
        let mut bound = |name, doc, comparison| {
            let bound = form.restriction(name, doc, some(number(f64::MIN..=f64::MAX)))?;
            Some(bound.map(|bound| (comparison, bound)))
        };
        let bounds = [
            bound("gt", "The claim is a number greater than this one.", Comparison::Greater),
            bound("gte", "The claim is a number, and not less than this one.", Comparison::GreaterOrEqual),
            bound("lt", "The claim is a number less than this one.", Comparison::Less),
            bound("lte", "The claim is a number, and not greater than this one.", Comparison::LessOrEqual),
        ];
        let bounds: Vec<_> = bounds.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        (!bounds.is_empty()).then_some(Self::Compare(bounds))
    }

    /// Whether a claim's value passes the test. `None` if the claim is absent.
    #[must_use]
    pub fn is_match(&self, claim: Option<&Json>) -> bool {
        let claim = claim.filter(|claim| !claim.is_null());
        match self {
            Self::In { literals, ignore_case } => {
                any_element(claim, |claim| literals.iter().any(|literal| literal.is(claim, *ignore_case)))
            }
            Self::Compare(bounds) => claim.and_then(Json::as_f64).is_some_and(|number| {
                bounds.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Self::Text { test, words } => match (test.present(), claim) {
                (Some(present), claim) => present == claim.is_some(),
                // Repeated spaces result in empty words, which `contains` never looks for.
                (None, Some(Json::String(text))) if *words => {
                    text.split(' ').any(|word| test.is_match(word.as_bytes()))
                }
                (None, claim) => any_element(claim, |element| {
                    text(element).is_some_and(|text| test.is_match(text.as_bytes()))
                }),
            },
        }
    }
}

/// Whether the claim, or one of its elements, passes `test`.
pub fn any_element(claim: Option<&Json>, test: impl Fn(&Json) -> bool) -> bool {
    match claim {
        None => false,
        Some(Json::Array(elements)) => elements.iter().any(test),
        Some(claim) => test(claim),
    }
}

impl From<Test> for ClaimTest {
    fn from(test: Test) -> Self {
        let test = StringMatch::from(test);
        match test.as_element() {
            Some(test) => Self::Text { test, words: true },
            None => Self::Text { test, words: false },
        }
    }
}

impl Literal {
    /// A string, a number or a boolean.
    #[must_use]
    pub const fn kind() -> Any<Self> {
        any(LITERAL, |value| {
            match value.scalar() {
            Some(Scalar::String(text)) => Some(Self::Text(text.to_owned())),
            // A larger float stands for several integers, so one user's id would equal another's.
            Some(Scalar::Number(number)) if number.abs() <= MAX_EXACT => Some(Self::Number(number)),
            Some(Scalar::Number(_)) => value.expected(
                ProblemKind::OutOfRange,
                "a number from -9007199254740991 to 9007199254740991; write a larger one as a string, in quotes",
            ),
            Some(Scalar::Boolean(flag)) => Some(Self::Boolean(flag)),
            None => value.expected(ProblemKind::WrongType, "a string, a number, true or false"),
        }
        })
    }

    fn is(&self, claim: &Json, ignore_case: bool) -> bool {
        match self {
            Self::Text(wanted) if ignore_case => {
                text(claim).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
            }
            Self::Text(wanted) => text(claim).is_some_and(|text| *text == **wanted),
            #[allow(clippy::float_cmp, reason = "exactly the number that the config names")]
            Self::Number(wanted) => claim.as_f64() == Some(*wanted),
            Self::Boolean(wanted) => claim.as_bool() == Some(*wanted),
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
        }
    }
}

/// A claim, or an element of one, as text: a string as it is, a number or boolean as in JSON.
///
/// `None` for an array or object, and for a number that may stand for several: integers beyond 64 bits are read as
/// floats, so one user's id would equal another's.
#[must_use]
pub fn text(claim: &Json) -> Option<Cow<'_, str>> {
    match claim {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => is_exact(number).then(|| Cow::Owned(number.to_string())),
        Json::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn is_exact(number: &serde_json::Number) -> bool {
    let float = number.as_f64().filter(|_| number.is_f64());
    float.is_none_or(|float| float.abs() < 2f64.powi(63))
}

/// A claim of any type as text: an array or object as JSON, anything else like [`text`]. `None` if one of its numbers
/// may stand for several.
#[must_use]
pub fn whole_text(claim: &Json) -> Option<Cow<'_, str>> {
    fn is_plain(claim: &Json) -> bool {
        match claim {
            Json::Number(number) => is_exact(number),
            Json::Array(items) => items.iter().all(is_plain),
            Json::Object(entries) => entries.values().all(is_plain),
            Json::Null | Json::Bool(_) | Json::String(_) => true,
        }
    }
    match claim {
        Json::Array(_) | Json::Object(_) => is_plain(claim).then(|| Cow::Owned(claim.to_string())),
        claim => text(claim),
    }
}

/// The claim at this path. `null` counts as absent.
#[must_use]
pub fn find<'a>(claims: &'a Json, path: &[String]) -> Option<&'a Json> {
    let claim = path.iter().try_fold(claims, |claim, name| claim.as_object()?.get(name));
    claim.filter(|claim| !claim.is_null())
}

/// The names that lead to a claim: a string with dots between them, or an array.
pub fn claim_path() -> impl Kind<Out = Vec<String>> {
    let names = list(string::<String>().not_empty()).not_empty();
    either(JsonType::Array, names, kinds::text(read_path).not_empty().or(" or an array of strings")).and_then(
        |value, path: Vec<String>| {
            if path.iter().any(String::is_empty) {
                return value.expected(
                    ProblemKind::BadPattern,
                    "names with a dot between them, as `realm_access.roles`",
                );
            }
            if path.len() > MAX_DEPTH {
                return value.too_many(path.len(), "names", MAX_DEPTH);
            }
            Some(path)
        },
    )
}

fn read_path(value: &Value<'_>, path: &str) -> Option<Vec<String>> {
    if path.contains("://") {
        let expected = format_args!("an array of names, as [{path:?}], since this one has dots");
        return value.expected(ProblemKind::BadPattern, expected);
    }
    Some(path.split('.').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
