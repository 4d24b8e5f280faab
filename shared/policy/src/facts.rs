//! What a policy can know of a request.

use crate::headers::Headers;
use std::net::IpAddr;

/// The facts of one request. Only what a policy [`Needs`] is fetched; the rest is empty.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The request's headers.
    pub headers: &'a Headers,
    /// Headers of the request that only the filter may set, as the client spelt them. They are no longer in
    /// [`Facts::headers`].
    pub removed: &'a Headers,
    /// `source.address` as the connection manager computed it, without the port. `None` if the client's
    /// address is in `x-forwarded-for`, see [`Needs::trusted_hops`].
    pub source: Option<IpAddr>,
    /// The identity of the peer's certificate: its URI SAN, else its DNS SAN, else its subject.
    pub principal: Option<&'a [u8]>,
    /// The claims of the verified token, a JSON object; `None` without a verified token.
    pub claims: Option<&'a serde_json::Value>,
    /// The fetched [`Needs::attributes`].
    pub attributes: &'a [Attribute],
}

/// An attribute of the proxy or of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The parts of the attribute's name.
    pub path: Vec<String>,
    /// The value; `None` if the proxy has none.
    pub value: Option<Vec<u8>>,
}

static NO_HEADERS: Headers = Headers::EMPTY;

impl<'a> Facts<'a> {
    /// The facts of a request of which only the headers are known.
    #[must_use]
    pub const fn of(headers: &'a Headers) -> Self {
        Self { headers, removed: &NO_HEADERS, source: None, principal: None, claims: None, attributes: &[] }
    }

    /// The value of a fetched attribute.
    #[must_use]
    pub fn attribute(&self, path: &[String]) -> Option<&'a [u8]> {
        self.attributes.iter().find(|attribute| attribute.path == path)?.value.as_deref()
    }
}

/// What a policy needs to know. Each fact costs a call to the proxy, so only these are fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The header map.
    pub headers: bool,
    /// The client's address: [`Facts::source`], unless [`Needs::trusted_hops`] gives it.
    pub source: bool,
    /// Position in `x-forwarded-for` of the client's address, counted from the right; 0 if it is not there.
    /// Where the header holds an address, [`Facts::source`] is not fetched.
    pub trusted_hops: usize,
    /// [`Facts::principal`].
    pub principal: bool,
    /// [`Facts::claims`].
    pub claims: bool,
    /// Proxy attributes, each as the path of its name: `["request", "protocol"]`.
    pub attributes: Vec<Vec<String>>,
}

impl Needs {
    /// Adds the needs of another part of the policy.
    pub fn add(&mut self, other: &Self) {
        self.headers |= other.headers;
        self.source |= other.source;
        self.trusted_hops = self.trusted_hops.max(other.trusted_hops);
        self.principal |= other.principal;
        self.claims |= other.claims;
        for attribute in &other.attributes {
            if !self.attributes.contains(attribute) {
                self.attributes.push(attribute.clone());
            }
        }
    }
}
