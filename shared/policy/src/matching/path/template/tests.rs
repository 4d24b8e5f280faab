use super::Template;
use crate::path::normalize;
use crate::testing::{read_field, test};

fn template(text: &str) -> Result<Template, String> {
    read_field("t", &serde_json::json!(text).to_string(), Template::kind(false))
}

#[track_caller]
fn check(text: &str, matches: &[&str], fails: &[&str]) {
    let template = template(text).unwrap();
    for (targets, expected) in [(matches, true), (fails, false)] {
        for target in targets {
            assert_eq!(template.is_match(&normalize(target.as_bytes())), expected, "{text} on {target}");
        }
    }
}

#[track_caller]
fn check_capture(text: &str, path: &str, name: &str, expected: Option<&str>) {
    let template = template(text).unwrap();
    let found = template.capture(path.as_bytes(), name).map(|found| str::from_utf8(found).unwrap());
    assert_eq!(found, expected, "{text} on {path}");
}

#[track_caller]
fn check_problem(text: &str, expected: &str) {
    assert_eq!(template(text).err().unwrap_or_default(), format!("t: {expected}"), "{text}");
}

#[test]
fn a_segment_is_one_and_not_empty() {
    check("/users/{id}", &["/users/7", "/users/a%2Fb", "/users/*", "/users/{id}"], &[]);
    check(
        "/users/{id}",
        &[],
        &["/", "/users", "/users/", "/users/7/", "/users/7/x", "/Users/7", "/x/users/7"],
    );
    check("/*/b", &["/a/b", "/*/b"], &["/b", "//b", "/a/b/", "/a/a/b", "/a/c"]);
    check("/{a}/*/{b}", &["/1/2/3"], &["/1/2", "/1/2/3/4", "/1/2/"]);
    check("/*", &["/a", "*"], &["/", "/a/"]);
}

#[test]
fn the_rest_is_anything_behind_a_slash_or_nothing() {
    check("/a/**", &["/a", "/a/", "/a/b", "/a/b/c/", "/a/b%2F"], &["/", "/b/a/", "/ab", "/A"]);
    check("/**", &["/", "/a", "/a/b/", ""], &[]);
    check("/{a}/**", &["/x", "/x/", "/x/y/z"], &["/"]);
    check("/users/{id}/**", &["/users/7", "/users/7/", "/users/7/x"], &["/users", "/users/"]);
}

