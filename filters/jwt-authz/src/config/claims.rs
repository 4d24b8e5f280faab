//! What a rule wants a token's claims to say.

use mesh_config::{Fields, Value, quoted};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::claim::{ClaimTest, claim_path};
use mesh_policy::matching::host::HostMatch;
use mesh_policy::matching::request::RequestMatch;

/// An expression on claims.
#[derive(Clone, Debug)]
pub enum Claims {
    /// A test on one claim.
    Test {
        /// The names that lead to it.
        path: Vec<String>,
        /// The test.
        test: Test,
    },
    /// All of them hold.
    All(Vec<Claims>),
    /// One of them holds.
    Any(Vec<Claims>),
    /// It does not hold.
    Not(Box<Claims>),
}

/// A test on one claim. On a list it holds if it does on one of the elements.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is one of these.
    In(Vec<Literal>),
    /// It is a number within all of these bounds.
    Compare(Vec<(Comparison, f64)>),
    /// It is what this word of the rule's path template stands for.
    EqualsPath(Box<str>),
    /// It is the value of this header, which must be there once.
    EqualsHeader(HeaderName),
    /// It is the request's host, or a part of it.
    EqualsHost(HostTest),
    /// `contains`, `prefix`, `suffix`, `regex`, `present`: as in any match on claims.
    Text(ClaimTest),
}

/// A value to compare a claim with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A text; a number or a boolean as JSON writes it is the same.
    Text(String),
    /// A number, and only a number.
    Number(f64),
    /// A boolean, and only a boolean.
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

/// What a claim is compared with of the request's authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostTest {
    /// `true`: all of it, the port too.
    Whole,
    /// `*:*`: all of it but the port.
    AnyPort,
    /// `*.example.com`: what stands in front, `a` of `a.example.com`.
    Front(HostMatch),
}

/// The most expressions within each other.
const MAX_DEPTH: usize = 8;
/// The largest number up to which a float is one whole number: 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
/// The most items of a list.
const MAX_ITEMS: usize = 100;
const NAMES: [&str; 14] = [
    "equals",
    "in",
    "contains",
    "prefix",
    "suffix",
    "regex",
    "present",
    "gt",
    "gte",
    "lt",
    "lte",
    "equals_path",
    "equals_header",
    "equals_host",
];
const COMPARISONS: [(&str, Comparison); 4] = [
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
];

impl Claims {
    /// Reads an expression. `matches`: the rule's match, whose path template `equals_path` refers to.
    pub(super) fn read(value: &Value<'_>, matches: Option<&RequestMatch>) -> Option<Self> {
        Self::read_at(value, matches, MAX_DEPTH)
    }

    /// Whether a claim is compared with the request's host.
    pub(crate) fn tests_host(&self) -> bool {
        match self {
            Self::Test { test, .. } => matches!(test, Test::EqualsHost(_)),
            Self::All(items) | Self::Any(items) => items.iter().any(Self::tests_host),
            Self::Not(within) => within.tests_host(),
        }
    }

    fn read_at(value: &Value<'_>, matches: Option<&RequestMatch>, depth: usize) -> Option<Self> {
        if depth == 0 {
            return value.problem(format_args!("found more than {MAX_DEPTH} expressions within each other"));
        }
        let list = |value: &Value<'_>| {
            let items = value.non_empty_list(|item| Self::read_at(&item, matches, depth - 1))?;
            if items.len() > MAX_ITEMS {
                return value
                    .problem(format_args!("found {} items, expected at most {MAX_ITEMS}", items.len()));
            }
            Some(items)
        };
        if value.is_list() {
            return list(value).map(Self::All);
        }
        if !value.is_object() {
            return value.expected("a list or an object");
        }
        value.object(|fields| {
            // An empty one beside another was meant to say more.
            let no_null = fields.no_null(&["all", "any", "not", "claim"]);
            let parts = [
                fields.get("all").map(|value| list(&value).map(Self::All)),
                fields.get("any").map(|value| list(&value).map(Self::Any)),
                fields.get("not").map(|value| {
                    Self::read_at(&value, matches, depth - 1).map(|within| Self::Not(Box::new(within)))
                }),
            ];
            let given: Vec<_> = parts.into_iter().flatten().collect();
            let expression = match (<[_; 1]>::try_from(given), fields.get("claim")) {
                (Ok([part]), None) => part,
                (Err(none), Some(_)) if none.is_empty() => Self::read_test(fields, matches),
                (Err(none), None) if none.is_empty() => {
                    // Only `claim` is missing where a test is given: that one is no mistake.
                    let has_test = NAMES.into_iter().filter(|name| fields.get(name).is_some()).count() > 0;
                    if has_test {
                        fields.problem("claim", "missing")
                    } else {
                        fields.problem_here("found none, expected one of `claim`, `all`, `any`, `not`")
                    }
                }
                _ => fields.problem_here("found several, expected one of `claim`, `all`, `any`, `not`"),
            };
            no_null.and(expression)
        })
    }

    fn read_test(fields: &Fields<'_>, matches: Option<&RequestMatch>) -> Option<Self> {
        let path = fields.required("claim", claim_path);
        let test = Test::read(fields, matches);
        let (path, test) = (path?, test?);
        // Beside a test, another one that is empty was meant to say more.
        fields.no_null(&NAMES)?;
        Some(Self::Test { path, test })
    }
}

