//! Regular expressions on entire values.

use mesh_config::kinds::string;
use mesh_config::{Kind, ProblemKind};
use regex_automata::Input;
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, Look};
use std::cell::Cell;

/// A regular expression that must match the entire value. Takes time linear in the value's length.
///
/// The syntax is that of [the regex crate](https://docs.rs/regex/1/regex/#syntax) on bytes: `.`, `\w` and `[^/]` match one
/// byte, classes and case are ASCII, and `é` stands for the two bytes of its UTF-8 encoding.
///
/// Uses two of the regex crate's engines directly, which makes a module 80 KB smaller.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// The fast engine, for values of limited length: it needs a bit for each state and byte.
    backtracker: BoundedBacktracker,
    /// The slow engine, for values of any length.
    pikevm: PikeVM,
}

thread_local! {
    /// Working memory of the fast engine, kept to avoid allocations. One for all patterns, since it grows with the values, which
    /// clients choose: to at most 3 MiB, a few words for each bit of [`MAX_REMEMBERED_BYTES`].
    static SCRATCH: Cell<Option<backtrack::Cache>> = const { Cell::new(None) };
}

/// Maximum length of a pattern, in bytes.
const MAX_BYTES: usize = 1024;

/// Maximum size of a compiled pattern, in bytes. The worst-case time is proportional to this and to the length of the value,
/// which the client chooses: with 60 KiB, a typical pattern takes a millisecond, and the worst one, of a hundred `.*`,
/// half a second. `[a-z]{20,200}` fits, `.{1000}` does not.
const MAX_COMPILED_BYTES: usize = 32 << 10;

/// Maximum size of the set of states and positions that the backtracker has been in, in bytes. Enough for values of a few thousand
/// bytes.
const MAX_REMEMBERED_BYTES: usize = 32 << 10;

/// Maximum nesting depth of groups. The default of 250 needs a deep stack for a Wasm module.
const MAX_DEPTH: u32 = 32;

impl Pattern {
    pub(crate) fn new(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        if pattern.len() > MAX_BYTES {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        let parsed = parse(pattern, ignore_case)?;
        // The anchors are part of the pattern: `a|ab` finds `a` in `ab`, which is not the entire value, and only an end anchor
        // makes it continue. They are added to the parsed pattern, as in its text they could end up in a comment or an
        // alternative.
        let anchored = Hir::concat(vec![Hir::look(Look::Start), parsed, Hir::look(Look::End)]);
        let compiled = compile(&anchored)?;
        let backtracker = BoundedBacktracker::builder()
            .configure(backtrack::Config::new().visited_capacity(MAX_REMEMBERED_BYTES))
            .build_from_nfa(compiled.clone())
            .map_err(|error| error.to_string())?;
        Ok(Self { backtracker, pikevm: PikeVM::new_from_nfa(compiled).map_err(|error| error.to_string())? })
    }

    pub(crate) fn kind(ignore_case: bool) -> impl Kind<Out = Box<Self>> {
        string::<Box<str>>().not_empty().and_then(move |value, pattern| {
            match Self::new(&pattern, ignore_case) {
                Ok(pattern) => Some(Box::new(pattern)),
                Err(why) => {
                    value.expected(ProblemKind::BadPattern, format_args!("a regular expression: {why}"))
                }
            }
        })
    }

    pub(crate) fn is_match(&self, value: &[u8]) -> bool {
        let input = Input::new(value).earliest(true);
        let mut scratch = SCRATCH.take().unwrap_or_else(|| self.backtracker.create_cache());
        scratch.reset(&self.backtracker);
        let matches = self.backtracker.try_is_match(&mut scratch, input.clone());
        SCRATCH.set(Some(scratch));
        // The value may be too long for the backtracker.
        matches.unwrap_or_else(|_| self.pikevm.is_match(&mut self.pikevm.create_cache(), input))
    }
}

// Each step is out of line: V8 needs memory for the largest function that it compiles, and Envoy's allocator keeps it.
#[inline(never)]
fn parse(pattern: &str, ignore_case: bool) -> Result<Hir, String> {
    ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(ignore_case)
        .nest_limit(MAX_DEPTH)
        .build()
        .parse(pattern)
        .map_err(|error| explain(&error))
}

#[inline(never)]
fn compile(pattern: &Hir) -> Result<NFA, String> {
    let config = Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(MAX_COMPILED_BYTES));
    Compiler::new().configure(config).build_from_hir(pattern).map_err(|error| match error.size_limit() {
        Some(limit) => format!("compiled it has more than {} KiB", limit >> 10),
        None => error.to_string(),
    })
}

/// One line of an error, whose full text is a drawing of the position.
fn explain(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => error.to_string().lines().next_back().unwrap_or_default().to_owned(),
    }
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
    fn a_value_too_long_for_one_engine_is_matched_by_the_other() {
        let long = [&[b'a'; 60_000][..], b"b"].concat();
        check("a{300}a*b", &[&long], &[&long[..60_000]]);
    }

    /// They have the same working memory, but not the same states.
    #[test]
    fn patterns_can_be_used_in_turn() {
        let patterns =
            ["a{300}a*b", "a*", ".*a1", "(a|b)*c"].map(|pattern| Pattern::new(pattern, false).unwrap());
        let long = vec![b'a'; 40_000];
        for _ in 0..2 {
            for value in [&b"a1"[..], &long, b"abac", b"", &[b'a'; 400]] {
                let matches = patterns.each_ref().map(|pattern| pattern.is_match(value));
                let expected =
                    [false, !value.iter().any(|byte| *byte != b'a'), value == b"a1", value == b"abac"];
                assert_eq!(matches, expected, "{}", value.escape_ascii());
            }
        }
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
        check_problem(".{5000}", "compiled it has more than 32 KiB");
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
            let pattern = Pattern::new(&regex_syntax::escape(&text), false).unwrap();
            prop_assert!(pattern.is_match(text.as_bytes()));
            prop_assert_eq!(pattern.is_match(other.as_bytes()), text == other);
        }
    }
}
