//! What a limit counts by.

use crate::policy::key::folded_header;
use mesh_config::{Fields, Value, quoted};
use mesh_policy::authority::Authority;
use mesh_policy::client_ip::{ClientIp, masked};
use mesh_policy::cookie;
use mesh_policy::facts::Needs;
use mesh_policy::headers::{HeaderName, trimmed};
use mesh_policy::matching::claim::claim_path;
use mesh_policy::matching::method::read_method;
use mesh_policy::path::{folded, pattern_in};
use std::borrow::Cow;
use std::net::IpAddr;

/// A part of a key. The parts together name a bucket.
#[derive(Clone, Debug)]
pub enum KeyPart {
    /// The client's address, or the network that it is in.
    ClientIp {
        /// Bits of an IPv4 address that count.
        v4_prefix: u8,
        /// Bits of an IPv6 address that count.
        v6_prefix: u8,
    },
    /// A header.
    Header(HeaderName),
    /// A cookie.
    Cookie(String),
    /// A parameter of the query.
    Query(String),
    /// The path without the query, [folded](mesh_policy::path::folded).
    Path,
    /// The method, in upper case.
    Method,
    /// The host, [folded](mesh_policy::authority::Authority::folded).
    Host,
    /// A claim of the verified token.
    Claim(Vec<String>),
    /// The identity of the peer's certificate.
    Principal,
    /// An attribute of the proxy, by the parts of its name.
    Attribute(Vec<String>),
    /// A text.
    Constant(String),
}

/// One IPv6 client commonly has all of a /64: counting single addresses would count nothing.
const DEFAULT_V6_PREFIX: u64 = 64;

/// The names of the parts, and whether each has an argument.
const PARTS: [(&str, bool); 11] = [
    ("client_ip", false),
    ("header", true),
    ("cookie", true),
    ("query", true),
    ("path", false),
    ("method", false),
    ("host", false),
    ("claim", true),
    ("principal", false),
    ("attribute", true),
    ("constant", true),
];

