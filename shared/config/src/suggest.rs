//! "did you mean": the nearest of the names that would have been right.

/// The name of `allowed` that `found` most likely is a misspelling of. Case is ignored.
pub(crate) fn nearest<'a>(found: &str, allowed: &[&'a str]) -> Option<&'a str> {
    // Two thirds of the characters must be right, else the suggestion is a guess.
    const SIMILAR: f64 = 0.66;
    // The comparison takes time and memory by the length, and no name is this long.
    const MAX_BYTES: usize = 64;
    if found.len() > MAX_BYTES {
        return None;
    }
    let found = found.to_ascii_lowercase();
    allowed
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&found, &name.to_ascii_lowercase()), *name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Names as messages list them: `` `a`, `b`, `c` ``.
pub fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let mut list = String::new();
    for name in names {
        let separator = if list.is_empty() { "`" } else { ", `" };
        list.extend([separator, name.as_ref(), "`"]);
    }
    list
}