#[test]
fn case_may_be_ignored() {
    let template = read_field("t", r#""/Admin/{id}/**""#, Template::kind(true)).unwrap();
    for path in ["/admin/7", "/ADMIN/x/y"] {
        assert!(template.is_match(path.as_bytes()), "{path}");
    }
    assert!(!template.is_match(b"/admins/7"));
    assert_eq!(template.capture(b"/admin/Seven", "id"), Some(&b"Seven"[..]));
}

#[test]
fn everything_else_is_literal() {
    check("/", &["/", "", "/?a"], &["/a"]);
    check("/a/", &["/a/"], &["/a", "/a/b"]);
    check("/a.b%2Fc=d", &["/a.b%2fc=d", "/./a%2eb%2Fc=d"], &["/axb%2Fc=d", "/a.b/c=d"]);
}

#[test]
fn the_path_is_in_normal_form() {
    check("/users/{id}", &["/users/x/../7", "//users//7", "/%75sers/7?a/b", "\\users\\7"], &["/users/7/.."]);
}

#[test]
fn captures() {
    check_capture("/users/{id}", "/users/7", "id", Some("7"));
    check_capture("/{a}/*/{b}/**", "/1/2/3/4/5", "a", Some("1"));
    check_capture("/{a}/*/{b}/**", "/1/2/3/4/5", "b", Some("3"));
    check_capture("/{a}/x", "/a%2Fb%20c/x", "a", Some("a%2Fb%20c"));
    check_capture("/{a}/x", "/1/y", "a", None);
    check_capture("/{a}/x", "/1/x/z", "a", None);
    check_capture("/{a}/x", "/1/x", "b", None);
    check_capture("/{a}/x", "/1/x", "x", None);
}

#[test]
fn segments_are_whole() {
    let whole = "expected `*`, `{name}` or `**` as a whole segment, or none of `*`, `{` and `}`";
    for segment in ["*.m4s", "a*", "***", "**.mpd", "{id}.json", "v{n}", "{", "}", "{a", "a}", "}{"] {
        check_problem(&format!("/a/{segment}"), &format!("found `{segment}`, {whole}"));
    }
    check_problem(
        "/users/:id",
        "found `:id`, expected `{name}`: a segment of any text; use `regex` for that very text",
    );
    assert!(template("/keys:rotate/{id}").is_ok());
    check_problem("/**/a", "found `**` in front of other segments, expected it as the last");
    check_problem("/**/**", "found `**` in front of other segments, expected it as the last");
    check_problem("/**/", "found `**` in front of other segments, expected it as the last");
}

#[test]
fn names() {
    let name = "expected a name of 1 to 32 letters, digits or `_`, a letter first";
    let longest = "a".repeat(32);
    for good in ["a", "Z_9", "userId", &longest] {
        assert!(template(&format!("/{{{good}}}")).unwrap().has_capture(good), "{good}");
    }
    for bad in ["", "_a", "1", "a-b", "a=*", "a b", "a}{b", "{a}", "*"] {
        check_problem(&format!("/{{{bad}}}"), &format!("found `{{{bad}}}`, {name}"));
    }
    check_problem(&format!("/{{{longest}a}}"), &format!("found `{{{longest}a}}`, {name}"));
    check_problem("/{é}", &format!("found `{{\\xc3\\xa9}}`, {name}"));
    check_problem("/{a}/{b}/{a}", "found `{a}` twice, expected once");
    assert!(template("/{a}/{A}").is_ok());
}

#[test]
fn what_no_path_can_be() {
    let check = |found: &str, expected: &str| {
        let text = found.replace("\\xc3\\xa9", "é").replace("\\\\", "\\");
        check_problem(
            &text,
            &format!("found `{found}`, which no path in normal form can be, expected `{expected}`"),
        );
    };
    check("", "/");
    check("users/{id}", "/users/{id}");
    check("{id}", "/{id}");
    check("**", "/**");
    check("/a//{id}", "/a/{id}");
    check("/a//**", "/a/**");
    check("//{id}/*", "/{id}/*");
    check("/a/./{id}/../*", "/a/*");
    check("/%61/{id}/%2f/b c", "/a/{id}/%2F/b%20c");
    check("/\\xc3\\xa9/{id}", "/%C3%A9/{id}");
    check("/a\\\\b", "/a/b");
    check("/{id}/a?b#c", "/{id}/a");
    check("/{id}/..", "/");
}

#[test]
fn length_is_bounded() {
    assert!(template(&"/*".repeat(32)).is_ok());
    check_problem(&"/*".repeat(33), "found 33 segments, expected at most 32");
    check_problem(&format!("{}**", "/a".repeat(32) + "/"), "found 33 segments, expected at most 32");
    check_problem(&format!("/{}", "a".repeat(4096)), "found 4097 bytes, expected at most 4096");
    let number = read_field("t", "7", Template::kind(false));
    assert_eq!(number.err().unwrap(), "t: found 7, expected a string");
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use super::{normalize, template};
    use proptest::prelude::*;

    /// A segment of a template, and the matching segment of a path.
    #[derive(Clone, Debug)]
    enum Filled {
        Text(String),
        Any(String),
        Named(String),
    }

    /// A segment in normal form, possibly with escapes.
    const SEGMENT: &str = "([a-z0-9_~!$&'()*+,;=:@-]|%2F|%25|%C3%A9){1,4}";

    fn filled() -> impl Strategy<Value = Filled> {
        let text = "([a-z0-9_~!$&'()+,;=@-]|%2F|%25|%7B)([a-z0-9_~!$&'()+,;=:@-]|%2F|%25|%7B){0,3}";
        prop_oneof![
            text.prop_map(Filled::Text),
            SEGMENT.prop_map(Filled::Any),
            SEGMENT.prop_map(Filled::Named)
        ]
    }

    proptest! {
        #[test]
        fn a_filled_template_matches_and_gives_back_what_filled_it(
            filled in prop::collection::vec(filled(), 1..8),
            rest in prop::option::of("([a-z]{1,3}/?){0,3}"),
        ) {
            let (mut text, mut path) = (String::new(), String::new());
            for (index, segment) in filled.iter().enumerate() {
                let (word, fill) = match segment {
                    Filled::Text(fill) => (fill.clone(), fill),
                    Filled::Any(fill) => ("*".to_owned(), fill),
                    Filled::Named(fill) => (format!("{{n{index}}}"), fill),
                };
                text = format!("{text}/{word}");
                path = format!("{path}/{fill}");
            }
            if let Some(rest) = &rest {
                text.push_str("/**");
                path = format!("{path}/{rest}");
            }
            prop_assert_eq!(&*normalize(path.as_bytes()), path.as_bytes());
            let template = template(&text).unwrap();
            prop_assert!(template.is_match(path.as_bytes()), "{} {}", text, path);
            for (index, segment) in filled.iter().enumerate() {
                let expected = match segment {
                    Filled::Named(fill) => Some(fill.as_bytes()),
                    Filled::Text(_) | Filled::Any(_) => None,
                };
                let name = format!("n{index}");
                prop_assert_eq!(template.has_capture(&name), expected.is_some());
                prop_assert_eq!(template.capture(path.as_bytes(), &name), expected);
            }
            // A path with one more or one less segment does not match, except with `**`.
            let more = format!("{path}/more");
            prop_assert_eq!(template.is_match(more.as_bytes()), rest.is_some());
            let less = filled.len() - 1;
            let less = path.split('/').take(less + 1).collect::<Vec<_>>().join("/");
            prop_assert!(!template.is_match(less.as_bytes()));
        }

        #[test]
        fn the_normal_form_that_is_shown_is_taken(text in "(/|//|\\{a\\}|\\*|\\*\\*|\\.|\\.\\.|%61|%2f|b| |é|\\\\|\\?){0,10}") {
            if let Err(problem) = template(&text)
                && let Some((_, normal)) = problem.split_once("in normal form can be, expected `")
            {
                let normal = normal.strip_suffix('`').unwrap();
                prop_assert!(template(normal).is_ok(), "{} {}", text, normal);
            }
        }

        #[test]
        fn arbitrary_texts_do_not_panic(text: String, path: Vec<u8>) {
            if let Ok(template) = template(&text) {
                template.is_match(&path);
            }
        }
    }
}
