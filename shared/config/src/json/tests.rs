use super::{InvalidJson, parse};
use crate::testing::test;

#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    let found = parse(text.as_bytes()).map(|value| value.to_string()).map_err(|error| error.to_string());
    assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
}

const NAME_TWICE: Result<&str, &str> = Err("found a name twice in an object, expected once");

#[test]
fn documents() {
    check(
        r#" {"a": [1, -2, 1.5, 1e3, true, null, "\u00e9\n"], "b": {}} "#,
        Ok(r#"{"a":[1,-2,1.5,1000.0,true,null,"é\n"],"b":{}}"#),
    );
    check("7", Ok("7"));
    check("18446744073709551615", Ok("18446744073709551615"));
    check("-9223372036854775808", Ok("-9223372036854775808"));
    check("18446744073709551616", Ok("1.8446744073709552e+19"));
}

#[test]
fn a_name_twice_is_refused_at_any_depth() {
    check(r#"{"a": 1, "a": 1}"#, NAME_TWICE);
    check(r#"{"a": 1, "b": 2, "a": {}}"#, NAME_TWICE);
    check(r#"{"a": null, "a": null}"#, NAME_TWICE);
    check(r#"{"": 1, "": 1}"#, NAME_TWICE);
    check(r#"[[{"x": {"a": 1, "a": 2}}]]"#, NAME_TWICE);
    check(r#"{"a": 1, "\u0061": 2}"#, NAME_TWICE);
    check(r#"{"\ud83d\ude00": 1, "😀": 2}"#, NAME_TWICE);
}

#[test]
fn the_same_name_elsewhere_is_fine() {
    check(r#"{"a":{"a":{"a":1}}}"#, Ok(r#"{"a":{"a":{"a":1}}}"#));
    check(r#"[{"a":1},{"a":1}]"#, Ok(r#"[{"a":1},{"a":1}]"#));
    check(r#"{"A":1,"a":1}"#, Ok(r#"{"A":1,"a":1}"#));
    // One is a letter, the other a letter and an accent: JSON compares code points.
    check(r#"{"e\u0301":1,"\u00e9":1}"#, Ok("{\"e\u{301}\":1,\"\u{e9}\":1}"));
}

#[test]
fn what_is_not_json() {
    check("", Err("not valid JSON at line 1, column 0"));
    check("{\n\"secret\": secret}", Err("not valid JSON at line 2, column 11"));
    check(r#"{"a": 1} {}"#, Err("not valid JSON at line 1, column 10"));
    check(r#"{"a": 1,}"#, Err("not valid JSON at line 1, column 9"));
    check(r#"{"a": "\ud800"}"#, Err("not valid JSON at line 1, column 14"));
    check("1e999", Err("not valid JSON at line 1, column 5"));
    check("NaN", Err("not valid JSON at line 1, column 1"));
    assert_eq!(parse(b"\"\xff\""), Err(InvalidJson::Malformed { line: 1, column: 2 }));
    assert_eq!(parse(b"\xef\xbb\xbf{}"), Err(InvalidJson::Malformed { line: 1, column: 1 }));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(127).as_bytes()).is_ok());
    check(&nested(128), Err("not valid JSON at line 1, column 128"));
    check(&nested(100_000), Err("not valid JSON at line 1, column 128"));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::super::{InvalidJson, parse};
    use proptest::prelude::*;
    use serde_json::Value;

    /// Of few names, so that one comes up twice where it can.
    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"é]{0,2}", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    /// Text that often is JSON, or almost.
    fn text() -> impl Strategy<Value = String> {
        let pieces = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u0061\"", "{\"a\":", "1", "-", "null", " "];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn without_a_name_twice_it_is_what_serde_json_reads(document in document()) {
            let text = document.to_string();
            prop_assert_eq!(parse(text.as_bytes()), Ok(serde_json::from_str(&text).unwrap()));
        }

        #[test]
        fn a_name_twice_is_found_wherever_it_is(document in document(), name: String, depth in 0_usize..5) {
            let name = Value::from(name);
            let twice = format!("{{{name}: {document}, {name}: 1}}");
            let text = format!("{}{twice}{}", "[{\"x\":".repeat(depth), "}]".repeat(depth));
            prop_assert_eq!(parse(text.as_bytes()), Err(InvalidJson::NameTwice));
        }

        #[test]
        fn it_takes_nothing_that_serde_json_does_not(text in text()) {
            match (parse(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (Err(InvalidJson::NameTwice), Ok(_)) | (Err(InvalidJson::Malformed { .. }), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{text}: {ours:?} {theirs:?}"),
            }
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
