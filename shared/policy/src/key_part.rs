//! Parts of a key, by which requests are counted or distinguished.

use crate::authority::Authority;
use crate::client_ip::masked;
use crate::cookie;
use crate::facts::Needs;
use crate::headers::{HeaderName, folded_credentials, trimmed};
use crate::matching::claim::{claim_path, find, whole_text};
use crate::matching::cookie_name;
use crate::matching::method::parse_method;
use crate::matching::request::MatchInput;
use crate::path::{folded, pattern_in};
use mesh_config::kinds::{Object, by_fields, either, integer, list, object, string, text};
use mesh_config::{Form, JsonType, Kind, ProblemKind, Value, quoted, shorten};
use std::borrow::Cow;
use std::net::IpAddr;

/// A part of a key. All parts together identify a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// The client's address, or its network.
    ClientIp(Prefixes),
    /// A header.
    Header(HeaderName),
    /// A cookie.
    Cookie(String),
    /// A parameter of the query.
    Query(String),
    /// The path without the query, [folded](crate::path::folded).
    Path,
    /// The method, in upper case.
    Method,
    /// The host, [folded](crate::authority::Authority::folded).
    Host,
    /// A claim of the verified token.
    Claim(Vec<String>),
    /// The identity of the peer's certificate.
    Principal,
    /// An attribute of the proxy, by the parts of its name.
    Attribute(Vec<String>),
    /// A constant string.
    Constant(String),
}

mesh_config::object! {
    /// Which network an address stands for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Prefixes {
        /// How many bits of an IPv4 address count.
        pub v4_prefix: u8 = default(32, integer(1..=32)),
        /// How many bits of an IPv6 address count. One IPv6 client commonly has all of a /64.
        pub v6_prefix: u8 = default(64, integer(1..=128)),
    }
}

mesh_config::object! {
    /// An object without fields.
    #[derive(Clone, Copy, Debug)]
    struct NoFields {}
}

/// The parts that can be written as a word.
const BARE: [(&str, KeyPart); 5] = [
    ("client_ip", KeyPart::ClientIp(Prefixes { v4_prefix: 32, v6_prefix: 64 })),
    ("path", KeyPart::Path),
    ("method", KeyPart::Method),
    ("host", KeyPart::Host),
    ("principal", KeyPart::Principal),
];

/// The parts that need an argument.
const WITH_ARGUMENT: [&str; 6] = ["header", "cookie", "query", "claim", "attribute", "constant"];

/// The value of a repeated header, cookie or parameter. It is not a valid header value.
const REPEATED: &[u8] = b"\0repeated";

impl Object for KeyPart {
    type Context<'a> = ();

    const NAME: &'static str = "KeyPart";

    #[inline(never)]
    fn read(value: &Value<'_>, (): ()) -> Option<Self> {
        by_fields(value, ())
    }

    fn fields<F: Form>(form: &mut F, (): ()) -> Option<Self> {
        let not_host = HeaderName::kind_by(|value, name| match HeaderName::read(value, name) {
            Some(name) if name.as_str() == "host" => {
                value.expected(ProblemKind::Conflict, "another header; for the host use `host`")
            }
            name => name,
        });
        form.one_of()
            .case("client_ip", "The client's network.", Prefixes::kind(), Self::ClientIp)
            .case("header", "The value of this header.", not_host, Self::Header)
            .case("cookie", "The value of this cookie.", text(cookie_name).not_empty(), Self::Cookie)
            .case("query", "The value of this query parameter.", string().not_empty(), Self::Query)
            .case("path", "The path without the query.", NoFields::kind(), |_| Self::Path)
            .case("method", "The method, in upper case.", NoFields::kind(), |_| Self::Method)
            .case("host", "The host, without port and trailing dot.", NoFields::kind(), |_| Self::Host)
            .case("claim", "This claim of the verified token.", claim_path(), Self::Claim)
            .case("principal", "The identity in the peer's certificate.", NoFields::kind(), |_| {
                Self::Principal
            })
            .case("attribute", "This attribute of Envoy.", attribute(), Self::Attribute)
            .case("constant", "This string.", string().not_empty(), Self::Constant)
            .end()
    }
}

/// An attribute's name: `source.port`, or an array of its parts where a part has a dot.
fn attribute() -> impl Kind<Out = Vec<String>> {
    let parts = list(string::<String>().not_empty()).not_empty();
    let name = text(|_, name| Some(name.split('.').map(str::to_owned).collect())).not_empty();
    either(JsonType::Array, parts, name)
}

impl KeyPart {
    /// `"path"`, `{"path": {}}` or `{"header": "x-api-key"}`.
    pub fn kind() -> impl Kind<Out = Self> {
        const WORDS: &str = "^(client_ip|path|method|host|principal)$";
        either(JsonType::String, text(Self::bare).described_as(WORDS, &[]), object::<Self>())
    }

    fn bare(value: &Value<'_>, word: &str) -> Option<Self> {
        if WITH_ARGUMENT.contains(&word) {
            let expected = format_args!("it with its argument, as {{\"{word}\": \"…\"}}");
            return value.expected(ProblemKind::Missing, expected);
        }
        let words = BARE.each_ref().map(|(word, _)| *word);
        if word.contains('-') && HeaderName::new(word).is_some() && !words.contains(&&*word.replace('-', "_"))
        {
            let header = format_args!("for a header write {{\"header\": \"{}\"}}", shorten(word));
            let expected = format_args!("one of {}; {header}", quoted(words));
            return value.expected(ProblemKind::UnknownWord, expected);
        }
        let index = value.word(&words)?;
        BARE.get(index).map(|(_, part)| part.clone())
    }

