//! Checks whether the strings of a test can match a path in normal form.

use super::not_normal::not_normal;
use crate::matching::string::{Anchor, StringMatch};
use crate::path::{normalize, pattern_in};
use mesh_config::{ProblemKind, Value};

/// `Some` if each string of the test matches some path in normal form.
pub(super) fn possible(test: &StringMatch, value: &Value<'_>) -> Option<()> {
    if test.present().is_some() {
        let message = "found `present`, expected another test: there always is a path";
        return value.problem(ProblemKind::Conflict, message);
    }
    let (anchor, texts) = test.literals();
    for text in texts {
        check(text, anchor, test.ignores_case(), value)?;
    }
    Some(())
}

fn check(text: &[u8], anchor: Anchor, ignore_case: bool, value: &Value<'_>) -> Option<()> {
    // Completes a partial string to a path: `/a/.` is not normal, but `/a/.x` is.
    let before: &[u8] = match anchor {
        Anchor::Whole | Anchor::Start => b"",
        Anchor::End | Anchor::Part => b"/x",
    };
    let behind: &[u8] = match (anchor, text) {
        (Anchor::Whole | Anchor::End, _) => b"",
        // Completes a partial escape to one that stays encoded.
        (_, [.., b'%']) => b"25x",
        (_, [.., b'%', b'5']) => b"Cx",
        (_, [.., b'%', b'6']) => b"0x",
        (_, [.., b'%', digit]) if digit.is_ascii_hexdigit() => b"Fx",
        _ => b"x",
    };
    let path = [before, text, behind].concat();
    let normal = normalize(&path);
    let same = if ignore_case { path.eq_ignore_ascii_case(&normal) } else { *normal == *path };
    let text_of_normal = normal.strip_prefix(before).and_then(|normal| normal.strip_suffix(behind));
    let normal = text_of_normal.unwrap_or_default();
    if let Some(pattern) = pattern_in(text).or_else(|| pattern_in(normal)) {
        return value.problem(ProblemKind::BadPattern, format_args!(
            "found `{}`, expected no {pattern} here: use `template` for a pattern, `regex` for that very text",
            text.escape_ascii(),
        ));
    }
    if same {
        return Some(());
    }
    if text.contains(&b'?') || text.contains(&b'#') {
        return value.problem(
            ProblemKind::BadPattern,
            format_args!(
                "found `{}`, expected a path without its query: use `query` for that",
                text.escape_ascii(),
            ),
        );
    }
    if normal.is_empty() && anchor != Anchor::Whole {
        return value.problem(
            ProblemKind::BadPattern,
            format_args!(
                "found `{}`, which no path in normal form holds: dot segments are resolved",
                text.escape_ascii(),
            ),
        );
    }
    not_normal(value, text.escape_ascii(), normal.escape_ascii())
}
