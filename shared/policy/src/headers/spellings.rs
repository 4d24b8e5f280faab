//! The names of headers as a request spells them.

use super::{HeaderName, Headers};

/// A message cannot be changed as it must be: its own bytes are not a header name or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchangeable;

/// The headers to remove so that none of `names` is left, in any spelling that an upstream may read as that name: those that can
/// be removed, and whether these are all.
pub fn spellings(headers: &Headers, names: &[HeaderName]) -> (Vec<HeaderName>, Result<(), Unchangeable>) {
    found(headers, &|found, _| names.iter().any(|name| name.is_same_variable(found)))
}

/// Names, as spelt in the request, of the headers for which `passes` is true, each once.
///
/// # Errors
/// The name of such a header is not one that can be removed.
pub fn spellings_where(
    headers: &Headers,
    passes: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Vec<HeaderName>, Unchangeable> {
    let (names, all) = found(headers, &passes);
    all.map(|()| names)
}

/// The names that can be removed, and whether these are all.
fn found(
    headers: &Headers,
    passes: &dyn Fn(&[u8], &[u8]) -> bool,
) -> (Vec<HeaderName>, Result<(), Unchangeable>) {
    let (mut names, mut all) = (Vec::new(), Ok(()));
    for (found, _) in headers.iter().filter(|(name, value)| passes(name, value)) {
        match std::str::from_utf8(found).ok().and_then(HeaderName::new) {
            Some(name) if names.contains(&name) => {}
            Some(name) => names.push(name),
            None => all = Err(Unchangeable),
        }
    }
    (names, all)
}