impl Test {
    fn read(fields: &Fields<'_>, matches: Option<&RequestMatch>) -> Option<Self> {
        let given: Vec<&str> = NAMES.into_iter().filter(|name| fields.get(name).is_some()).collect();
        let is_comparison = |name: &&str| COMPARISONS.iter().any(|(comparison, _)| comparison == name);
        match given.as_slice() {
            // As this test is called in matches on text.
            [] if fields.get("exact").is_some() => fields.problem("exact", "expected `equals` instead"),
            [] => {
                fields.problem_here(&format!("found no test, expected one of {}", quoted(NAMES.into_iter())))
            }
            ["equals"] => fields.required("equals", |value| Some(Self::In(vec![Literal::read(&value)?]))),
            ["in"] => fields.required("in", read_in),
            ["equals_path"] => fields.required("equals_path", |value| read_equals_path(&value, matches)),
            ["equals_header"] => {
                fields.required("equals_header", HeaderName::read_of_request).map(Self::EqualsHeader)
            }
            ["equals_host"] => fields.required("equals_host", HostTest::read).map(Self::EqualsHost),
            names if names.iter().all(is_comparison) => Self::read_comparisons(fields),
            [_] => ClaimTest::read_fields(fields).map(Self::Text),
            names => fields
                .problem_here(&format!("found {}, expected one of them only", quoted(names.iter().copied()))),
        }
    }

    fn read_comparisons(fields: &Fields<'_>) -> Option<Self> {
        let bounds = COMPARISONS.map(|(name, comparison)| {
            let bound = fields.restriction(name, |value| read_bound(&value))?;
            Some(bound.map(|bound| (comparison, bound)))
        });
        let bounds = bounds.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self::Compare(bounds.into_iter().flatten().collect()))
    }
}

impl Literal {
    fn read(value: &Value<'_>) -> Option<Self> {
        match value.json()? {
            serde_json::Value::String(text) => Some(Self::Text(text)),
            serde_json::Value::Number(number) => match number.as_f64() {
                // Beyond, a float is several whole numbers: one user's would be another's.
                Some(number) if number.abs() <= MAX_EXACT => Some(Self::Number(number)),
                _ => value.expected(
                    "a number from -9007199254740991 to 9007199254740991; write a larger one as text, in quotes",
                ),
            },
            serde_json::Value::Bool(flag) => Some(Self::Boolean(flag)),
            _ => value.expected("text, a number, true or false"),
        }
    }
}

impl HostTest {
    fn read(value: Value<'_>) -> Option<Self> {
        match value.json()? {
            serde_json::Value::Bool(true) => Some(Self::Whole),
            serde_json::Value::String(text) if text == "*:*" => Some(Self::AnyPort),
            // The words of a host, as in a match.
            serde_json::Value::String(text) if text.starts_with("*.") => {
                HostMatch::read(value).map(Self::Front)
            }
            _ => value.expected("true, `*:*`, or a host as `*.example.com` or `*.example.com:*`"),
        }
    }
}

fn read_bound(value: &Value<'_>) -> Option<f64> {
    match value.json()?.as_f64() {
        None => value.expected("a number"),
        bound => bound,
    }
}

fn read_in(value: Value<'_>) -> Option<Test> {
    let literals = value.non_empty_list(|item| Literal::read(&item))?;
    if literals.len() > MAX_ITEMS {
        return value.problem(format_args!("found {} items, expected at most {MAX_ITEMS}", literals.len()));
    }
    Some(Test::In(literals))
}

fn read_equals_path(value: &Value<'_>, matches: Option<&RequestMatch>) -> Option<Test> {
    let name = value.text()?;
    // Without a good match there is nothing to refer to.
    if !matches?.has_capture(name) {
        return value.expected("a name of the rule's own path template, as `id` of `/users/{id}`");
    }
    Some(Test::EqualsPath(name.into()))
}
