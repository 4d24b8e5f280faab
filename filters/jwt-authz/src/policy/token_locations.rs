//! Finds the token of a request.

use super::denial::Denial;
use super::reason;
use crate::config::{Provider, ProviderId, ProviderSet, TokenLocation};
use mesh_policy::headers::HeaderName;
use mesh_policy::matching::request::MatchInput;

/// The locations where the providers of a config look for tokens.
#[derive(Clone, Debug)]
pub(crate) struct TokenLocations(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    location: TokenLocation,
    /// The providers that look there.
    providers: ProviderSet,
    /// Whether one of these providers forwards the token.
    forwards: bool,
}

/// The token of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) token: &'a [u8],
    /// The providers that look in a location where the token was found.
    pub(crate) providers: ProviderSet,
}

impl TokenLocations {
    pub(crate) fn new(providers: &[Provider]) -> Self {
        let mut locations: Vec<Entry> = Vec::new();
        for (index, provider) in providers.iter().enumerate() {
            for location in &provider.from {
                let (own, forwards) = (ProviderSet::from(ProviderId::new(index)), provider.forward_token);
                match locations.iter_mut().find(|known| known.location == *location) {
                    Some(known) => {
                        known.providers = known.providers.union(own);
                        known.forwards |= forwards;
                    }
                    None => locations.push(Entry { location: location.clone(), providers: own, forwards }),
                }
            }
        }
        Self(locations)
    }

    /// The token of the request. It may be present several times, as long as all copies are equal.
    ///
    /// # Errors
    /// A denial with the label `ambiguous` if two tokens differ or a token header is repeated: an upstream that reads
    /// the other one would see another user.
    pub(crate) fn find<'a>(&'a self, request: &'a MatchInput<'_>) -> Result<Option<Found<'a>>, Denial> {
        let mut found: Option<Found<'a>> = None;
        for Entry { location, providers, .. } in &self.0 {
            let mut add = |token: &'a [u8]| match &mut found {
                None => {
                    found = Some(Found { token, providers: *providers });
                    Ok(())
                }
                Some(first) if first.token == token => {
                    first.providers = first.providers.union(*providers);
                    Ok(())
                }
                Some(_) => Err(Denial::new(reason::SEVERAL_TOKENS)),
            };
            match location {
                TokenLocation::Header { name, prefix } => {
                    let mut values = request.facts().headers.spelt_like(name);
                    let (first, second) = (values.next(), values.next());
                    if second.is_some() || first.is_some_and(|value| is_joined(value, prefix)) {
                        return Err(Denial::new(reason::REPEATED_HEADER));
                    }
                    if let Some(token) = first.and_then(|value| behind(value, prefix)) {
                        add(token)?;
                    }
                }
                // A logout may leave an empty cookie.
                TokenLocation::Cookie(name) => {
                    request.cookies().values(name).filter(|token| !token.is_empty()).try_for_each(add)?;
                }
                TokenLocation::Query(name) => {
                    request.query().values(name).filter(|token| !token.is_empty()).try_for_each(add)?;
                }
            }
        }
        Ok(found)
    }

    /// The locations as text for clients: ``"`authorization`, cookie `session` or query parameter `token`"``.
    pub(crate) fn describe(&self) -> String {
        let names: Vec<String> = self
            .all()
            .map(|location| match location {
                TokenLocation::Header { name, .. } => format!("`{}`", name.as_str()),
                TokenLocation::Cookie(name) => format!("cookie `{name}`"),
                TokenLocation::Query(name) => format!("query parameter `{name}`"),
            })
            .collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    }

    /// The names of the headers that may hold a token.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.all().filter_map(|location| match location {
            TokenLocation::Header { name, .. } => Some(name),
            TokenLocation::Cookie(_) | TokenLocation::Query(_) => None,
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &TokenLocation> {
        self.0.iter().map(|entry| &entry.location)
    }

    /// The locations whose tokens no provider forwards.
    pub(crate) fn private(&self) -> impl Iterator<Item = &TokenLocation> {
        self.0.iter().filter(|entry| !entry.forwards).map(|entry| &entry.location)
    }
}

/// Whether a value consists of several header values joined by commas, as Envoy joins them: a token with our prefix
/// or an authentication scheme follows a comma. Commas in parameters of a scheme (`realm="a, b"`) do not count.
pub(super) fn is_joined(value: &[u8], prefix: &str) -> bool {
    if !value.contains(&b',') {
        return false;
    }
    // An unclosed quote does not hide commas.
    let has_quotes = value.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
    let mut quoted = false;
    let mut parts = value.split(|byte| {
        quoted ^= *byte == b'"' && has_quotes;
        *byte == b',' && !quoted
    });
    let first = parts.next().is_some_and(|part| behind(part, prefix).is_some());
    let (mut rest, mut again) = (false, false);
    for part in parts {
        rest = true;
        again |= behind(part, prefix).is_some() || begins_with_scheme(part);
    }
    first && rest || again
}

/// Whether the part begins with an authentication scheme and a space (RFC 9110, section 11.4).
fn begins_with_scheme(part: &[u8]) -> bool {
    let part = part.trim_ascii();
    let end = part.iter().position(|byte| *byte == b' ');
    let scheme = end.and_then(|end| part.get(..end)).and_then(|scheme| std::str::from_utf8(scheme).ok());
    scheme.is_some_and(|scheme| HeaderName::new(scheme).is_some())
}

/// The token after the prefix in a header's value; `None` if the value does not begin with the prefix.
pub(crate) fn behind<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    // `Bearer` alone, with its trailing space trimmed, is an empty token.
    let scheme = prefix.trim_end().as_bytes();
    let (start, rest) = value.split_at_checked(scheme.len())?;
    let separated =
        !prefix.ends_with(' ') || rest.is_empty() || rest.starts_with(b" ") || rest.starts_with(b"\t");
    (start.eq_ignore_ascii_case(scheme) && separated).then(|| rest.trim_ascii())
}
