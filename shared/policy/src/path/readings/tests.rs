use super::{EscapedSlashes, Expansions, Kind, MAX_BYTES, Readings, folded};
use crate::testing::test;
use crate::truth::Truth::{No, Undecided, Yes};

fn readings_of(target: &str, escaped_slashes: EscapedSlashes) -> Vec<String> {
    let text = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
    let mut readings = match Readings::of(target.as_bytes(), escaped_slashes, None).0 {
        Kind::Unknown => Vec::new(),
        Kind::One(path) => vec![text(&path)],
        Kind::Several(paths) => paths.iter().map(|path| text(path)).collect(),
    };
    readings.sort_unstable();
    readings
}

#[track_caller]
fn check(target: &str, expected: &[&str]) {
    let mut expected: Vec<_> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(readings_of(target, EscapedSlashes::Either), expected, "{target}");
}

#[track_caller]
fn check_as_characters(target: &str, expected: &[&str]) {
    assert_eq!(readings_of(target, EscapedSlashes::Character), expected, "{target}");
}

#[test]
fn most_paths_have_one_reading() {
    check("/", &["/"]);
    check("/a/b.c?d=/../e", &["/a/b.c"]);
    check("/%61%2c%c3%a9 b", &["/a,%C3%A9%20b"]);
    check("/.well-known/..a", &["/.well-known/..a"]);
    check("a/b", &["/a/b"]);
    check("*", &["/*"]);
    check("?a", &["/"]);
}

#[test]
fn each_thing_is_taken_or_left() {
    check("/a%2Fb", &["/a%2Fb", "/a/b"]);
    check("/a\\b", &["/a%5Cb", "/a/b"]);
    check("/a%5cb", &["/a%5Cb", "/a/b"]);
    check("/a;v=1/b", &["/a/b", "/a;v=1/b"]);
    check("/a%3bv/b", &["/a%3Bv/b", "/a/b"]);
    check("/a//b", &["/a/b", "/a//b"]);
    check("/a/./b", &["/a/./b", "/a/b"]);
    check("/a/%2e%2e/b", &["/a/../b", "/b"]);
    check("/a/..", &["/", "/a/.."]);
    check("//a/b", &["//a/b", "/a/b", "/b"]);
    check("//a", &["/", "//a", "/a"]);
    check("../a", &["/../a", "/a"]);
}

#[test]
fn they_are_taken_together_and_in_either_order() {
    // Slashes are merged before or after dot segments are resolved.
    check("/a//../b", &["/a/../b", "/a//../b", "/a/b", "/b"]);
    check("/a/..%2fb", &["/a/..%2Fb", "/a/../b", "/b"]);
    check("/a/..;x/b", &["/a/../b", "/a/..;x/b", "/b"]);
    check("/%2Fa/b", &["/%2Fa/b", "//a/b", "/a/b", "/b"]);
    // Parameters are removed before or after escaped slashes are decoded.
    check("/a%2Fb;x%2Fc/d", &["/a%2Fb/d", "/a%2Fb;x%2Fc/d", "/a/b/c/d", "/a/b/d", "/a/b;x/c/d"]);
    // Some upstreams read `%5C` as a slash, but not `%2F`.
    check("/a%2Fb%5Cc", &["/a%2Fb%5Cc", "/a%2Fb/c", "/a/b%5Cc", "/a/b/c"]);
    // Resolving dot segments leaves two leading slashes.
    check("/x/..//a/b", &["//a/b", "/a/b", "/b", "/x/..//a/b", "/x/../a/b"]);
}

#[test]
fn an_escaped_slash_can_be_a_character() {
    check_as_characters("/a%2Fb", &["/a%2Fb"]);
    check_as_characters("/a%5Cb", &["/a%5Cb"]);
    check_as_characters("/a\\b%2Fc", &["/a%5Cb%2Fc", "/a/b%2Fc"]);
}

#[test]
fn tests_are_decided_where_the_readings_agree() {
    let check = |target: &str, prefix: &str, expected| {
        let readings = Readings::of(target.as_bytes(), EscapedSlashes::Either, None);
        assert_eq!(readings.test(|path| path.starts_with(prefix.as_bytes())), expected, "{target} {prefix}");
    };
    check("/api/x", "/api/", Yes);
    check("/projects/a%2Fb", "/api/", No);
    check("/api%2fx", "/api/", Undecided);
    check("/a/..%2fapi/y", "/api/", Undecided);
    check("/api//x", "/api/", Yes);
    check("/public/../admin/x", "/public/", Undecided);
    // A CONNECT request has no path.
    check("", "/", Undecided);
}

/// Several targets in turn, each read in both ways, and each twice.
#[test]
fn what_another_config_has_found_is_found() {
    let known = Expansions::default();
    let long = format!("/{}//", "a".repeat(MAX_BYTES / 2));
    for target in ["/a%2Fb;c/..", "/a", "/a%2fb//", &long, "", "/a%2Fb;c/.."] {
        for escaped_slashes in [EscapedSlashes::Either, EscapedSlashes::Character].repeat(2) {
            let read = |known| format!("{:?}", Readings::of(target.as_bytes(), escaped_slashes, known));
            assert_eq!(read(Some(&known)), read(None), "{target} {escaped_slashes:?}");
        }
        assert!(known.0.borrow().len() <= 2);
    }
}

