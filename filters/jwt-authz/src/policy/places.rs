//! Finding the token of a request.

use super::reason::{Fault, Reason};
use crate::config::{Place, Provider};
use policy::headers::Headers;
use policy::{cookie, path};
use std::borrow::Cow;

/// All places for tokens, each with the providers that look there.
#[derive(Clone, Debug)]
pub(crate) struct Places(Vec<(Place, u32)>);

/// A token that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) token: Cow<'a, [u8]>,
    /// The providers that look where it was found, as bits.
    pub(crate) providers: u32,
}

impl Places {
    pub(crate) fn new(providers: &[Provider]) -> Self {
        let mut places: Vec<(Place, u32)> = Vec::new();
        for (index, provider) in providers.iter().enumerate() {
            for place in &provider.from {
                match places.iter_mut().find(|(known, _)| known == place) {
                    Some((_, bits)) => *bits |= 1 << index,
                    None => places.push((place.clone(), 1 << index)),
                }
            }
        }
        Self(places)
    }

    /// The one token of the request, wherever it stands and however often.
    ///
    /// # Errors
    /// [`Reason::Ambiguous`] if there are two that differ, or if a header for tokens is there twice: whoever
    /// reads the other one would see another user.
    pub(crate) fn find<'a>(&'a self, headers: &'a Headers) -> Result<Option<Found<'a>>, Fault> {
        let mut found: Option<Found<'a>> = None;
        for (place, providers) in &self.0 {
            let mut add = |token: Cow<'a, [u8]>| match &mut found {
                None => {
                    found = Some(Found { token, providers: *providers });
                    Ok(())
                }
                Some(first) if first.token == token => {
                    first.providers |= providers;
                    Ok(())
                }
                Some(_) => Err(Fault::new(Reason::Ambiguous, "the request has two tokens that differ")),
            };
            match place {
                Place::Header { name, prefix } => {
                    let mut values = headers.get(name.as_str());
                    let (first, second) = (values.next(), values.next());
                    if second.is_some() || first.is_some_and(|value| is_joined(value, prefix)) {
                        return Err(Fault::new(
                            Reason::Ambiguous,
                            "the request has a header for tokens twice",
                        ));
                    }
                    if let Some(token) = first.and_then(|value| behind(value, prefix)) {
                        add(Cow::Borrowed(token))?;
                    }
                }
                Place::Cookie(name) => {
                    cookie::values(headers, name).try_for_each(|token| add(Cow::Borrowed(token)))?;
                }
                Place::Query(name) => path::query(headers.target(), name).try_for_each(add)?,
            }
        }
        Ok(found)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().map(|(place, _)| place)
    }

    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|(place, _)| match place {
                Place::Cookie(name) => Some(&**name),
                Place::Header { .. } | Place::Query(_) => None,
            })
            .collect()
    }

    pub(crate) fn parameters(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|(place, _)| match place {
                Place::Query(name) => Some(&**name),
                Place::Header { .. } | Place::Cookie(_) => None,
            })
            .collect()
    }
}

/// Whether a value is several, joined by commas, as Envoy does with `authorization` and others, and one of
/// them is for us. No token has a comma in it; other schemes have.
fn is_joined(value: &[u8], prefix: &str) -> bool {
    value.contains(&b',') && value.split(|byte| *byte == b',').any(|part| behind(part, prefix).is_some())
}

/// What follows the prefix in a header's value; `None` if the value is something else, as another scheme.
pub(crate) fn behind<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    // Nothing behind `Bearer` leaves no space there, and is a token that is empty.
    let scheme = prefix.trim_end().as_bytes();
    let (start, rest) = value.split_at_checked(scheme.len())?;
    let separated =
        !prefix.ends_with(' ') || rest.is_empty() || rest.starts_with(b" ") || rest.starts_with(b"\t");
    (start.eq_ignore_ascii_case(scheme) && separated).then(|| rest.trim_ascii())
}
