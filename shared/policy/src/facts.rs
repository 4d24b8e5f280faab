//! What a policy can know of a request.

use crate::headers::{HeaderName, Headers};
use crate::path::Expansions;
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
    /// Where the readings of the path are kept for other configs, if there may be any.
    pub paths: Option<&'a Expansions>,
}

/// What a client sent in place of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// No such header, in any spelling.
    Nothing,
    /// This value, once, and under that very name.
    Once(&'a [u8]),
    /// Several values, or another spelling: upstreams may read different ones.
    Ambiguous,
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
        Self {
            headers,
            removed: &NO_HEADERS,
            source: None,
            principal: None,
            claims: None,
            attributes: &[],
            paths: None,
        }
    }

    /// The value of a fetched attribute.
    #[must_use]
    pub fn attribute<S: AsRef<str>>(&self, path: &[S]) -> Option<&'a [u8]> {
        let is_named = |attribute: &&Attribute| {
            attribute.path.iter().map(String::as_str).eq(path.iter().map(AsRef::as_ref))
        };
        self.attributes.iter().find(is_named)?.value.as_deref()
    }

    /// What the client sent in place of a header that only the filter may set.
    #[must_use]
    pub fn sent(&self, name: &HeaderName) -> Sent<'a> {
        let mut spelt = self.removed.spelt_like(name);
        match (spelt.next(), spelt.next()) {
            (None, _) => Sent::Nothing,
            (Some(_), None) => self.removed.first(name.as_str()).map_or(Sent::Ambiguous, Sent::Once),
            (Some(_), Some(_)) => Sent::Ambiguous,
        }
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

    /// Adds the needs of another config, which may find the client's address in another place: then [`Facts::source`] is
    /// fetched in any case, since one of the two may need it where the other does not.
    pub fn add_config(&mut self, other: &Self) {
        let is_elsewhere = self.source && other.source && self.trusted_hops != other.trusted_hops;
        self.add(other);
        if is_elsewhere {
            self.trusted_hops = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Facts, Needs, Sent};
    use crate::headers::{HeaderName, Headers};
    use crate::testing::test;

    #[track_caller]
    fn check(removed: &[(&str, &str)], expected: Sent<'_>) {
        let removed = Headers::from_pairs(removed.iter().copied());
        let facts = Facts { removed: &removed, ..Facts::of(&removed) };
        assert_eq!(facts.sent(&HeaderName::from_static("x-a")), expected);
    }

    #[test]
    fn only_what_every_upstream_reads_alike_is_a_value() {
        check(&[], Sent::Nothing);
        check(&[("x-b", "1")], Sent::Nothing);
        check(&[("x-a", "1")], Sent::Once(b"1"));
        check(&[("X-A", "")], Sent::Once(b""));
        check(&[("x-a", "1"), ("x-a", "1")], Sent::Ambiguous);
        check(&[("x-a", "1"), ("x_a", "2")], Sent::Ambiguous);
        check(&[("x_a", "1")], Sent::Ambiguous);
    }

    /// Position 0: the source is fetched whatever `x-forwarded-for` holds.
    #[test]
    fn configs_that_look_for_the_address_in_several_places_need_the_source() {
        let source = |trusted_hops| Needs { source: true, trusted_hops, ..Needs::default() };
        let nothing = Needs::default();
        for (configs, expected) in [
            (vec![source(2), source(2)], 2),
            (vec![source(0), source(2)], 0),
            (vec![source(2), source(0)], 0),
            (vec![source(1), source(2)], 0),
            (vec![source(1), source(2), source(2)], 0),
            (vec![nothing.clone(), source(2), nothing.clone()], 2),
        ] {
            let mut needs = Needs::default();
            configs.iter().for_each(|config| needs.add_config(config));
            assert_eq!((needs.source, needs.trusted_hops), (true, expected), "{configs:?}");
        }
    }

    #[test]
    fn an_attribute_is_found_by_all_parts_of_its_name() {
        let path = ["upstream", "address"].map(str::to_owned).to_vec();
        let attributes = [Attribute { path: path.clone(), value: Some(b"a".to_vec()) }];
        let facts = Facts { attributes: &attributes, ..Facts::of(&super::NO_HEADERS) };
        assert_eq!(
            (facts.attribute(&path), facts.attribute(&["upstream", "address"])),
            (Some(&b"a"[..]), Some(&b"a"[..]))
        );
        assert_eq!(
            (facts.attribute(&["upstream"]), facts.attribute(&["upstream", "address", "x"])),
            (None, None)
        );
    }
}