#[test]
fn more_bytes_than_a_test_may_cost_are_not_read() {
    let long = |length: usize| format!("/{}//", "a".repeat(length));
    let test = |target: &str| Readings::of(target.as_bytes(), EscapedSlashes::Either, None).test(|_| true);
    assert_eq!(test(&format!("/{}", "a".repeat(MAX_BYTES))), Yes);
    assert_eq!(test(&long(MAX_BYTES / 2 - 16)), Yes);
    assert_eq!(test(&long(MAX_BYTES / 2)), Undecided);
    let worst = "/;%2F%5C\\..".repeat(6000);
    assert_eq!(test(&worst), Undecided);
}

#[test]
fn one_reading_takes_all() {
    let check = |target: &str, expected: Option<&str>| {
        let folded = folded(target.as_bytes()).map(|path| String::from_utf8(path.into_owned()).unwrap());
        assert_eq!(folded.as_deref(), expected, "{target}");
    };
    check("/a/b?c", Some("/a/b"));
    check("/%61/b", Some("/a/b"));
    check("/a/..%2fb", Some("/b"));
    check("/x\\..\\a;v/b%3Bw", Some("/a/b"));
    check("//evil/a//b", Some("/a/b"));
    check("/a%2Fb%5Cc", Some("/a/b/c"));
    check("/q;x%2Fw/..%2Fapi/x", Some("/api/x"));
    check("/q;\\w/..\\api/x", Some("/api/x"));
    check("/.//r1/api/x", Some("/api/x"));
    check("/%2e%2e//r3/api/x", Some("/api/x"));
    check("//a//b/api/x", Some("/api/x"));
    check("/x//../api/x", Some("/api/x"));
    check("//", Some("/"));
    check("/..", Some("/"));
    check("a", Some("/a"));
    check("", None);
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::{EscapedSlashes, Kind, MAX_BYTES, Readings, folded};
    use crate::path::normalize;
    use proptest::prelude::*;

    /// Bytes with a meaning in paths are frequent.
    fn target() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => prop::sample::select(vec![
                &b"/"[..], b".", b"..", b"%2e", b"%2F", b"%5C", b"\\", b";", b"%3b", b"a", b"b", b"?",
            ]).prop_map(<[u8]>::to_vec),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(piece, 1..16).prop_map(|pieces| pieces.concat())
    }

    fn all(target: &[u8], escaped_slashes: EscapedSlashes) -> Vec<Vec<u8>> {
        match Readings::of(target, escaped_slashes, None).0 {
            Kind::Unknown => Vec::new(),
            Kind::One(path) => vec![path.into_owned()],
            Kind::Several(paths) => paths.to_vec(),
        }
    }

    proptest! {
        /// Envoy's reading is among them.
        #[test]
        fn the_usual_reading_is_among_them(target in target()) {
            let readings = all(&target, EscapedSlashes::Either);
            prop_assert!(readings.contains(&normalize(&target).into_owned()), "{readings:?}");
        }

        /// Variations that do not change the resource do not change the bucket.
        #[test]
        fn one_path_has_one_bucket(
            segments in prop::collection::vec("[a-c]{1,2}", 1..4),
            noise in prop::collection::vec((0usize..8, "[a-c]{1,2}"), 0..6),
        ) {
            let plain = format!("/{}", segments.join("/"));
            let mut noisy = String::new();
            for (index, segment) in segments.iter().enumerate() {
                let (kind, other) = noise.get(index).cloned().unwrap_or((0, String::new()));
                // What follows a parameter without a slash is part of it.
                let kind = if kind > 4 && noisy.contains([';', '%']) { 0 } else { kind };
                noisy.push_str(&match kind {
                    0 => format!("/{segment}"),
                    1 => format!("//{segment}").replacen("//", if index == 0 { "/" } else { "//" }, 1),
                    2 => format!("/./{segment}"),
                    3 => format!("/{other}/../{segment}"),
                    4 => format!("/{segment};{other}"),
                    5 => format!("%2F{segment}"),
                    6 => format!("\\{segment}"),
                    _ => format!("/{other}%2f..%5c{segment}%3b{other}"),
                });
            }
            let folded = folded(noisy.as_bytes()).unwrap();
            prop_assert_eq!(&*folded, plain.as_bytes(), "{}", noisy);
        }

        /// If an escaped slash is a character, the readings are a subset.
        #[test]
        fn fewer_choices_are_fewer_readings(target in target()) {
            let more = all(&target, EscapedSlashes::Either);
            prop_assert!(all(&target, EscapedSlashes::Character).iter().all(|path| more.contains(path)));
        }

        #[test]
        fn readings_are_distinct_and_begin_with_a_slash(target in target()) {
            let mut readings = all(&target, EscapedSlashes::Either);
            prop_assert!(!readings.is_empty() && readings.iter().all(|path| path.starts_with(b"/")));
            prop_assert!(readings.iter().map(Vec::len).sum::<usize>() <= MAX_BYTES);
            let count = readings.len();
            readings.sort_unstable();
            readings.dedup();
            prop_assert_eq!(readings.len(), count);
        }

        /// Folding is idempotent.
        #[test]
        fn folding_ends(target in target()) {
            let once = folded(&target).unwrap().into_owned();
            prop_assert!(!once.windows(2).any(|two| two == b"//"));
            prop_assert!(!once.iter().any(|byte| b"\\;".contains(byte)));
        }

        #[test]
        fn arbitrary_targets_do_not_panic(target: Vec<u8>) {
            let _ = (all(&target, EscapedSlashes::Either), folded(&target));
        }
    }
}