    /// An override's string for this part as the bytes that a request would have.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn literal(&self, text: &str) -> Result<Vec<u8>, Cow<'static, str>> {
        Ok(match self {
            Self::ClientIp(prefixes) => {
                prefixes.network(text.parse::<IpAddr>().map_err(|_| "an IP address")?)
            }
            Self::Constant(constant) if constant != text => {
                return Err(format!("`{constant}`, as the limit's `key` has").into());
            }
            Self::Path if text.contains(['?', '#']) => return Err("a path without its query".into()),
            Self::Path => match (pattern_in(text.as_bytes()), folded(text.as_bytes())) {
                (Some(pattern), _) => {
                    return Err(format!("one path: {pattern} is compared as text here").into());
                }
                (None, path) => path.ok_or("a path")?.into_owned(),
            },
            Self::Host => match Authority::of(text.as_bytes()) {
                host @ Authority::Named { .. } => host.folded().ok_or("a host")?.into_owned(),
                Authority::Empty | Authority::Ambiguous => return Err("a host".into()),
            },
            Self::Method => parse_method(text)?.into_bytes(),
            Self::Header(_) | Self::Cookie(_) if trimmed(text.as_bytes()).len() < text.len() => {
                return Err("no space at its ends: values are compared without".into());
            }
            Self::Header(name) => folded_header(name, text.as_bytes()).into_owned(),
            Self::Cookie(_) => cookie::folded(cookie::unquoted(text.as_bytes())).into_owned(),
            Self::Query(_) | Self::Claim(_) | Self::Principal | Self::Attribute(_) | Self::Constant(_) => {
                text.as_bytes().to_vec()
            }
        })
    }

    /// What [`KeyPart::value`] reads. If that includes the client's address, complete it with
    /// [`Settings::complete`](crate::settings::Settings::complete).
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::ClientIp(_) => Needs { source: true, ..Needs::default() },
            Self::Claim(_) => Needs { claims: true, ..Needs::default() },
            Self::Principal => Needs { principal: true, ..Needs::default() },
            Self::Attribute(path) => Needs { attributes: vec![path.clone()], ..Needs::default() },
            Self::Constant(_) => Needs::default(),
            Self::Header(_) | Self::Cookie(_) | Self::Query(_) | Self::Path | Self::Method | Self::Host => {
                Needs { headers: true, ..Needs::default() }
            }
        }
    }

    /// The part's value for this request; `None` if the request lacks it.
    ///
    /// Spellings that upstreams may read alike have one value; otherwise a client could create any number of keys with one
    /// credential. All repeated headers, cookies and parameters have one value, too, as upstreams read the first or the
    /// last one.
    pub fn value<'a>(&'a self, request: &'a MatchInput<'_>) -> Option<Cow<'a, [u8]>> {
        self.read(request, Some(REPEATED))
    }

    /// The part's value as [`KeyPart::value`], but `None` for a repeated header, cookie or parameter. A choice by the value
    /// that all of these have in common would treat them as one client.
    pub fn single<'a>(&'a self, request: &'a MatchInput<'_>) -> Option<Cow<'a, [u8]>> {
        self.read(request, None)
    }

    /// The part's value; `repeated` is that of a repeated header, cookie or parameter.
    fn read<'a>(
        &'a self,
        request: &'a MatchInput<'_>,
        repeated: Option<&'static [u8]>,
    ) -> Option<Cow<'a, [u8]>> {
        let facts = request.facts();
        match self {
            Self::ClientIp(prefixes) => request.client_ip().map(|ip| Cow::Owned(prefixes.network(ip))),
            Self::Header(name) => {
                only(facts.headers.get(name.as_str()), repeated).map(|value| folded_header(name, value))
            }
            Self::Cookie(name) => only(request.cookies().values(name), repeated).map(cookie::folded),
            Self::Query(name) => only(request.query().values(name), repeated).map(Cow::Borrowed),
            Self::Path => folded(facts.headers.target()),
            Self::Method => {
                let method = facts.headers.method();
                (!method.is_empty()).then(|| Cow::Owned(method.to_ascii_uppercase()))
            }
            Self::Host => request.authority().folded(),
            Self::Claim(path) => Some(match whole_text(find(facts.claims?, path)?)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
            Self::Principal => facts.principal.map(Cow::Borrowed),
            Self::Attribute(path) => facts.attribute(path).map(Cow::Borrowed),
            Self::Constant(constant) => Some(Cow::Borrowed(constant.as_bytes())),
        }
    }

    /// Kind and name of the part, without values, for a client whose request lacks it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::ClientIp(_) => "client address".to_owned(),
            Self::Header(name) => format!("header {}", name.as_str()),
            Self::Cookie(name) => format!("cookie {name}"),
            Self::Query(name) => format!("query parameter {name}"),
            Self::Path => "path".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Claim(path) => format!("claim {}", path.join(".")),
            Self::Principal => "client certificate".to_owned(),
            Self::Attribute(path) => format!("attribute {}", path.join(".")),
            // Never missing, and its string is not for clients.
            Self::Constant(_) => "constant".to_owned(),
        }
    }
}

impl Prefixes {
    /// The network of an address, as a value of a key.
    fn network(self, ip: IpAddr) -> Vec<u8> {
        match masked(ip, self.v4_prefix, self.v6_prefix) {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        }
    }
}

/// The only value, or `repeated` if there are several.
fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>, repeated: Option<&'a [u8]>) -> Option<&'a [u8]> {
    let first = values.next()?;
    if values.next().is_some() { repeated } else { Some(first) }
}

/// The canonical form of a header's value.
fn folded_header<'a>(name: &HeaderName, value: &'a [u8]) -> Cow<'a, [u8]> {
    match name.as_str() {
        "authorization" | "proxy-authorization" => folded_credentials(value),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests;
