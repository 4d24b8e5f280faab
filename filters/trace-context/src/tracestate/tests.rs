//! Vectors of the test suite of W3C Trace Context, `test/test.py` in github w3c/trace-context, at level 2 and strict.

use super::check;
use crate::invalid::Invalid;
use mesh_policy::headers::Headers;

#[track_caller]
fn check_all(values: &[&str], expected: Result<(), Invalid>) {
    let headers = Headers::from_pairs(values.iter().map(|value| ("tracestate", value)));
    assert_eq!(check(&headers), expected, "{values:?}");
}

#[track_caller]
fn check_valid(value: &str) {
    check_all(&[value], Ok(()));
}

#[track_caller]
fn check_invalid(value: &str, expected: Invalid) {
    check_all(&[value], Err(expected));
}

/// `bar<from>=<from>` to `bar<to>=<to>`.
fn list(from: usize, to: usize) -> String {
    (from..=to).map(|number| format!("bar{number}={number}")).collect::<Vec<_>>().join(",")
}

#[test]
fn lists() {
    check_all(&[], Ok(()));
    check_valid("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    check_all(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], Ok(()));
}

#[test]
fn members_may_be_empty() {
    for value in ["", ",", "foo=1,", ",foo=1", "foo=1,,bar=2", "foo=1, \t ,bar=2"] {
        check_valid(value);
    }
    check_all(&["foo=1", ""], Ok(()));
    check_all(&["", "foo=1"], Ok(()));
}

#[test]
fn spaces_around_members_are_ignored() {
    for value in [
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
        " foo=1",
        "\tfoo=1",
        "foo=1 ",
        "foo=1\t",
        "\t foo=1 \t",
    ] {
        check_valid(value);
    }
}

#[test]
fn a_repeated_key_is_no_fault() {
    check_valid("foo=1,foo=1");
    check_valid("foo=1,foo=2");
    check_all(&["foo=1", "foo=2"], Ok(()));
}

#[test]
fn all_allowed_characters() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (0x20..=0x7eu8).filter(|byte| !matches!(byte, b',' | b'=')).map(char::from).collect();
    check_valid(&format!("{key}={value}"));
    check_valid(&format!("{key}@a-z0-9_-*/={value}"));
}

#[test]
fn keys() {
    for key in ["foo ", "FOO", "foo.bar", "@foo", "_foo", "-foo", "", "foo bar", "f\u{e9}", "foo\t"] {
        check_invalid(&format!("{key}=1,bar=2"), Invalid::Grammar);
    }
    for key in ["foo@", "foo@@bar", "foo@bar@baz", "0", "0foo"] {
        check_valid(&format!("{key}=1,bar=2"));
    }
}

#[test]
fn values() {
    for value in
        ["foo=bar=baz", "foo=,bar=3", "foo", "foo= ", "foo=a\tb", "foo=\u{e9}", "foo=a\u{7f}", "=", "foo=\ta"]
    {
        check_invalid(value, Invalid::Grammar);
    }
    check_valid("foo=  a b");
}

#[test]
fn keys_and_values_have_at_most_256_bytes() {
    check_all(&["foo=1", &format!("{}=1", "z".repeat(256))], Ok(()));
    check_all(&["foo=1", &format!("{}=1", "z".repeat(257))], Err(Invalid::Length));
    check_valid(&format!("{}@{}=1", "t".repeat(241), "v".repeat(14)));
    check_valid(&format!("{}@v=1", "t".repeat(242)));
    check_valid(&format!("t@{}=1", "v".repeat(15)));
    check_valid(&format!("foo={}", "v".repeat(256)));
    check_valid(&format!("foo={} \t", "v".repeat(256)));
    check_invalid(&format!("foo={}", "v".repeat(257)), Invalid::Length);
}

#[test]
fn at_most_32_members_in_all_headers() {
    let all = [list(1, 10), list(11, 20), list(21, 30)];
    let with = |last: &str, expected| check_all(&[&all[0], &all[1], &all[2], last], expected);
    with(&list(31, 32), Ok(()));
    with(&list(31, 33), Err(Invalid::Members));
    // An empty member is one, too.
    with("bar31=31,", Ok(()));
    with("bar31=31,,", Err(Invalid::Members));
    check_invalid(&",".repeat(1 << 20), Invalid::Members);
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_headers_are_judged(values in proptest::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let headers = Headers::from_pairs(values.iter().map(|value| ("tracestate", value)));
            let _ = check(&headers);
        }

        /// Where a list is cut into headers, and with spaces, does not matter.
        #[test]
        fn several_headers_are_one_list(
            members in proptest::collection::vec("[a-c@ =]{0,5}", 1..35),
            cuts in proptest::collection::vec(any::<bool>(), 35),
            space in "[ \t]{0,2}",
        ) {
            let mut values = vec![String::new()];
            for (index, (member, cut)) in members.iter().zip(&cuts).enumerate() {
                if index > 0 && *cut {
                    values.push(String::new());
                } else if index > 0 {
                    values.last_mut().unwrap().push(',');
                }
                values.last_mut().unwrap().push_str(&format!("{space}{member}{space}"));
            }
            let headers = |values: &[String]| Headers::from_pairs(values.iter().map(|value| ("tracestate", value)));
            prop_assert_eq!(check(&headers(&values)), check(&headers(&[members.join(",")])));
        }
    }
}
