//! What a rule wants a token's claims to say.

use mesh_config::describe::{Defs, Shape};
use mesh_config::kinds::{List, Nested, Object, any, by_fields, list, nested, object_with, string};
use mesh_config::{Form, JsonType, Kind, ProblemKind, Refused, Scalar, Value};
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
    /// All expressions are true.
    All(Vec<Claims>),
    /// At least one expression is true.
    Any(Vec<Claims>),
    /// The expression is false.
    Not(Box<Claims>),
}

/// A test on one claim. An array passes if one of its elements does.
#[derive(Clone, Debug)]
pub enum Test {
    /// As in any match on claims.
    Claim(ClaimTest),
    /// It is the segment of this name in the rule's path template.
    EqualsPath(Box<str>),
    /// It is the value of this header, which must be there once.
    EqualsHeader(HeaderName),
    /// It is the request's host, or a part of it.
    EqualsHost(HostTest),
}

/// What a claim is compared with of the request's authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostTest {
    /// `true`: all of it, the port too.
    Whole,
    /// `*:*`: all of it but the port.
    AnyPort,
    /// `*.example.com`: what is before that, `a` of `a.example.com`.
    Front(HostMatch),
}

/// Maximum number of expressions within each other.
const MAX_DEPTH: usize = 8;
/// Maximum number of items of a list.
const MAX_ITEMS: usize = 100;
const TESTS: [&str; 14] = [
    "equals",
    "in",
    "prefix",
    "suffix",
    "contains",
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

impl Claims {
    /// Whether a claim is compared with the request's host.
    pub(crate) fn tests_host(&self) -> bool {
        match self {
            Self::Test { test, .. } => matches!(test, Test::EqualsHost(_)),
            Self::All(items) | Self::Any(items) => items.iter().any(Self::tests_host),
            Self::Not(within) => within.tests_host(),
        }
    }
}

/// An expression: an object, or an array of which all must be true. `matches`: the rule's match, if it is good,
/// whose path template `equals_path` refers to.
pub(super) fn claims(matches: Option<&RequestMatch>) -> impl Kind<Out = Claims> {
    Expression(matches)
}

#[derive(Clone, Copy)]
struct Expression<'a>(Option<&'a RequestMatch>);

impl<'a> Expression<'a> {
    fn within(self) -> Nested<Self> {
        nested(self, MAX_DEPTH, "expressions")
    }

    fn items(self) -> List<'a, Nested<Self>> {
        list(self.within()).not_empty().at_most(MAX_ITEMS, "items")
    }
}

impl Kind for Expression<'_> {
    type Out = Claims;

    fn read(&self, value: &Value<'_>) -> Option<Claims> {
        if value.is(JsonType::Array) {
            self.items().read(value).map(Claims::All)
        } else if value.is(JsonType::Object) {
            object_with(self.0).read(value)
        } else {
            value.expected(ProblemKind::WrongType, "an array or an object")
        }
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        defs.named("ClaimsExpression", "", |defs| {
            Shape::any_of([object_with::<Claims>(self.0).shape(defs), self.items().shape(defs)])
        })
    }
}

/// What an expression is.
enum Part {
    Claim(Vec<String>),
    Whole(Claims),
}

impl Object for Claims {
    type Context<'a> = Option<&'a RequestMatch>;

    const NAME: &'static str = "Claims";

    #[inline(never)]
    fn read(value: &Value<'_>, context: Self::Context<'_>) -> Option<Self> {
        by_fields(value, context)
    }

    fn fields<F: Form>(form: &mut F, matches: Option<&RequestMatch>) -> Option<Self> {
        let within = Expression(matches);
        let part = form
            .one_of()
            .case("claim", "The claim that is tested.", claim_path(), Part::Claim)
            .case("all", "All of these expressions are true.", within.items(), |items| {
                Part::Whole(Self::All(items))
            })
            .case("any", "At least one of these expressions is true.", within.items(), |items| {
                Part::Whole(Self::Any(items))
            })
            .case("not", "This expression is false.", within.within(), |within| {
                Part::Whole(Self::Not(Box::new(within)))
            })
            .end_or_none();
        let (ignore_case, cases) = ClaimTest::cases::<F, Test>(form, MAX_ITEMS);
        let test = cases
            .case("equals_path", EQUALS_PATH, equals_path(matches), Test::EqualsPath)
            .case("equals_header", EQUALS_HEADER, HeaderName::kind_of_request(), Test::EqualsHeader)
            .case("equals_host", EQUALS_HOST, any(HOST, HostTest::read), Test::EqualsHost)
            .end_or_none();
        match (part, test) {
            (Err(Refused), _) | (_, Err(Refused)) => None,
            (Ok(Some(Part::Claim(path))), Ok(Some(test))) => {
                Some(Self::Test { path, test: test.with_case(form, ignore_case?)? })
            }
            (Ok(Some(Part::Claim(_))), Ok(None)) => form.require_one_of(&TESTS),
            (Ok(Some(Part::Whole(claims))), Ok(None)) => Some(claims),
            (Ok(Some(Part::Whole(_))), Ok(Some(_))) => {
                form.problem_at("", ProblemKind::Conflict, "found a test without `claim`, expected none")
            }
            (Ok(None), Ok(Some(_))) => form.problem_at("claim", ProblemKind::Missing, "missing"),
            (Ok(None), Ok(None)) => form.require_one_of(&["claim", "all", "any", "not"]),
        }
    }
}

const EQUALS_PATH: &str = "The claim is the segment of this name in the rule's own path template.";
const EQUALS_HEADER: &str = "The claim is the value of this header, which must be there once.";
const EQUALS_HOST: &str = "The claim is the request's host: `true` with its port, `*:*` without, `*.example.com` what \
    is before that.";
const HOST: &str = r#"{"anyOf": [{"const": true}, {"type": "string", "pattern": "^\\*[.:]"}]}"#;

fn equals_path(matches: Option<&RequestMatch>) -> impl Kind<Out = Box<str>> {
    string::<Box<str>>().and_then(move |value, name| {
        // Without a good match there is nothing to refer to.
        if !matches?.has_capture(&name) {
            return value.expected(
                ProblemKind::UnknownWord,
                "a name of the rule's own path template, as `id` of `/users/{id}`",
            );
        }
        Some(name)
    })
}

impl From<ClaimTest> for Test {
    fn from(test: ClaimTest) -> Self {
        Self::Claim(test)
    }
}

impl Test {
    fn with_case<F: Form>(self, form: &mut F, ignore_case: bool) -> Option<Self> {
        match self {
            Self::Claim(test) => test.with_case(form, ignore_case).map(Self::Claim),
            _ if ignore_case => {
                let message = "found true, expected nothing: this test has no case to ignore";
                form.problem_at("ignore_case", ProblemKind::Conflict, message)
            }
            test => Some(test),
        }
    }
}

impl HostTest {
    fn read(value: &Value<'_>) -> Option<Self> {
        match value.scalar() {
            Some(Scalar::Boolean(true)) => Some(Self::Whole),
            Some(Scalar::String("*:*")) => Some(Self::AnyPort),
            // The words of a host, as in a match.
            Some(Scalar::String(text)) if text.starts_with("*.") => {
                HostMatch::kind().read(value).map(Self::Front)
            }
            _ => value.expected(
                ProblemKind::BadPattern,
                "true, `*:*`, or a host as `*.example.com` or `*.example.com:*`",
            ),
        }
    }
}
