//! A test on a claim of the verified token.

use super::string::StringMatch;
use mesh_config::{Fields, Value};
use serde_json::Value as Json;
use std::borrow::Cow;

/// A claim and a test on it.
#[derive(Clone, Debug)]
pub struct ClaimMatch {
    path: Vec<String>,
    test: ClaimTest,
}

/// A [`StringMatch`] on the value of a claim.
///
/// - Text is tested as it is; a number or a boolean as JSON writes it (`42`, `true`).
/// - A list passes if one of its elements does; elements that are lists or objects do not.
/// - `contains` looks for a whole word in a text of words, as `scope` is (RFC 8693, section 4.2),
///   and for a whole element in a list: `admin` is not in `administrator`.
/// - `present` asks whether the claim is there, whatever it is. `null` counts as not there.
#[derive(Clone, Debug)]
pub struct ClaimTest {
    test: StringMatch,
    /// `test` is on a word of a text or an element of a list.
    words: bool,
}

/// The most names that lead to a claim.
const MAX_DEPTH: usize = 16;

impl ClaimMatch {
    /// Reads `{"claim": "realm_access.roles", "contains": "admin"}`. The claim is a text, with dots
    /// between the names that lead to it, or a list of those names if they have dots themselves.
    pub fn read(value: Value<'_>) -> Option<Self> {
        value.object(|fields| {
            let path = fields.required("claim", claim_path);
            let test = ClaimTest::read_fields(fields);
            Some(Self { path: path?, test: test? })
        })
    }

    /// Whether the claims, a JSON object, pass; `None` if there is no verified token.
    #[must_use]
    pub fn is_match(&self, claims: Option<&Json>) -> bool {
        self.test.is_match(claims.and_then(|claims| find(claims, &self.path)))
    }
}

impl ClaimTest {
    /// Reads the test from the fields of an object that may have others.
    pub fn read_fields(fields: &Fields<'_>) -> Option<Self> {
        let test = StringMatch::read_fields(fields)?;
        Some(match test.as_element() {
            Some(test) => Self { test, words: true },
            None => Self { test, words: false },
        })
    }

    /// Whether a claim's value passes; `None` if the claim is not there.
    #[must_use]
    pub fn is_match(&self, claim: Option<&Json>) -> bool {
        let claim = claim.filter(|claim| !claim.is_null());
        match (self.test.present(), claim) {
            (Some(present), claim) => present == claim.is_some(),
            (None, None) => false,
            (None, Some(Json::Array(elements))) => {
                elements.iter().any(|element| self.is_element_match(element))
            }
            // Two spaces in a row make an empty word, which `contains` never looks for.
            (None, Some(Json::String(text))) if self.words => {
                text.split(' ').any(|word| self.test.is_match(word.as_bytes()))
            }
            (None, Some(claim)) => self.is_element_match(claim),
        }
    }

    fn is_element_match(&self, element: &Json) -> bool {
        text(element).is_some_and(|text| self.test.is_match(text.as_bytes()))
    }
}

/// A claim, or an element of one, as text: a text as it is, a number or a boolean as JSON writes it.
///
/// `None` for what is no single value, and for a number that may stand for several: whole numbers beyond 64
/// bits are read as floats, and one user's would be another's.
#[must_use]
pub fn text(claim: &Json) -> Option<Cow<'_, str>> {
    match claim {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => {
            let float = number.as_f64().filter(|_| number.is_f64());
            let is_exact = float.is_none_or(|float| float.abs() < 2f64.powi(63));
            is_exact.then(|| Cow::Owned(number.to_string()))
        }
        Json::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The claim that these names lead to. `null` counts as not there.
#[must_use]
pub fn find<'a>(claims: &'a Json, path: &[String]) -> Option<&'a Json> {
    let claim = path.iter().try_fold(claims, |claim, name| claim.as_object()?.get(name));
    claim.filter(|claim| !claim.is_null())
}

/// Reads the names that lead to a claim, as [`ClaimMatch::read`] does.
pub fn claim_path(value: Value<'_>) -> Option<Vec<String>> {
    let path: Vec<String> = if value.is_text() {
        let text = value.non_empty_text()?;
        if text.contains("://") {
            return value.expected(format_args!("a list of names, as [{text:?}], since this one has dots"));
        }
        text.split('.').map(str::to_owned).collect()
    } else if value.is_list() {
        value.non_empty_list(|name| name.non_empty_text().map(str::to_owned))?
    } else {
        return value.expected("text or a list of texts");
    };
    if path.iter().any(String::is_empty) {
        return value.expected("names with a dot between them, as `realm_access.roles`");
    }
    if path.len() > MAX_DEPTH {
        return value.problem(format_args!("found {} names, expected at most {MAX_DEPTH}", path.len()));
    }
    Some(path)
}

#[cfg(test)]
mod tests;
