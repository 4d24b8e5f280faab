//! Regular expressions on whole values.

use crate::config::Value;
use regex::bytes::{Regex, RegexBuilder};

/// A regular expression that a value matches as a whole, in time linear in the value's length.
///
/// The syntax is that of <https://docs.rs/regex/1/regex/#syntax> on bytes: `.`, `\w` and `[^/]` are
/// each one byte, classes and case are ASCII's, and `é` stands for the two bytes of its UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

/// The most bytes a pattern may have.
const MAX_BYTES: usize = 1024;

/// The most bytes a pattern may be compiled to. Time is the product of this and the value's
/// length, and a client chooses the value.
const MAX_COMPILED_BYTES: usize = 64 << 10;

/// The most groups within each other. The default of 250 is a deep stack for a Wasm module.
const MAX_DEPTH: u32 = 32;

impl Pattern {
    pub(crate) fn new(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        if pattern.len() > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        let compile = |pattern: &str| {
            RegexBuilder::new(pattern)
                .unicode(false)
                .case_insensitive(ignore_case)
                .size_limit(MAX_COMPILED_BYTES)
                .nest_limit(MAX_DEPTH)
                .build()
        };
        // By itself first: `a)|(b` is no pattern, but it would be one in the group below.
        compile(pattern).map_err(|error| explain(&error))?;
        // The end is part of the pattern: `a|ab` finds only `a` in `ab` and is no match of the
        // whole, unless the end makes it go on.
        compile(&format!(r"\A(?:{pattern})\z"))
            // Under `(?x)` a comment at the end takes the group's end with it; only there is the
            // first form wrong and this one right.
            .or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z")))
            .map(Self)
            .map_err(|error| explain(&error))
    }

    pub(crate) fn read(value: &Value<'_>, ignore_case: bool) -> Option<Self> {
        match Self::new(value.non_empty_text()?, ignore_case) {
            Ok(pattern) => Some(pattern),
            Err(why) => value.expected(format_args!("a regular expression: {why}")),
        }
    }

    pub(crate) fn is_match(&self, value: &[u8]) -> bool {
        self.0.is_match(value)
    }
}

/// One line: of a syntax error's drawing only the sentence below it.
fn explain(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return format!("compiled it has more than {} KiB", MAX_COMPILED_BYTES >> 10);
    }
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use crate::testing::test;

    #[track_caller]
    fn check(pattern: &str, matches: &[&[u8]], fails: &[&[u8]]) {
        let compiled = Pattern::new(pattern, false).unwrap();
        for (values, expected) in [(matches, true), (fails, false)] {
            for value in values {
                assert_eq!(compiled.is_match(value), expected, "{pattern} on {}", value.escape_ascii());
            }
        }
    }

    #[track_caller]
    fn check_problem(pattern: &str, expected: &str) {
        assert_eq!(Pattern::new(pattern, false).err().unwrap(), expected, "{pattern}");
    }

    #[test]
    fn the_whole_value_is_matched() {
        check("a", &[b"a"], &[b"", b"ab", b"ba", b"a\n"]);
        check("a|ab", &[b"a", b"ab"], &[b"abb"]);
        check("^a$", &[b"a"], &[b"ab"]);
        check("(?m)^a$", &[b"a"], &[b"a\nb"]);
        check("a*?", &[b"", b"aaa"], &[b"b"]);
    }

    #[test]
    fn flags_and_comments_end_with_the_pattern() {
        check("(?x) a b # c", &[b"ab"], &[b"ab\n", b"abc"]);
        check("(?x) a b # )|.*(", &[b"ab"], &[b"x"]);
        check("(?i)a", &[b"A"], &[b"AA"]);
        check("a #", &[b"a #"], &[b"a", b"a #\n"]);
    }

    #[test]
    fn bytes_are_matched() {
        check(".", &[b"\xff", b"a"], &["é".as_bytes()]);
        check("é+", &["é".as_bytes()], &[b"e"]);
        check(r"\w+", &[b"aZ_9"], &["é".as_bytes()]);
        check(r"(?s-u:.)\xff", &[b"\n\xff"], &[]);
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(Pattern::new("[a-c]x", true).unwrap().is_match(b"BX"));
    }

    #[test]
    fn problems_are_one_line() {
        check_problem("a(", "unclosed group");
        check_problem("a)|(b", "unopened group");
        check_problem("[b-a]", "invalid character class range, the start must be <= the end");
        check_problem("(?=a)", "look-around, including look-ahead and look-behind, is not supported");
        check_problem(".{5000}", "compiled it has more than 64 KiB");
        check_problem(&"(".repeat(40), "unclosed group");
        check_problem(
            &format!("{}{}", "(".repeat(40), ")".repeat(40)),
            "exceed the maximum number of nested parentheses/brackets (32)",
        );
        check_problem(&"a".repeat(1025), "it is longer than 1024 bytes");
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::Pattern;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_a_line(pattern: String, value: Vec<u8>) {
            match Pattern::new(&pattern, false) {
                Ok(pattern) => { let _ = pattern.is_match(&value); }
                Err(why) => prop_assert_eq!(why.lines().count(), 1),
            }
        }

        #[test]
        fn an_escaped_text_matches_itself_only(text in "[a-c#()| \\\\]{1,5}", other in "[a-c#()| \\\\]{0,5}") {
            let pattern = Pattern::new(&regex::escape(&text), false).unwrap();
            prop_assert!(pattern.is_match(text.as_bytes()));
            prop_assert_eq!(pattern.is_match(other.as_bytes()), text == other);
        }
    }
}
