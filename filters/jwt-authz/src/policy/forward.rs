//! What the upstream receives of a token: claims in headers, and the token itself or not.

use super::token_locations::{behind, is_joined};
use super::verified::Verified;
use crate::config::{Provider, TokenLocation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue, Headers};
use mesh_policy::matching::claim::{find, text};
use mesh_policy::policy::Unchangeable;
use mesh_policy::{cookie, path};
use serde_json::Value as Json;
use std::borrow::Cow;

pub(super) const COOKIE: HeaderName = HeaderName::from_static("cookie");

/// Changes to a request that is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub(super) edits: Vec<Edit>,
    /// Number of claims that were left out because a header cannot represent them.
    pub(super) left_out: u32,
}

/// The headers to remove so that none of `names` is left, in any spelling that an upstream may read as that name.
pub(super) fn strip(headers: &Headers, names: &[HeaderName]) -> Result<Vec<HeaderName>, Unchangeable> {
    spellings(headers, |found, _| names.iter().any(|name| name.is_same_variable(found)))
}

/// Names, as spelt in the request, of the headers for which `passes` is true.
fn spellings(
    headers: &Headers,
    passes: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Vec<HeaderName>, Unchangeable> {
    let mut names = Vec::new();
    for (found, _) in headers.iter().filter(|(name, value)| passes(name, value)) {
        let name = std::str::from_utf8(found).ok().and_then(HeaderName::new).ok_or(Unchangeable)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Sets the headers for the payload and the claims of a token.
pub(super) fn claims(verified: &Verified, provider: &Provider, forwarded: &mut Forwarded) {
    if let Some(name) = &provider.payload_header
        && let Some(payload) = HeaderValue::new(verified.payload())
    {
        forwarded.edits.push(Edit::Set(name.clone(), payload));
    }
    for mapping in &provider.claims_to_headers {
        let Some(claim) = find(&verified.claims, &mapping.claim) else { continue };
        match value(claim) {
            Some(value) => forwarded.edits.push(Edit::Set(mapping.header.clone(), value)),
            None => forwarded.left_out += 1,
        }
    }
}

/// A claim as a header value: a string as it is, a number or boolean as in JSON, an array joined by commas, an object
/// as JSON in base64url. `None` if the recipient would read something else: an element with a comma, a control
/// character, leading or trailing whitespace.
fn value(claim: &Json) -> Option<HeaderValue> {
    match claim {
        Json::Array(elements) => {
            let texts: Option<Vec<_>> =
                elements.iter().map(|element| single(element).filter(|text| !text.contains(','))).collect();
            texts.filter(|texts| !texts.is_empty()).and_then(|texts| HeaderValue::new(texts.join(",")))
        }
        Json::Object(_) => {
            let json = serde_json::to_vec(claim).ok()?;
            HeaderValue::new(URL_SAFE_NO_PAD.encode(json))
        }
        claim => HeaderValue::new(single(claim)?.into_owned()),
    }
}

/// A scalar as text. `None` if it is empty or begins or ends with whitespace, which recipients trim.
fn single(claim: &Json) -> Option<Cow<'_, str>> {
    text(claim).filter(|text| !text.is_empty() && text.trim_matches([' ', '\t']).len() == text.len())
}

/// Removes tokens from all of these locations.
pub(super) fn remove_token<'a>(
    headers: &Headers,
    locations: impl Iterator<Item = &'a TokenLocation>,
    edits: &mut Vec<Edit>,
) -> Result<(), Unchangeable> {
    let (mut cookies, mut parameters) = (Vec::new(), Vec::new());
    for location in locations {
        match location {
            TokenLocation::Header { name, prefix } => {
                let holds_one = |value: &[u8]| behind(value, prefix).is_some() || is_joined(value, prefix);
                let is_token = |found: &[u8], value: &[u8]| name.is_same_variable(found) && holds_one(value);
                for name in spellings(headers, is_token)? {
                    let removal = Edit::Remove(name);
                    if !edits.contains(&removal) {
                        edits.push(removal);
                    }
                }
            }
            TokenLocation::Cookie(name) => cookies.push(&**name),
            TokenLocation::Query(name) => parameters.push(&**name),
        }
    }
    if !cookies.is_empty() {
        edits.extend(without_cookies(headers, &cookies)?);
    }
    if !parameters.is_empty()
        && let Some(target) = path::without_query(headers.target(), &parameters)
    {
        edits.push(Edit::Target(HeaderValue::new(target).ok_or(Unchangeable)?));
    }
    Ok(())
}

/// The edit that removes these cookies and keeps the others; `None` if there are none to remove.
fn without_cookies(headers: &Headers, names: &[&str]) -> Result<Option<Edit>, Unchangeable> {
    let lines = || headers.raw("cookie");
    if !lines().any(|line| cookie::without(line, names).is_some()) {
        return Ok(None);
    }
    let rest = lines().map(|line| cookie::without(line, names).unwrap_or_else(|| line.to_vec()));
    let rest: Vec<Vec<u8>> = rest.filter(|line| !line.is_empty()).collect();
    if rest.is_empty() {
        return Ok(Some(Edit::Remove(COOKIE)));
    }
    let rest = HeaderValue::new(rest.join(&b"; "[..])).ok_or(Unchangeable)?;
    Ok(Some(Edit::Set(COOKIE, rest)))
}
