//! "did you mean": the nearest of the names that would have been right.

/// The name of `allowed` that `found` most likely is a misspelling of.
pub(crate) fn nearest<'a>(found: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Two thirds of the characters must be right, or the suggestion is a guess.
    const SIMILAR: f64 = 0.66;
    // Nobody misspells a name into this, and the comparison takes time and memory by its length.
    const LONGEST: usize = 64;
    if found.len() > LONGEST {
        return None;
    }
    allowed
        .map(|name| (strsim::normalized_damerau_levenshtein(found, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Names as messages list them: `` `a`, `b`, `c` ``.
pub fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
