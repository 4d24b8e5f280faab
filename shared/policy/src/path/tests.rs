use super::{Query, decode_segment, has_escaped_slash, is_ambiguous, normalize, without_query};
use crate::testing::test;
use std::borrow::Cow;

#[track_caller]
fn check(target: &[u8], expected: &str) {
    let path = normalize(target);
    assert_eq!(path, expected.as_bytes(), "{} {}", target.escape_ascii(), path.escape_ascii());
}

#[test]
fn a_normal_path_is_borrowed() {
    for path in ["/", "/a", "/a/", "/a/.b/..c/d.", "/a%2Fb%25", "/a:@!$&'()*+,;=-._~"] {
        check(path.as_bytes(), path);
        assert!(matches!(normalize(path.as_bytes()), Cow::Borrowed(_)), "{path}");
    }
    assert!(matches!(normalize(b"/a?b=c"), Cow::Borrowed(b"/a")));
}

#[test]
fn query_and_fragment_are_cut_off() {
    check(b"/a?b", "/a");
    check(b"/a#b?c", "/a");
    check(b"/a?/../b", "/a");
    check(b"?a", "/");
}

#[test]
fn a_path_begins_with_a_slash() {
    check(b"", "/");
    check(b"*", "/*");
    check(b"a/b", "/a/b");
    check(b"../a", "/a");
}

#[test]
fn dot_segments_are_resolved() {
    check(b"/a/./b", "/a/b");
    check(b"/a/../b", "/b");
    check(b"/a/b/../../c/", "/c/");
    check(b"/../../a", "/a");
    check(b"/a/..", "/");
    check(b"/a/b/..", "/a/");
    check(b"/a/.", "/a/");
    check(b"/..", "/");
    check(b"/.", "/");
    check(b"/a/...", "/a/...");
}

#[test]
fn slashes_are_merged_after_that() {
    check(b"//a///b//", "/a/b/");
    check(b"/a//../b", "/a/b");
    check(b"//", "/");
    check(b"/..//../a", "/a");
}

#[test]
fn disguised_dots_and_slashes_are_seen_through() {
    check(b"/a/%2e%2E/b", "/b");
    check(b"/a/.%2e/b", "/b");
    check(b"/a\\..\\b", "/b");
    check(b"\\\\a", "/a");
    check(b"/a/%252e%252e/b", "/a/%252e%252e/b");
    check(b"/a/%%32e%%32e/b", "/a/%252e%252e/b");
    check(b"/%61%64min", "/admin");
    check(b"/keys%3arotate%2C%40", "/keys:rotate,@");
    check(b"/a%3bb;c", "/a%3Bb;c");
}

#[test]
fn what_may_not_stand_is_escaped() {
    check(b"/a%2fb", "/a%2Fb");
    check(b"/a%5cb", "/a%5Cb");
    check(b"/%", "/%25");
    check(b"/%4", "/%254");
    check(b"/%zz", "/%25zz");
    check(b"/a b\xff\"", "/a%20b%FF%22");
    check(b"/\xc3\xa9", "/%C3%A9");
    check(b"/%c3%a9", "/%C3%A9");
}

#[test]
fn escaped_slashes() {
    for (target, expected) in [
        ("/a%2fb", true),
        ("/a%5C", true),
        ("/a?%2f", false),
        ("/a%252f", false),
        ("/a%2", false),
        ("/a\\b", false),
        ("", false),
    ] {
        assert_eq!(has_escaped_slash(target.as_bytes()), expected, "{target}");
    }
}

