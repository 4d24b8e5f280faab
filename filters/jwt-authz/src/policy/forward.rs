//! What the upstream gets to see of a token.

use super::places::{Places, behind};
use super::verified::Verified;
use crate::config::{Place, Provider};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy::effects::Edit;
use policy::headers::{HeaderName, HeaderValue, Headers};
use policy::matching::claim::find;
use policy::{cookie, path};
use serde_json::Value as Json;

const COOKIE: HeaderName = HeaderName::from_static("cookie");

/// Changes to a request that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The changes.
    pub edits: Vec<Edit>,
    /// Claims that no header can take as they are, and that were left out.
    pub left_out: u32,
}

/// Takes away every header that only this filter may set, in whatever spelling an upstream takes for it.
pub(super) fn strip(headers: &Headers, own: &[HeaderName], edits: &mut Vec<Edit>) {
    for (found, _) in headers.iter() {
        let Some(name) = own.iter().find(|own| own.is_same_variable(found)) else { continue };
        let found = match std::str::from_utf8(found).ok().and_then(HeaderName::new) {
            Some(found) => found,
            None => name.clone(),
        };
        let edit = Edit::Remove(found);
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
}

/// Puts the token's claims into headers.
pub(super) fn claims(verified: &Verified, provider: &Provider, forwarded: &mut Forwarded) {
    if let Some(name) = &provider.payload_header
        && let Some(payload) = HeaderValue::new(verified.payload())
    {
        forwarded.edits.push(Edit::Set(name.clone(), payload));
    }
    for own in &provider.claims_to_headers {
        let Some(claim) = find(&verified.claims, &own.claim) else { continue };
        match value(claim) {
            Some(value) => forwarded.edits.push(Edit::Set(own.header.clone(), value)),
            None => forwarded.left_out += 1,
        }
    }
}

/// A claim as a header's value: a text as it is, a number or a boolean as JSON writes it, a list joined by
/// commas, an object as JSON in base64url. `None` for what would be read as something else at the other
/// end: an element with a comma in it, a control character, a space at an end.
fn value(claim: &Json) -> Option<HeaderValue> {
    match claim {
        Json::Array(elements) => {
            let texts: Option<Vec<String>> =
                elements.iter().map(|element| text(element).filter(|text| !text.contains(','))).collect();
            texts.filter(|texts| !texts.is_empty()).and_then(|texts| HeaderValue::new(texts.join(",")))
        }
        Json::Object(_) => {
            let json = serde_json::to_vec(claim).ok()?;
            HeaderValue::new(URL_SAFE_NO_PAD.encode(json))
        }
        claim => HeaderValue::new(text(claim)?),
    }
}

fn text(claim: &Json) -> Option<String> {
    match claim {
        // What a recipient trims would be another text there; an empty one is none.
        Json::String(text) if text.is_empty() || text.trim_matches([' ', '\t']).len() != text.len() => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Takes the token away, from each place where it was found. All of them hold the same one.
pub(super) fn remove_token(headers: &Headers, places: &Places, edits: &mut Vec<Edit>) {
    for place in places.iter() {
        if let Place::Header { name, prefix } = place
            && headers.get(name.as_str()).any(|value| behind(value, prefix).is_some())
        {
            edits.push(Edit::Remove(name.clone()));
        }
    }
    let names = places.cookies();
    if !names.is_empty() {
        let mut removed = false;
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in headers.get("cookie") {
            match cookie::without(line, &names) {
                Some(rest) => {
                    removed = true;
                    lines.push(rest);
                }
                None => lines.push(line.to_vec()),
            }
        }
        lines.retain(|line| !line.is_empty());
        if removed {
            edits.push(match HeaderValue::new(lines.join(&b"; "[..])) {
                Some(rest) if !lines.is_empty() => Edit::Set(COOKIE, rest),
                _ => Edit::Remove(COOKIE),
            });
        }
    }
    let names = places.parameters();
    if !names.is_empty()
        && let Some(target) = path::without_query(headers.target(), &names).and_then(HeaderValue::new)
    {
        edits.push(Edit::Target(target));
    }
}
