//! A test on a claim of the verified token.

use super::string::StringMatch;
use crate::config::Value;
use serde_json::Value as Json;

/// A claim and a [`StringMatch`] on it.
///
/// - Text is tested as it is; a number or a boolean as JSON writes it (`42`, `true`).
/// - A list passes if one of its elements does; elements that are lists or objects do not.
/// - `contains` looks for a whole word in a text of words, as `scope` is (RFC 8693, section 4.2),
///   and for a whole element in a list: `admin` is not in `administrator`.
/// - `present` asks whether the claim is there, whatever it is. `null` counts as not there.
#[derive(Clone, Debug)]
pub struct ClaimMatch {
    path: Vec<String>,
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
            let test = StringMatch::read_fields(fields);
            Some(Self::new(path?, test?))
        })
    }

    fn new(path: Vec<String>, test: StringMatch) -> Self {
        match test.as_element() {
            Some(test) => Self { path, test, words: true },
            None => Self { path, test, words: false },
        }
    }

    /// Whether the claims, a JSON object, pass; `None` if there is no verified token.
    #[must_use]
    pub fn is_match(&self, claims: Option<&Json>) -> bool {
        let claim = claims.and_then(|claims| find(claims, &self.path));
        match (self.test.present(), claim) {
            (Some(present), claim) => present == claim.is_some(),
            (None, None) => false,
            (None, Some(Json::Array(elements))) => {
                elements.iter().any(|element| self.is_element_match(element))
            }
            (None, Some(Json::String(text))) if self.words => {
                text.split(' ').any(|word| self.test.is_match(word.as_bytes()))
            }
            (None, Some(claim)) => self.is_element_match(claim),
        }
    }

    fn is_element_match(&self, element: &Json) -> bool {
        match element {
            Json::String(text) => self.test.is_match(text.as_bytes()),
            Json::Number(number) => self.test.is_match(number.to_string().as_bytes()),
            Json::Bool(flag) => self.test.is_match(if *flag { b"true" } else { b"false" }),
            Json::Null | Json::Array(_) | Json::Object(_) => false,
        }
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
mod tests {
    use super::ClaimMatch;
    use crate::config::read;
    use crate::testing::test;

    const CLAIMS: &str = r#"{
        "sub": "u1", "scope": "read write:all", "n": 42, "f": 1.5, "flag": true, "none": null,
        "realm_access": {"roles": ["admin", "a b", 7, ["deep"]]}, "https://x.example/r": ["r"], "empty": []
    }"#;

    fn claim_match(config: &str) -> Result<ClaimMatch, String> {
        let config = format!(r#"{{"c": {config}}}"#);
        read(config.as_bytes(), |fields| fields.required("c", ClaimMatch::read))
            .map_err(|problems| problems.to_string())
    }

    #[track_caller]
    fn check(claim: &str, test: &str, expected: bool) {
        let claims = serde_json::from_str(CLAIMS).unwrap();
        let config = format!(r#"{{"claim": {claim}, {test}}}"#);
        assert_eq!(claim_match(&config).unwrap().is_match(Some(&claims)), expected, "{config}");
    }

    #[test]
    fn texts_numbers_and_booleans() {
        check(r#""sub""#, r#""exact": "u1""#, true);
        check(r#""sub""#, r#""prefix": "u""#, true);
        check(r#""n""#, r#""exact": "42""#, true);
        check(r#""f""#, r#""in": ["1.5"]"#, true);
        check(r#""flag""#, r#""exact": "true""#, true);
        check(r#""realm_access""#, r#""regex": ".*""#, false);
    }

    #[test]
    fn lists_pass_by_one_element() {
        check(r#""realm_access.roles""#, r#""exact": "admin""#, true);
        check(r#""realm_access.roles""#, r#""exact": "7""#, true);
        check(r#""realm_access.roles""#, r#""exact": "deep""#, false);
        check(r#"["realm_access", "roles"]"#, r#""suffix": "min""#, true);
        check(r#"["https://x.example/r"]"#, r#""exact": "r""#, true);
        check(r#""empty""#, r#""regex": ".*""#, false);
    }

    #[test]
    fn contains_is_a_word_or_an_element() {
        check(r#""scope""#, r#""contains": "read""#, true);
        check(r#""scope""#, r#""contains": "write:all""#, true);
        check(r#""scope""#, r#""contains": "write""#, false);
        check(r#""scope""#, r#""contains": "READ""#, false);
        check(r#""scope""#, r#""contains": "READ", "ignore_case": true"#, true);
        check(r#""realm_access.roles""#, r#""contains": "admin""#, true);
        check(r#""realm_access.roles""#, r#""contains": "adm""#, false);
        check(r#""realm_access.roles""#, r#""contains": "a b""#, true);
        check(r#""realm_access.roles""#, r#""contains": "b""#, false);
        check(r#""n""#, r#""contains": "42""#, true);
        check(r#""n""#, r#""contains": "4""#, false);
    }

    #[test]
    fn what_is_not_there_is_only_absent() {
        for missing in [r#""x""#, r#""none""#, r#""sub.x""#, r#""realm_access.roles.0""#] {
            check(missing, r#""present": true"#, false);
            check(missing, r#""present": false"#, true);
            check(missing, r#""regex": ".*""#, false);
        }
        for there in [r#""sub""#, r#""empty""#, r#""realm_access""#] {
            check(there, r#""present": true"#, true);
            check(there, r#""present": false"#, false);
        }
        assert!(claim_match(r#"{"claim": "x", "present": false}"#).unwrap().is_match(None));
        assert!(!claim_match(r#"{"claim": "x", "contains": "a"}"#).unwrap().is_match(None));
    }

    #[test]
    fn problems() {
        let check = |config: &str, expected: &str| {
            assert_eq!(claim_match(config).err().unwrap_or_default(), expected, "{config}");
        };
        let dots = "expected names with a dot between them, as `realm_access.roles`";
        check(r#"{"present": true}"#, "c.claim: missing");
        check(r#"{"claim": "a..b", "present": true}"#, &format!("c.claim: found `a..b`, {dots}"));
        check(
            r#"{"claim": [], "present": true}"#,
            "c.claim: found an empty list, expected at least one item",
        );
        check(
            r#"{"claim": "https://x.example/r", "present": true}"#,
            "c.claim: found `https://x.example/r`, expected a list of names, as [\"https://x.example/r\"], since this one has dots",
        );
        check(
            &format!(r#"{{"claim": "{}", "present": true}}"#, ["a"; 17].join(".")),
            "c.claim: found 17 names, expected at most 16",
        );
        check(
            r#"{"claim": 7, "exact": 8}"#,
            "c.claim: found 7, expected text or a list of texts\nc.exact: found 8, expected text",
        );
    }
}