#[test]
fn paths_that_lead_to_different_places() {
    let check = |ambiguous: bool, targets: &[&str]| {
        for target in targets {
            assert_eq!(is_ambiguous(target.as_bytes()), ambiguous, "{target}");
        }
    };
    check(
        false,
        &["", "/", "/a//b", "/a;x=1/b", "/a\\b", "/a/...//b", "/a?//../b", "/a%2Fb", "/a/%252e%252e/b"],
    );
    check(false, &["/a/..b", "/.well-known/x", "/a/b.", "/a/;..", "/a#/../b"]);
    // A leading authority.
    check(true, &["//", "//a/b", "/\\a/b", "\\/a"]);
    // Dot segments in every spelling, between slashes of any kind.
    check(true, &["/a/../b", "/a/./b", "/a/..", "/.", "../a", "/a/%2e%2E/b", "/a/.%2e", "/%2E/b"]);
    check(
        true,
        &["/a\\..\\b", "/a/..\\b", "/a/..%2fb", "/a/%2f/../b", "/a/..%5Cb", "/a%5c..%5cb", "/a//../b"],
    );
    // Dot segments before a parameter.
    check(true, &["/a/..;/b", "/a/.%2e;x=1/b", "/a/..%3b/b", "/.;", "/a/.;x/b", "/a/;/../b", "/a;x/../b"]);
}

#[track_caller]
fn check_query(target: &[u8], expected: &[&[u8]]) {
    assert_eq!(Query::of(target).values("a b").collect::<Vec<_>>(), expected, "{}", target.escape_ascii());
}

#[test]
fn query_values_are_decoded() {
    check_query(b"/", &[]);
    check_query(b"/?", &[]);
    check_query(b"/?a+b=1&x=2&a%20b=3", &[b"1", b"3"]);
    check_query(b"/?a%20b", &[b""]);
    check_query(b"/?a+b=", &[b""]);
    check_query(b"/?a+b=x=y?z", &[b"x=y?z"]);
    check_query(b"/?a+b=%ff%zz%4+%2B", &[b"\xff%zz%4 +"]);
    check_query(b"/?a+b=1#&a+b=2", &[b"1"]);
    check_query(b"/#?a+b=1", &[]);
    check_query(b"/?&&=1&a+b", &[b""]);
}

#[test]
fn segments_are_decoded_once() {
    let check = |segment: &[u8], expected: &[u8]| {
        assert_eq!(*decode_segment(segment), *expected, "{}", segment.escape_ascii());
    };
    check(b"", b"");
    check(b"a+b", b"a+b");
    check(b"a%20b%2fc", b"a b/c");
    check(b"%2541", b"%41");
    check(b"%C3%A9%ff%00", b"\xc3\xa9\xff\0");
    check(b"%", b"%");
    check(b"%4", b"%4");
    check(b"%zz%%41", b"%zz%A");
}

#[track_caller]
fn check_without(target: &[u8], expected: Option<&str>) {
    let found = without_query(target, &["a b", "token"]);
    let found = found.map(|found| String::from_utf8(found).unwrap());
    assert_eq!(found.as_deref(), expected, "{}", target.escape_ascii());
}

#[test]
fn parameters_are_taken_away() {
    check_without(b"/p?token=1", Some("/p"));
    check_without(b"/p?token", Some("/p"));
    check_without(b"/p?token=1&x=%41+%zz", Some("/p?x=%41+%zz"));
    check_without(b"/p?x=1&token=1&y=?", Some("/p?x=1&y=?"));
    check_without(b"/p?x=1&token=1&token=2&a+b=3&a%20b", Some("/p?x=1"));
    check_without(b"/p?t%6Fken=1&x", Some("/p?x"));
    check_without(b"/p?&token=1&&x=2&", Some("/p?&&x=2&"));
    check_without(b"/p?token=1&", Some("/p"));
    check_without(b"/%70/../p//?token=1#token=2?token", Some("/%70/../p//#token=2?token"));
    check_without(b"?token", Some(""));
}

