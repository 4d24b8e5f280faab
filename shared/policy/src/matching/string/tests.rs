use super::StringMatch;
use crate::testing::{read_field, test};

fn string_match(config: &str) -> Result<StringMatch, String> {
    read_field("t", config, StringMatch::kind())
}

#[track_caller]
fn check(config: &str, matches: &[&[u8]], fails: &[&[u8]]) {
    let test = string_match(config).unwrap();
    for (values, expected) in [(matches, true), (fails, false)] {
        for value in values {
            assert_eq!(test.is_match(value), expected, "{config} on {}", value.escape_ascii());
        }
    }
}

#[track_caller]
fn check_any(config: &str, values: &[&[u8]], expected: bool) {
    assert_eq!(string_match(config).unwrap().is_match_any(values.iter()), expected, "{config} on {values:?}");
}

#[track_caller]
fn check_problem(config: &str, expected: &str) {
    assert_eq!(string_match(config).err().unwrap_or_default(), expected);
}

#[test]
fn each_test() {
    check(r#"{"exact": "ab"}"#, &[b"ab"], &[b"", b"a", b"abc", b"AB"]);
    check(r#""ab""#, &[b"ab"], &[b"AB"]);
    check(r#"{"exact": ""}"#, &[b""], &[b"a"]);
    check(r#"{"prefix": "ab"}"#, &[b"ab", b"abc"], &[b"", b"a", b"xab"]);
    check(r#"{"suffix": "ab"}"#, &[b"ab", b"xab"], &[b"", b"b", b"abx"]);
    check(r#"{"contains": "ab"}"#, &[b"ab", b"xaby"], &[b"", b"axb"]);
    check(r#"{"regex": "a+|b"}"#, &[b"aa", b"b"], &[b"", b"ab"]);
    check(r#"{"in": ["a", "b", ""]}"#, &[b"a", b"b", b""], &[b"ab", b"c"]);
    check(r#"{"present": true}"#, &[b"", b"a"], &[]);
    check(r#"{"present": false}"#, &[], &[b"", b"a"]);
}

#[test]
fn case_is_ascii_case() {
    check(r#"{"exact": "aB", "ignore_case": true}"#, &[b"ab", b"AB"], &[b"abc"]);
    check(r#"{"prefix": "aB", "ignoreCase": true}"#, &[b"ABc"], &[b"xab"]);
    check(r#"{"suffix": "aB", "ignore_case": true}"#, &[b"xAb"], &[b"abx"]);
    check(r#"{"contains": "aB", "ignore_case": true}"#, &[b"xAbx"], &[b"a b"]);
    check(r#"{"regex": "[a-c]b", "ignore_case": true}"#, &[b"BB"], &[b"d"]);
    check(r#"{"in": ["aB"], "ignore_case": true}"#, &[b"Ab"], &[b"a"]);
    check(r#"{"exact": "é", "ignore_case": true}"#, &["é".as_bytes()], &["É".as_bytes()]);
}

#[test]
fn any_byte_can_stand_in_a_value() {
    check(r#"{"contains": "a"}"#, &[b"\xffa\x80"], &[b"\xff\xfe"]);
    check(r#"{"regex": ".*"}"#, &[b"\xff\x80"], &[]);
}

#[test]
fn one_of_several_values_is_enough() {
    check_any(r#""a""#, &[b"x", b"a"], true);
    check_any(r#""a""#, &[b"x"], false);
    check_any(r#""a""#, &[], false);
    check_any(r#"{"exact": ""}"#, &[], false);
    check_any(r#"{"regex": ".*"}"#, &[], false);
    check_any(r#"{"present": true}"#, &[b""], true);
    check_any(r#"{"present": true}"#, &[], false);
    check_any(r#"{"present": false}"#, &[b""], false);
    check_any(r#"{"present": false}"#, &[], true);
}

#[test]
fn there_is_exactly_one_test() {
    let all = "`exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`";
    check_problem("{}", &format!("t: found none, expected one of {all}"));
    check_problem(
        r#"{"exact": null}"#,
        "t.exact: found null, expected a value; leave the field out for no restriction",
    );
    check_problem(
        r#"{"prefix": "a", "exact": "b"}"#,
        "t: found `exact`, `prefix`, expected one of them only",
    );
    // A misspelt test is reported once.
    check_problem(r#"{"prefx": "a"}"#, "t.prefx: unknown field, did you mean `prefix`?");
    check_problem("7", "t: found 7, expected a string or an object");
}

#[test]
fn likely_mistakes_are_refused() {
    check_problem(r#"{"prefix": ""}"#, "t.prefix: found ``, expected a string that is not empty");
    check_problem(r#"{"suffix": ""}"#, "t.suffix: found ``, expected a string that is not empty");
    check_problem(r#"{"contains": ""}"#, "t.contains: found ``, expected a string that is not empty");
    check_problem(r#"{"regex": ""}"#, "t.regex: found ``, expected a string that is not empty");
    check_problem(r#"{"in": []}"#, "t.in: found an empty array, expected at least one item");
    check_problem(r#"{"in": ["a", 1]}"#, "t.in[1]: found 1, expected a string");
    check_problem(r#"{"regex": "a("}"#, "t.regex: found `a(`, expected a regular expression: unclosed group");
    check_problem(
        r#"{"present": true, "ignore_case": true}"#,
        "t.ignore_case: found true, expected nothing: `present` has no case",
    );
    check_problem(r#"{"exact": "a", "ignore_case": 1}"#, "t.ignore_case: found 1, expected true or false");
    check_problem(
        &format!(r#"{{"exact": "{}"}}"#, "a".repeat(4097)),
        "t.exact: found 4097 bytes, expected at most 4096",
    );
    let texts = vec![r#""a""#; 1001].join(",");
    check_problem(&format!(r#"{{"in": [{texts}]}}"#), "t.in: found 1001 strings, expected at most 1000");
}
