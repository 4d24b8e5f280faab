//! The names of headers as a request spells them.

use super::{HeaderName, Headers};

/// A message cannot be changed as it must be: its own bytes are not a header name or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchangeable;

/// The headers to remove so that none of `names` is left, in any spelling that an upstream may read as that name.
///
/// # Errors
/// The name of such a header is not one that can be removed.
pub fn spellings(headers: &Headers, names: &[HeaderName]) -> Result<Vec<HeaderName>, Unchangeable> {
    spellings_where(headers, |found, _| names.iter().any(|name| name.is_same_variable(found)))
}

/// As [`spellings`], without those that cannot be removed.
#[must_use]
pub fn removable_spellings(headers: &Headers, names: &[HeaderName]) -> Vec<HeaderName> {
    let is_removable = |found: &[u8]| name_of(found).is_some();
    let passes =
        |found: &[u8], _: &[u8]| names.iter().any(|name| name.is_same_variable(found)) && is_removable(found);
    spellings_where(headers, passes).unwrap_or_default()
}

fn name_of(found: &[u8]) -> Option<HeaderName> {
    std::str::from_utf8(found).ok().and_then(HeaderName::new)
}

/// Names, as spelt in the request, of the headers for which `passes` is true, each once.
///
/// # Errors
/// The name of such a header is not one that can be removed.
pub fn spellings_where(
    headers: &Headers,
    passes: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Vec<HeaderName>, Unchangeable> {
    let mut names = Vec::new();
    for (found, _) in headers.iter().filter(|(name, value)| passes(name, value)) {
        let name = name_of(found).ok_or(Unchangeable)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}
