//! Which requests a rule is for.

use super::cidr::Cidr;
use super::claim::ClaimMatch;
use super::host::HostMatch;
use super::named::{Named, cookie_name, header_name, parameter_name};
use super::path::PathMatch;
use super::string::StringMatch;
use crate::config::{Fields, Value};
use crate::facts::{Facts, Needs};
use crate::{cookie, path};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

/// The `match` of a rule. Every part that is given must hold; the default holds always.
///
/// `hosts`, `methods`, `client_ip` and `any` hold if one of their items does; `headers`, `cookies`,
/// `query` and `claims` if all of theirs do.
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {
    hosts: Vec<HostMatch>,
    methods: Vec<Box<str>>,
    path: Option<PathMatch>,
    headers: Vec<Named>,
    cookies: Vec<Named>,
    query: Vec<Named>,
    client_ip: Vec<Cidr>,
    principal: Option<StringMatch>,
    claims: Vec<ClaimMatch>,
    any: Vec<RequestMatch>,
    not: Option<Box<RequestMatch>>,
}

/// The most matches within each other.
const MAX_DEPTH: usize = 8;

/// The most items of a list: they are tried one by one.
const MAX_ITEMS: usize = 1000;

impl RequestMatch {
    /// Reads a match from a config.
    pub fn read(value: Value<'_>) -> Option<Self> {
        Self::read_at(&value, MAX_DEPTH)
    }

    /// A match within a match: one that holds always is a mistake there.
    fn read_within(value: &Value<'_>, depth: usize) -> Option<Self> {
        if depth == 0 {
            return value.problem(format_args!("found more than {MAX_DEPTH} matches within each other"));
        }
        let within = Self::read_at(value, depth)?;
        if within.holds_always() {
            value.expected("at least one part: this match holds always")
        } else {
            Some(within)
        }
    }

    fn read_at(value: &Value<'_>, depth: usize) -> Option<Self> {
        value.object(|fields| {
            let hosts = list(fields, "hosts", HostMatch::read);
            let methods = list(fields, "methods", read_method);
            let path = fields.optional("path", PathMatch::read);
            let headers = list(fields, "headers", |item| Named::read(item, header_name));
            let cookies = list(fields, "cookies", |item| Named::read(item, cookie_name));
            let query = list(fields, "query", |item| Named::read(item, parameter_name));
            let client_ip = list(fields, "client_ip", Cidr::read);
            let principal = fields.optional("principal", StringMatch::read);
            let claims = list(fields, "claims", ClaimMatch::read);
            let any = list(fields, "any", |item| Self::read_within(&item, depth - 1));
            let not = fields.optional("not", |value| Self::read_within(&value, depth - 1));
            Some(Self {
                hosts: hosts?,
                methods: methods?,
                path: path?,
                headers: headers?,
                cookies: cookies?,
                query: query?,
                client_ip: client_ip?,
                principal: principal?,
                claims: claims?,
                any: any?,
                not: not?.map(Box::new),
            })
        })
    }

    /// Whether the request is one that the rule is for.
    #[must_use]
    pub fn is_match(&self, request: &Candidate<'_>) -> bool {
        self.holds(request)
    }

    /// What [`RequestMatch::is_match`] reads. If `source` is among it, the client's address is: add
    /// what the filter's `ClientIp` needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut needs = Needs {
            headers: !(self.hosts.is_empty()
                && self.methods.is_empty()
                && self.path.is_none()
                && self.headers.is_empty()
                && self.cookies.is_empty()
                && self.query.is_empty()),
            source: !self.client_ip.is_empty(),
            principal: self.principal.is_some(),
            claims: !self.claims.is_empty(),
            attributes: Vec::new(),
        };
        self.any.iter().chain(self.not.as_deref()).for_each(|within| needs.add(&within.needs()));
        needs
    }

    /// Whether the template of the path, if that is the test, names a segment so: [`RequestMatch::capture`]
    /// finds it in every path that passes. Not those of the matches within this one: they need not hold.
    #[must_use]
    pub fn has_capture(&self, name: &str) -> bool {
        self.path.as_ref().is_some_and(|test| test.has_capture(name))
    }

    /// The segment that the template of the path names so, as it stands in `path`, which is
    /// [`normalise`](path::normalise)d: see [`decode_segment`](path::decode_segment). `None` if there is no
    /// such name or the path does not pass; the other parts of the match are not asked.
    #[must_use]
    pub fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.path.as_ref()?.capture(path, name)
    }

    fn holds_always(&self) -> bool {
        self.needs() == Needs::default()
    }

    /// The cheap parts come first.
    fn holds(&self, request: &Candidate<'_>) -> bool {
        let Facts { headers, principal, claims, .. } = *request.facts;
        let method = || headers.method();
        let authority = || headers.authority();
        let in_range = |range: &Cidr| request.client_ip.is_some_and(|address| range.contains(address));
        any_or_none(&self.methods, |known| known.as_bytes() == method())
            && any_or_none(&self.hosts, |host| host.is_match(authority()))
            && self.path.as_ref().is_none_or(|test| test.is_match(request.path()))
            && any_or_none(&self.client_ip, in_range)
            && self.principal.as_ref().is_none_or(|test| test.is_match_any(principal.iter()))
            && self.headers.iter().all(|Named { name, test }| test.is_match_any(headers.get(name)))
            && self
                .cookies
                .iter()
                .all(|Named { name, test }| test.is_match_any(cookie::values(headers, name)))
            && self
                .query
                .iter()
                .all(|Named { name, test }| test.is_match_any(path::query(headers.target(), name)))
            && self.claims.iter().all(|claim| claim.is_match(claims))
            && self.not.as_ref().is_none_or(|within| !within.holds(request))
            && any_or_none(&self.any, |within| within.holds(request))
    }
}

/// A request before the rules. What costs is found out once for all of them, and only if one asks: a client
/// may send a path of 60 KB, and a config may have hundreds of rules.
pub struct Candidate<'a> {
    facts: &'a Facts<'a>,
    client_ip: Option<IpAddr>,
    path: OnceCell<Cow<'a, [u8]>>,
}

impl<'a> Candidate<'a> {
    /// `client_ip`: what the filter's [`ClientIp`](crate::client_ip::ClientIp) made of the facts.
    #[must_use]
    pub const fn new(facts: &'a Facts<'a>, client_ip: Option<IpAddr>) -> Self {
        Self { facts, client_ip, path: OnceCell::new() }
    }

    /// The facts.
    #[must_use]
    pub const fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// The path in its [normal form](path::normalise).
    pub fn path(&self) -> &[u8] {
        self.path.get_or_init(|| path::normalise(self.facts.headers.target()))
    }
}

/// No item: the part is not given.
fn any_or_none<T>(items: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    items.is_empty() || items.iter().any(holds)
}

fn list<'a, T>(
    fields: &Fields<'a>,
    name: &'static str,
    item: impl FnMut(Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    fields.or(name, Vec::new(), |value| {
        let items = value.non_empty_list(item)?;
        if items.len() > MAX_ITEMS {
            return value.problem(format_args!("found {} items, expected at most {MAX_ITEMS}", items.len()));
        }
        Some(items)
    })
}

/// Methods are case-sensitive (RFC 9110, section 9.1) and, by custom, in upper case.
fn read_method(value: Value<'_>) -> Option<Box<str>> {
    match crate::headers::HeaderName::new(value.text()?) {
        Some(token) => Some(token.as_str().to_ascii_uppercase().into()),
        None => value.expected("a method, as `GET`"),
    }
}

#[cfg(test)]
mod tests;
