//! Evaluates a rule's tests on claims.

use crate::config::{Claims, HostTest, Test};
use mesh_policy::authority::Authority;
use mesh_policy::matching::claim::{any_element, find, text};
use mesh_policy::matching::host::HostMatch;
use mesh_policy::matching::request::{MatchInput, RequestMatch};
use mesh_policy::path;
use mesh_policy::truth::Truth;
use serde_json::Value as Json;

/// The request that claims are compared with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a, 'facts> {
    pub(super) request: &'a MatchInput<'facts>,
    /// The rule's match; it resolves the names of its path template.
    pub(super) matches: &'a RequestMatch,
}

/// Evaluates the expression on the claims `of` a token.
pub(super) fn test(claims: &Claims, of: &Json, context: &Context<'_, '_>) -> Truth {
    match claims {
        Claims::All(items) => Truth::all(items.iter().map(|item| test(item, of, context))),
        Claims::Any(items) => Truth::any(items.iter().map(|item| test(item, of, context))),
        Claims::Not(item) => !test(item, of, context),
        Claims::Test { path, test } => test_one(test, find(of, path), context),
    }
}

fn test_one(test: &Test, claim: Option<&Json>, context: &Context<'_, '_>) -> Truth {
    match test {
        Test::Claim(test) => test.is_match(claim).into(),
        Test::EqualsPath(name) => context.request.path().test(|path| {
            let segment = context.matches.capture(path, name).map(path::decode_segment);
            segment.is_some_and(|segment| equals(claim, &segment))
        }),
        Test::EqualsHeader(name) => {
            let mut values = context.request.facts().headers.spelt_like(name);
            match (values.next(), values.next()) {
                (None, _) => Truth::No,
                (Some(value), None) => equals(claim, value).into(),
                // The upstream may read either value, or both joined.
                (Some(_), Some(_)) => Truth::Undecided,
            }
        }
        Test::EqualsHost(test) => equals_host(test, claim, context.request.authority()),
    }
}

/// Hosts are compared without regard to case, also if the claim has upper-case letters.
fn equals_host(test: &HostTest, claim: Option<&Json>, authority: &Authority<'_>) -> Truth {
    if *authority == Authority::Ambiguous {
        return Truth::Undecided;
    }
    let names = |claim: &str, any_port| {
        let host = HostMatch::named_by(&Authority::of(claim.as_bytes()), any_port);
        host.map_or(Truth::No, |host| host.test(authority))
    };
    any(claim, |claim| match test {
        HostTest::Whole => names(claim, false),
        HostTest::AnyPort => names(claim, true),
        HostTest::Front(host) => {
            let front = host.front(authority).filter(|front| !front.is_empty());
            let is_front = front.is_some_and(|front| front.eq_ignore_ascii_case(claim.as_bytes()));
            Truth::from(is_front).and(|| host.test(authority))
        }
    })
}

/// Whether the text of the claim, or of one of its elements, passes `test`.
fn any(claim: Option<&Json>, test: impl Fn(&str) -> Truth) -> Truth {
    let test = |claim: &Json| text(claim).map_or(Truth::No, |text| test(&text));
    match claim {
        None => Truth::No,
        Some(Json::Array(elements)) => Truth::any(elements.iter().map(test)),
        Some(claim) => test(claim),
    }
}

/// Whether the text of the claim, or of one of its elements, equals `value`. An empty value equals nothing.
fn equals(claim: Option<&Json>, value: &[u8]) -> bool {
    !value.is_empty() && any_element(claim, |claim| text(claim).is_some_and(|text| text.as_bytes() == value))
}
