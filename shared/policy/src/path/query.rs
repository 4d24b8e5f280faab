//! The query of a request target.

use super::decode;
use crate::by_name::ByName;
use std::borrow::Cow;

/// The parameters of a query, decoded once as `application/x-www-form-urlencoded`: `+` is a space, `%XX` a byte, and a
/// parameter without `=` has an empty value.
#[derive(Clone, Debug, Default)]
pub struct Query<'a>(ByName<Cow<'a, [u8]>>);

impl<'a> Query<'a> {
    /// Reads the query of a request target.
    #[must_use]
    pub fn of(target: &'a [u8]) -> Self {
        let parameters = parameters(split(target).query).filter_map(name_and_value);
        Self(parameters.map(|(name, value)| (name, decode(value, true))).collect())
    }

    /// The values of a parameter, in order. `name` is the decoded name.
    pub fn values<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n [u8]> {
        self.0.get(name.as_bytes()).map(|value| &**value)
    }
}

/// Removes the parameters with these names from a request target. `None` if it has none of them.
///
/// Everything else is unchanged, byte for byte. If no parameter is left, the `?` is removed, too.
#[must_use]
pub fn without_query(target: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let Target { path, query, fragment } = split(target);
    let named = |parameter: &&[u8]| {
        name_and_value(parameter)
            .is_some_and(|(found, _)| names.iter().any(|name| *found == *name.as_bytes()))
    };
    if !parameters(query).any(|parameter| named(&parameter)) {
        return None;
    }
    let left: Vec<_> = parameters(query).filter(|parameter| !named(parameter)).collect();
    let left = left.join(&b'&');
    let mark: &[u8] = if left.is_empty() { b"" } else { b"?" };
    Some([path, mark, &left, fragment].concat())
}

struct Target<'a> {
    path: &'a [u8],
    /// Without its `?`.
    query: &'a [u8],
    /// With its `#`.
    fragment: &'a [u8],
}

fn split(target: &[u8]) -> Target<'_> {
    let at = |text: &[u8], mark: u8| text.iter().position(|byte| *byte == mark).unwrap_or(text.len());
    let (target, fragment) = target.split_at_checked(at(target, b'#')).unwrap_or((target, b""));
    // Split at the first `?`: a query may contain further ones.
    let (path, query) = target.split_at_checked(at(target, b'?')).unwrap_or((target, b""));
    Target { path, query: query.strip_prefix(b"?").unwrap_or_default(), fragment }
}

/// The undecoded parameters, including empty ones (`&&`).
fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| *byte == b'&')
}

/// The decoded name and the undecoded value; `None` for an empty parameter.
fn name_and_value(parameter: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let mut halves = parameter.splitn(2, |byte| *byte == b'=');
    let name = halves.next().filter(|_| !parameter.is_empty())?;
    Some((decode(name, true), halves.next().unwrap_or_default()))
}
