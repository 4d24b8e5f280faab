//! The parts of a limit's key, read from a request.

use crate::config::KeyPart;
use policy::client_ip::masked;
use policy::facts::Facts;
use policy::matching::claim::find;
use std::borrow::Cow;
use std::net::IpAddr;

/// The value of whatever is sent more than once. No header can hold it.
const REPEATED: &[u8] = b"\0repeated";

impl KeyPart {
    /// The part's value for this request; `None` if the request does not have it.
    ///
    /// What is sent twice is [`REPEATED`], whatever the values: upstreams take the first or the last of
    /// them, so a client could make keys at will beside a credential that stays good.
    pub(crate) fn value<'a>(&'a self, facts: &Facts<'a>, client_ip: Option<IpAddr>) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::ClientIp { v4_prefix, v6_prefix } => {
                client_ip.map(|ip| Cow::Owned(Self::address(masked(ip, *v4_prefix, *v6_prefix))))
            }
            Self::Header(name) => all(facts.headers.get(name.as_str()).map(Cow::Borrowed)),
            Self::Cookie(name) => all(policy::cookie::values(facts.headers, name).map(Cow::Borrowed)),
            Self::Query(name) => all(policy::path::query(facts.headers.target(), name)),
            Self::Path => Some(policy::path::normalise(facts.headers.target())),
            Self::Method => some(Cow::Borrowed(facts.headers.method())),
            Self::Host => some(policy::matching::host::normalise(facts.headers.authority())),
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

fn all<'a>(mut values: impl Iterator<Item = Cow<'a, [u8]>>) -> Option<Cow<'a, [u8]>> {
    let first = values.next()?;
    Some(if values.next().is_some() { Cow::Borrowed(REPEATED) } else { first })
}
