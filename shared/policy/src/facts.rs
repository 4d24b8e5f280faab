//! What a policy may know of a request.

use crate::headers::Headers;
use std::net::IpAddr;

/// The facts of one request. The host fetches only what a policy [`Needs`]; the rest is empty.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The request's headers.
    pub headers: &'a Headers,
    /// `source.address` as the connection manager computed it, without the port.
    pub source: Option<IpAddr>,
    /// The identity of the peer's certificate: its URI SAN, else its DNS SAN, else its subject.
    pub principal: Option<&'a [u8]>,
    /// The claims of the verified token, a JSON object; `None` without a verified token.
    pub claims: Option<&'a serde_json::Value>,
    /// The values of [`Needs::attributes`], in their order.
    pub attributes: &'a [Option<Vec<u8>>],
}

/// What a policy needs to know. Asking the proxy costs; what nobody needs is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The header map.
    pub headers: bool,
    /// [`Facts::source`].
    pub source: bool,
    /// [`Facts::principal`].
    pub principal: bool,
    /// [`Facts::claims`].
    pub claims: bool,
    /// Proxy attributes, each as the path of its name: `["request", "protocol"]`.
    pub attributes: Vec<Vec<String>>,
}

impl Needs {
    /// Adds what another part of the policy needs. Attributes keep their place; a new one goes
    /// to the end, an old one is not doubled.
    pub fn add(&mut self, other: &Self) {
        self.headers |= other.headers;
        self.source |= other.source;
        self.principal |= other.principal;
        self.claims |= other.claims;
        for attribute in &other.attributes {
            self.attribute(attribute);
        }
    }

    /// Adds an attribute and answers its place in [`Facts::attributes`].
    pub fn attribute(&mut self, path: &[String]) -> usize {
        match self.attributes.iter().position(|known| known == path) {
            Some(index) => index,
            None => {
                self.attributes.push(path.to_vec());
                self.attributes.len() - 1
            }
        }
    }
}
