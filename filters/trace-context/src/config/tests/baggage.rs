//! What may pass in baggage.

use super::{check, good};

fn baggage(fields: &str) -> String {
    format!(r#"{{"baggage": {{{fields}}}}}"#)
}

#[test]
fn by_default_everything_passes_up_to_the_limits() {
    let config = good(&baggage("")).baggage.unwrap();
    assert!(config.allow.is_none() && config.set.is_empty());
    assert_eq!((config.max_members, config.max_bytes), (64, 8192));
}

#[test]
fn limits_have_bounds() {
    for (field, least, most) in [("max_members", 1, 180), ("max_bytes", 1, 65536)] {
        for number in [least, most] {
            good(&baggage(&format!(r#""{field}": {number}"#)));
        }
        for number in [least - 1, most + 1] {
            check(
                &baggage(&format!(r#""{field}": {number}"#)),
                &format!("baggage.{field}: found {number}, expected an integer from {least} to {most}"),
            );
        }
    }
}

#[test]
fn a_test_on_keys_is_a_string_test() {
    let config = good(&baggage(r#""allow": ["a", {"suffix": "-x"}, {"in": ["b"], "ignore_case": true}]"#));
    let allow = config.baggage.unwrap().allow.unwrap();
    let passes = |key: &str| allow.iter().any(|test| test.is_match(key.as_bytes()));
    assert_eq!(["a", "A", "my-x", "b", "B", "c"].map(passes), [true, false, true, true, true, false]);
    check(
        &baggage(r#""allow": [{"prefx": "a"}]"#),
        "baggage.allow[0].prefx: unknown field, did you mean `prefix`?",
    );
}

/// Nothing of the client passes.
#[test]
fn no_test_allows_no_key() {
    assert_eq!(good(&baggage(r#""allow": []"#)).baggage.unwrap().allow.map(|tests| tests.len()), Some(0));
}

#[test]
fn tests_are_256_at_most() {
    let tests = |number: usize| baggage(&format!(r#""allow": [{}]"#, vec![r#""a""#; number].join(", ")));
    assert_eq!(good(&tests(256)).baggage.unwrap().allow.unwrap().len(), 256);
    check(&tests(257), "baggage.allow: found 257 tests, expected at most 256");
}

#[test]
fn a_member_that_is_set_has_a_key_and_a_value() {
    check(&baggage(r#""set": [{}]"#), "baggage.set[0].key: missing\nbaggage.set[0].from: missing");
    for key in ["", "a b", "a=b", "é"] {
        check(
            &baggage(&format!(r#""set": [{{"key": "{key}", "from": "path"}}]"#)),
            &format!(
                "baggage.set[0].key: found `{key}`, expected a key: letters, digits and !#$%&'*+.^_`|~-"
            ),
        );
    }
    check(
        &baggage(r#""set": [{"key": "a", "from": {"headers": "x"}}]"#),
        "baggage.set[0].from.headers: unknown field, did you mean `header`?",
    );
}

#[test]
fn a_key_is_set_once() {
    check(
        &baggage(r#""set": [{"key": "a", "from": "path"}, {"key": "a", "from": "host"}]"#),
        "baggage.set[1].key: found `a`, expected a key that is not set yet",
    );
}

#[test]
fn members_that_are_set_are_16_at_most() {
    let set = |number: usize| {
        let members: Vec<_> =
            (0..number).map(|index| format!(r#"{{"key": "k{index}", "from": "path"}}"#)).collect();
        baggage(&format!(r#""set": [{}]"#, members.join(", ")))
    };
    assert_eq!(good(&set(16)).baggage.unwrap().set.len(), 16);
    check(&set(17), "baggage.set: found 17 members, expected at most 16");
}
