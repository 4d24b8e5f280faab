use super::{ClaimMatch, ClaimTest};
use crate::testing::{read_field, test};
use mesh_config::kinds::object;

const CLAIMS: &str = r#"{
    "sub": "u1", "scope": "read write:all", "n": 42, "f": 1.5, "flag": true, "none": null,
    "realm_access": {"roles": ["admin", "a b", 7, ["deep"]]}, "https://x.example/r": ["r"], "empty": []
}"#;

fn claim_match(config: &str) -> Result<ClaimMatch, String> {
    read_field("c", config, ClaimMatch::kind())
}

#[track_caller]
fn check(claim: &str, test: &str, expected: bool) {
    let claims = serde_json::from_str(CLAIMS).unwrap();
    let config = format!(r#"{{"claim": {claim}, {test}}}"#);
    assert_eq!(claim_match(&config).unwrap().is_match(Some(&claims)), expected, "{config}");
}

#[test]
fn texts_numbers_and_booleans() {
    check(r#""sub""#, r#""equals": "u1""#, true);
    check(r#""sub""#, r#""prefix": "u""#, true);
    check(r#""n""#, r#""equals": "42""#, true);
    check(r#""f""#, r#""in": ["1.5"]"#, true);
    check(r#""flag""#, r#""equals": "true""#, true);
    check(r#""realm_access""#, r#""regex": ".*""#, false);
}

#[test]
fn lists_pass_by_one_element() {
    check(r#""realm_access.roles""#, r#""equals": "admin""#, true);
    check(r#""realm_access.roles""#, r#""equals": "7""#, true);
    check(r#""realm_access.roles""#, r#""equals": "deep""#, false);
    check(r#"["realm_access", "roles"]"#, r#""suffix": "min""#, true);
    check(r#"["https://x.example/r"]"#, r#""equals": "r""#, true);
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
    check(r#"{"claim": [], "present": true}"#, "c.claim: found an empty array, expected at least one item");
    check(
        r#"{"claim": "https://x.example/r", "present": true}"#,
        "c.claim: found `https://x.example/r`, expected an array of names, as [\"https://x.example/r\"], since this one has dots",
    );
    check(
        &format!(r#"{{"claim": "{}", "present": true}}"#, ["a"; 17].join(".")),
        "c.claim: found 17 names, expected at most 16",
    );
    check(r#"{"claim": "a", "exact": "b"}"#, "c.exact: unknown field, did you mean `equals`?");
    check(
        r#"{"claim": 7, "equals": []}"#,
        "c.claim: found 7, expected a string or an array of strings\nc.equals: found an array, expected a string, a number, true or false",
    );
}

/// Tests on a claim's value, without a path.
#[test]
fn a_test_without_a_path() {
    let check = |config: &str, claim: Option<&str>, expected: bool| {
        let test = mesh_config::read(config.as_bytes(), &object::<ClaimTest>()).unwrap();
        let value = claim.map(|claim| serde_json::from_str(claim).unwrap());
        assert_eq!(test.is_match(value.as_ref()), expected, "{config} on {claim:?}");
    };
    check(r#"{"contains": "a"}"#, Some(r#""b a""#), true);
    check(r#"{"contains": "a"}"#, Some(r#"  ["b", "a"]"#), true);
    check(r#"{"equals": "7"}"#, Some("7"), true);
    check(r#"{"equals": "7"}"#, None, false);
    check(r#"{"present": true}"#, Some("{}"), true);
    check(r#"{"present": true}"#, Some("null"), false);
    check(r#"{"present": false}"#, Some("null"), true);
    check(r#"{"regex": ".*"}"#, Some("null"), false);
}

#[test]
fn words_have_one_space_or_more_between_them() {
    let check = |scope: &str, word: &str, expected: bool| {
        let config = format!(r#"{{"contains": "{word}"}}"#);
        let test = mesh_config::read(config.as_bytes(), &object::<ClaimTest>()).unwrap();
        assert_eq!(test.is_match(Some(&scope.into())), expected, "{scope:?} {word:?}");
    };
    check("  read  write ", "read", true);
    check("  read  write ", "write", true);
    check("  read  write ", " ", false);
    check("read write", "read write", false);
    check("read\twrite", "read", false);
    check("", "read", false);
    let empty = mesh_config::read(br#"{"contains": ""}"#, &object::<ClaimTest>()).err().unwrap();
    assert_eq!(empty.to_string(), "contains: found ``, expected a string that is not empty");
}

#[test]
fn numbers_that_stand_for_several_are_no_text() {
    let text_of =
        |json: &str| super::text(&serde_json::from_str(json).unwrap()).map(std::borrow::Cow::into_owned);
    for (json, expected) in [
        ("42", Some("42")),
        ("1.5", Some("1.5")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("-9223372036854775808", Some("-9223372036854775808")),
        ("18446744073709551616", None),
        ("18446744073709551617", None),
        ("-9223372036854775809", None),
        ("1e300", None),
        ("true", Some("true")),
        ("null", None),
        ("[1]", None),
    ] {
        assert_eq!(text_of(json).as_deref(), expected, "{json}");
    }
}