#[test]
fn what_is_not_a_parameter_of_the_name_stays() {
    for target in
        ["", "/", "/?", "/?&&", "/token", "/?x=token", "/?Token=1", "/?x=1;token=2", "/#?token", "/??token"]
    {
        check_without(target.as_bytes(), None);
    }
    assert_eq!(without_query(b"/?token=1", &[]), None);
    assert_eq!(without_query(b"/?&=1&x", &[""]), Some(b"/?&x".to_vec()));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::super::{
        EscapedSlashes, Query, Readings, decode_segment, is_ambiguous, normalize, without_query,
    };
    use crate::truth::Truth;
    use proptest::prelude::*;
    use std::borrow::Cow;

    /// Bytes with a meaning in paths are frequent.
    fn target() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![&b"/"[..], b".", b"..", b"%2e", b"%2F", b"%", b"25", b"\\", b";", b"a", b"?"])
                .prop_map(<[u8]>::to_vec),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn normal_is_normal(target in target()) {
            let once = normalize(&target).into_owned();
            prop_assert!(matches!(normalize(&once), Cow::Borrowed(twice) if twice == once));
        }

        #[test]
        fn nothing_hides_in_a_normal_path(target in target()) {
            let path = normalize(&target).into_owned();
            let text = String::from_utf8(path).unwrap();
            prop_assert!(text.starts_with('/'));
            for hidden in ["//", "\\", "?", "#", "%2e", "%2E"] {
                prop_assert!(!text.contains(hidden), "{text}");
            }
            prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."), "{text}");
        }

        #[test]
        fn borrowed_means_unchanged(target in target()) {
            let path = target.split(|byte| b"?#".contains(byte)).next().unwrap();
            let normal = normalize(&target);
            prop_assert_eq!(matches!(normal, Cow::Borrowed(_)), *normal == *path);
        }

        /// If a path is not ambiguous, its readings differ only in repeated slashes and parameters; no segment becomes
        /// another one.
        #[test]
        fn no_reading_leaves_the_place_of_a_path_that_is_not_ambiguous(target in target()) {
            if is_ambiguous(&target) {
                return Ok(());
            }
            let readings = Readings::of(&target, EscapedSlashes::Character, None);
            let has_dots = |path: &[u8]| path.split(|byte| *byte == b'/').any(|name| matches!(name, b"." | b".."));
            prop_assert!(target.is_empty() || readings.test(has_dots) == Truth::No);
        }

        #[test]
        fn arbitrary_queries_do_not_panic(target: Vec<u8>, name: String) {
            let _ = Query::of(&target).values(&name).count();
        }

        #[test]
        fn what_was_escaped_is_decoded(segment: Vec<u8>) {
            let escaped: String = segment.iter().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(&*decode_segment(escaped.as_bytes()), &segment);
        }

        /// Few distinct names in several spellings, so that parameters to remove are frequent.
        #[test]
        fn what_is_taken_away_is_not_found(
            target in "/[a?]{0,2}(\\?((a|b|c|%61|%62|\\+|%|)(=(1|%61|\\+|=|\\?)?)?&?){0,6})?(#[a&=?]{0,3})?",
            names in prop::sample::subsequence(vec!["a", "b", " ", ""], 0..4),
        ) {
            let target = target.as_bytes();
            let all = |target: &[u8], name: &str| Query::of(target).values(name).map(<[u8]>::to_vec).collect::<Vec<_>>();
            let without = without_query(target, &names);
            prop_assert_eq!(without.is_some(), names.iter().any(|name| !all(target, name).is_empty()));
            let without = without.unwrap_or_else(|| target.to_vec());
            for name in ["a", "b", "c", " ", "%", ""] {
                let expected = if names.contains(&name) { Vec::new() } else { all(target, name) };
                prop_assert_eq!(all(&without, name), expected, "{} {:?}", without.escape_ascii(), name);
            }
            // The other parameters keep their order and bytes.
            let mut rest = target.iter();
            prop_assert!(without.iter().all(|byte| rest.any(|found| found == byte)));
            prop_assert_eq!(normalize(&without), normalize(target));
            prop_assert_eq!(without_query(&without, &names), None);
        }

        #[test]
        fn arbitrary_targets_do_not_panic(target: Vec<u8>, name: String) {
            let _ = without_query(&target, &[&name, ""]);
        }
    }
}
