//! Whether claims say what a rule wants.

use crate::config::{Claims, Comparison, HostTest, Literal, Test};
use policy::matching::claim::{find, text};
use policy::matching::host;
use policy::matching::request::{Candidate, RequestMatch};
use policy::path;
use serde_json::Value as Json;

/// The request that claims are compared with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a, 'facts> {
    pub(super) request: &'a Candidate<'facts>,
    /// The match of the rule, which knows what stands for the names of its template.
    pub(super) matches: &'a RequestMatch,
}

/// Whether the expression holds.
pub(super) fn holds(claims: &Claims, of: &Json, context: &Context<'_, '_>) -> bool {
    match claims {
        Claims::All(items) => items.iter().all(|item| holds(item, of, context)),
        Claims::Any(items) => items.iter().any(|item| holds(item, of, context)),
        Claims::Not(item) => !holds(item, of, context),
        Claims::Test { path, test } => test_holds(test, find(of, path), context),
    }
}

fn test_holds(test: &Test, claim: Option<&Json>, context: &Context<'_, '_>) -> bool {
    let headers = context.request.facts().headers;
    match test {
        Test::Text(test) => test.is_match(claim),
        Test::In(literals) => one(claim, |claim| literals.iter().any(|literal| is_literal(claim, literal))),
        Test::Compare(bounds) => {
            let number = claim.and_then(Json::as_f64);
            number.is_some_and(|number| {
                bounds.iter().all(|(comparison, bound)| compares(number, *comparison, *bound))
            })
        }
        Test::EqualsPath(name) => {
            let segment = context.matches.capture(context.request.path(), name).map(path::decode_segment);
            segment.is_some_and(|segment| equals(claim, &segment))
        }
        Test::EqualsHeader(name) => {
            let mut values = headers.iter().filter(|(found, _)| name.is_same_variable(found));
            // Of two the upstream may read the other one.
            matches!((values.next(), values.next()), (Some((_, value)), None) if equals(claim, value))
        }
        Test::EqualsHost(test) => {
            let host = host::normalise(headers.authority());
            let part: Option<&[u8]> = match test {
                HostTest::Whole => Some(&host),
                HostTest::Before(suffix) => host.strip_suffix(suffix.as_bytes()),
            };
            // Hosts have no case; a claim that names one may have.
            part.filter(|part| !part.is_empty()).is_some_and(|part| {
                one(claim, |claim| text(claim).is_some_and(|text| text.as_bytes().eq_ignore_ascii_case(part)))
            })
        }
    }
}

/// Whether the claim, or one of its elements, passes.
fn one(claim: Option<&Json>, test: impl Fn(&Json) -> bool) -> bool {
    match claim {
        None => false,
        Some(Json::Array(elements)) => elements.iter().any(test),
        Some(claim) => test(claim),
    }
}

/// Whether the claim, or one of its elements, is this text. An empty text is nobody's.
fn equals(claim: Option<&Json>, value: &[u8]) -> bool {
    !value.is_empty() && one(claim, |claim| text(claim).is_some_and(|text| text.as_bytes() == value))
}

fn is_literal(claim: &Json, literal: &Literal) -> bool {
    match literal {
        Literal::Text(wanted) => text(claim).is_some_and(|text| *text == **wanted),
        #[allow(clippy::float_cmp, reason = "the very number that the config names")]
        Literal::Number(wanted) => claim.as_f64() == Some(*wanted),
        Literal::Boolean(wanted) => claim.as_bool() == Some(*wanted),
    }
}

fn compares(number: f64, comparison: Comparison, bound: f64) -> bool {
    match comparison {
        Comparison::Greater => number > bound,
        Comparison::GreaterOrEqual => number >= bound,
        Comparison::Less => number < bound,
        Comparison::LessOrEqual => number <= bound,
    }
}
