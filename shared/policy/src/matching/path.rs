//! A test on the path in its normal form.

use super::string::StringMatch;
use crate::config::Value;
use crate::path::normalise;

/// Reads a test on the path. A path that no normal path can equal or begin with is refused: a rule
/// on it would never hold, whatever it was to keep out.
pub(crate) fn read_path_match(value: Value<'_>) -> Option<StringMatch> {
    let test = StringMatch::read(value.clone())?;
    if test.present().is_some() {
        return value.problem("found `present`, expected another test: there always is a path");
    }
    let (whole, texts) = test.beginnings();
    for text in texts {
        // Behind a prefix something follows: `/a/.` is not normal, but `/a/.x` is.
        let rest: &[u8] = if whole { b"" } else { b"x" };
        let possible = [text, rest].concat();
        let normal = normalise(&possible);
        if *normal != *possible {
            let normal = normal.strip_suffix(rest).unwrap_or(&normal);
            return value.problem(format_args!(
                "found `{}`, which no path in normal form can be, expected `{}`",
                text.escape_ascii(),
                normal.escape_ascii(),
            ));
        }
    }
    Some(test)
}
