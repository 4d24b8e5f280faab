//! The parts of a limit's key, read from a request.

use crate::config::KeyPart;
use mesh_policy::client_ip::masked;
use mesh_policy::cookie;
use mesh_policy::headers::{HeaderName, folded_credentials};
use mesh_policy::matching::claim::find;
use mesh_policy::matching::request::MatchInput;
use mesh_policy::path::folded;
use std::borrow::Cow;
use std::net::IpAddr;

/// The value of whatever is sent more than once. No header can hold it.
const REPEATED: &[u8] = b"\0repeated";

impl KeyPart {
    /// The part's value for this request; `None` if the request does not have it.
    ///
    /// What upstreams may read alike is one value, in whatever spelling it came: a client could make keys at
    /// will beside a credential that stays good. So is what is sent twice, [`REPEATED`], since upstreams take
    /// the first or the last.
    pub(crate) fn value<'a>(&'a self, request: &'a MatchInput<'_>) -> Option<Cow<'a, [u8]>> {
        let facts = request.facts();
        match self {
            Self::ClientIp { v4_prefix, v6_prefix } => {
                request.client_ip().map(|ip| Cow::Owned(Self::address(masked(ip, *v4_prefix, *v6_prefix))))
            }
            Self::Header(name) => {
                all(facts.headers.get(name.as_str())).map(|value| folded_header(name, value))
            }
            Self::Cookie(name) => all(request.cookies().values(name)).map(cookie::folded),
            Self::Query(name) => all(request.query().values(name)).map(Cow::Borrowed),
            Self::Path => folded(facts.headers.target()),
            Self::Method => some(Cow::Owned(facts.headers.method().to_ascii_uppercase())),
            Self::Host => request.authority().folded(),
            Self::Claim(path) => claim(facts.claims?, path),
            Self::Principal => facts.principal.map(Cow::Borrowed),
            Self::Attribute(path) => facts.attribute(path).map(Cow::Borrowed),
            Self::Constant(constant) => Some(Cow::Borrowed(constant.as_bytes())),
        }
    }

    /// An address as a part of a key.
    pub(crate) fn address(ip: IpAddr) -> Vec<u8> {
        match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        }
    }
}

/// Text as it is, all else as JSON writes it.
fn claim<'a>(claims: &'a serde_json::Value, path: &[String]) -> Option<Cow<'a, [u8]>> {
    Some(match find(claims, path)? {
        serde_json::Value::String(text) => Cow::Borrowed(text.as_bytes()),
        other => Cow::Owned(other.to_string().into_bytes()),
    })
}

fn some(value: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    (!value.is_empty()).then_some(value)
}

fn all<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let first = values.next()?;
    Some(if values.next().is_some() { REPEATED } else { first })
}

/// A header's value in the spelling that it is counted by.
pub(crate) fn folded_header<'a>(name: &HeaderName, value: &'a [u8]) -> Cow<'a, [u8]> {
    match name.as_str() {
        "authorization" | "proxy-authorization" => folded_credentials(value),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests;