impl KeyPart {
    /// Reads `"path"`, `{"path": {}}` or `{"header": "x-api-key"}`.
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        if value.is_text() {
            let text = value.text()?;
            if PARTS.contains(&(text, true)) {
                return value.expected(format_args!("it with its argument, as {{\"{text}\": \"…\"}}"));
            }
            let without_arguments: Vec<(&str, &str)> =
                PARTS.iter().filter(|(_, argument)| !argument).map(|(name, _)| (*name, *name)).collect();
            return Self::bare(value.choice(&without_arguments)?);
        }
        let mut given = Vec::new();
        let found = value.object(|fields| {
            let no_null = match PARTS.iter().find(|(name, _)| fields.is_null(name)) {
                None => Some(()),
                Some((name, true)) => fields.problem(name, "found null, expected its argument"),
                Some((name, false)) => fields
                    .problem(name, &format!("found null, expected an object, or `{name}` alone as the part")),
            };
            let parts: Vec<Option<Self>> = PARTS
                .iter()
                .filter_map(|(name, _)| fields.get(name).map(|value| (*name, value)))
                .map(|(name, value)| {
                    given.push(name);
                    Self::named(name, value)
                })
                .collect();
            no_null?;
            parts.into_iter().collect::<Option<Vec<Self>>>()
        })?;
        match <[Self; 1]>::try_from(found) {
            Ok([part]) => Some(part),
            Err(none) if none.is_empty() => value.problem(format_args!(
                "found no part, expected one of {}",
                quoted(PARTS.iter().map(|(name, _)| *name))
            )),
            Err(_) => value.problem(format_args!(
                "found {}, expected one of them only: another part is another item",
                quoted(given.iter().copied())
            )),
        }
    }

    fn bare(name: &str) -> Option<Self> {
        Some(match name {
            "client_ip" => Self::ClientIp { v4_prefix: 32, v6_prefix: DEFAULT_V6_PREFIX as u8 },
            "path" => Self::Path,
            "method" => Self::Method,
            "host" => Self::Host,
            "principal" => Self::Principal,
            _ => return None,
        })
    }

    fn named(name: &str, value: Value<'_>) -> Option<Self> {
        let text = |value: Value<'_>| value.non_empty_text().map(str::to_owned);
        match name {
            "client_ip" => value.object(|fields| {
                let prefix = |name, default, bits| {
                    fields
                        .or(name, default, |value| value.integer(1..=bits))
                        .and_then(|bits| u8::try_from(bits).ok())
                };
                let (v4_prefix, v6_prefix) =
                    (prefix("v4_prefix", 32, 32), prefix("v6_prefix", DEFAULT_V6_PREFIX, 128));
                Some(Self::ClientIp { v4_prefix: v4_prefix?, v6_prefix: v6_prefix? })
            }),
            "header" => match HeaderName::read(value.clone()) {
                Some(name) if name.as_str() == "host" => {
                    value.expected("another header; for the host use `host`")
                }
                name => name.map(Self::Header),
            },
            "cookie" => match value.non_empty_text() {
                Some(name) if HeaderName::new(name).is_none() => value.expected("a cookie name"),
                name => name.map(|name| Self::Cookie(name.to_owned())),
            },
            "query" => text(value).map(Self::Query),
            "claim" => claim_path(value).map(Self::Claim),
            "attribute" => read_attribute(value).map(Self::Attribute),
            "constant" => text(value).map(Self::Constant),
            name => value.object(|_: &Fields<'_>| Self::bare(name)),
        }
    }

    /// An override's text for this part as the bytes that a request would have.
    pub(super) fn literal(&self, value: &Value<'_>) -> Option<Vec<u8>> {
        let text = value.text()?;
        match self {
            Self::ClientIp { v4_prefix, v6_prefix } => match text.parse::<IpAddr>() {
                Ok(ip) => Some(Self::address(masked(ip, *v4_prefix, *v6_prefix))),
                Err(_) => value.expected("an IP address"),
            },
            Self::Constant(constant) if constant != text => {
                value.expected(format_args!("`{constant}`, as the limit's `key` has"))
            }
            Self::Path if text.contains(['?', '#']) => value.expected("a path without its query"),
            Self::Path => match (pattern_in(text.as_bytes()), folded(text.as_bytes())) {
                (Some(pattern), _) => {
                    value.expected(format_args!("one path: {pattern} is compared as text here"))
                }
                (None, Some(path)) => Some(path.into_owned()),
                (None, None) => value.expected("a path"),
            },
            Self::Host => match Authority::of(text.as_bytes()) {
                host @ Authority::Named { .. } => host.folded().map(Cow::into_owned),
                Authority::Empty | Authority::Ambiguous => value.expected("a host"),
            },
            Self::Method => read_method(value).map(String::into_bytes),
            Self::Header(_) | Self::Cookie(_) if trimmed(text.as_bytes()).len() < text.len() => {
                value.expected("no space at its ends: values are compared without")
            }
            Self::Header(name) => Some(folded_header(name, text.as_bytes()).into_owned()),
            Self::Cookie(_) => Some(cookie::folded(cookie::unquoted(text.as_bytes())).into_owned()),
            Self::Query(_) | Self::Claim(_) | Self::Principal | Self::Attribute(_) | Self::Constant(_) => {
                Some(text.as_bytes().to_vec())
            }
        }
    }

    pub(super) fn needs(&self, client_ip: &ClientIp) -> Needs {
        match self {
            Self::ClientIp { .. } => client_ip.needs(),
            Self::Claim(_) => Needs { claims: true, ..Needs::default() },
            Self::Principal => Needs { principal: true, ..Needs::default() },
            Self::Attribute(path) => Needs { attributes: vec![path.clone()], ..Needs::default() },
            Self::Constant(_) => Needs::default(),
            Self::Header(_) | Self::Cookie(_) | Self::Query(_) | Self::Path | Self::Method | Self::Host => {
                Needs { headers: true, ..Needs::default() }
            }
        }
    }
}

/// An attribute's name: `source.port`, or a list of its parts where a part holds a dot.
fn read_attribute(value: Value<'_>) -> Option<Vec<String>> {
    if value.is_list() {
        return value.non_empty_list(|part| part.non_empty_text().map(str::to_owned));
    }
    Some(value.non_empty_text()?.split('.').map(str::to_owned).collect())
}
