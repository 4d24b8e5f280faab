//! Which requests a rule is for.

use super::cidr::Cidr;
use super::claim::ClaimMatch;
use super::host::HostMatch;
use super::method::MethodMatch;
use super::named::{Named, header_name, parameter_name};
use super::path::PathMatch;
use super::string::StringMatch;
use super::truth::Truth;
use crate::authority::Authority;
use crate::cookie::Cookies;
use crate::facts::{Facts, Needs};
use crate::path::{EscapedSlashes, Query, Readings};
use mesh_config::{Fields, Value};
use std::cell::OnceCell;
use std::net::IpAddr;

/// The `match` of a rule. Every part that is given must hold; the default holds always.
///
/// `hosts`, `methods`, `client_ip` and `any` hold if one of their items does; `headers`, `cookies`,
/// `query` and `claims` if all of theirs do. A host, a method or a path that upstreams may read in several
/// ways can leave the match [undecided](Truth::Undecided).
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {
    hosts: Vec<HostMatch>,
    methods: Vec<MethodMatch>,
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
            let methods = list(fields, "methods", MethodMatch::read);
            let path = fields.restriction("path", PathMatch::read);
            let headers = list(fields, "headers", |item| Named::read_trimmed(item, header_name));
            let cookies = list(fields, "cookies", Named::read_cookie);
            let query = list(fields, "query", |item| Named::read(item, parameter_name));
            let client_ip = list(fields, "client_ip", Cidr::read);
            let principal = fields.restriction("principal", StringMatch::read);
            let claims = list(fields, "claims", ClaimMatch::read);
            let any = list(fields, "any", |item| Self::read_within(&item, depth - 1));
            let not = fields.restriction("not", |value| Self::read_within(&value, depth - 1));
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

    /// What [`RequestMatch::test`] reads. If `source` is among it, the client's address is: add
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
            ..Needs::default()
        };
        self.any.iter().chain(self.not.as_deref()).for_each(|within| needs.add(&within.needs()));
        needs
    }

    /// Whether a part of the match, at whatever depth, looks at the host.
    #[must_use]
    pub fn tests_host(&self) -> bool {
        self.hosts.iter().any(HostMatch::is_selective)
            || self.any.iter().chain(self.not.as_deref()).any(Self::tests_host)
    }

    /// Whether the template of the path, if that is the test, names a segment so: [`RequestMatch::capture`]
    /// finds it in every path that passes. Not those of the matches within this one: they need not hold.
    #[must_use]
    pub fn has_capture(&self, name: &str) -> bool {
        self.path.as_ref().is_some_and(|test| test.has_capture(name))
    }

    /// The segment that the template of the path names so, as it stands in `path`, one of the request's
    /// [`Readings`]: see [`decode_segment`](crate::path::decode_segment). `None` if there is no such name or
    /// the path does not pass; the other parts of the match are not asked.
    #[must_use]
    pub fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.path.as_ref()?.capture(path, name)
    }

    fn holds_always(&self) -> bool {
        self.needs() == Needs::default()
    }

    /// Whether the request is one that the rule is for. The cheap parts come first.
    #[must_use]
    pub fn test(&self, request: &MatchInput<'_>) -> Truth {
        let Facts { headers, principal, claims, .. } = *request.facts;
        let in_range = |range: &Cidr| request.client_ip.is_some_and(|address| range.contains(address)).into();
        any_or_none(&self.methods, |method| method.test(headers.method()))
            .and(|| any_or_none(&self.hosts, |host| host.test(request.authority())))
            .and(|| self.path.as_ref().map_or(Truth::Yes, |test| test.test(request.path())))
            .and(|| any_or_none(&self.client_ip, in_range))
            .and(|| self.principal.as_ref().is_none_or(|test| test.is_match_any(principal.iter())).into())
            .and(|| all(&self.headers, |Named { name, test }| test.is_match_any(headers.get(name))))
            .and(|| {
                all(&self.cookies, |Named { name, test }| test.is_match_any(request.cookies().values(name)))
            })
            .and(|| all(&self.query, |Named { name, test }| test.is_match_any(request.query().values(name))))
            .and(|| all(&self.claims, |claim| claim.is_match(claims)))
            .and(|| self.not.as_ref().map_or(Truth::Yes, |within| !within.test(request)))
            .and(|| any_or_none(&self.any, |within| within.test(request)))
    }
}

/// A request before the rules. What costs is found out once for all of them, and only if one asks: a client
/// may send a target of 60 KB, and a config may have hundreds of rules.
pub struct MatchInput<'a> {
    facts: &'a Facts<'a>,
    client_ip: Option<IpAddr>,
    escaped_slashes: EscapedSlashes,
    path: OnceCell<Readings<'a>>,
    authority: OnceCell<Authority<'a>>,
    cookies: OnceCell<Cookies<'a>>,
    query: OnceCell<Query<'a>>,
}

impl<'a> MatchInput<'a> {
    /// `client_ip`: what the filter's [`ClientIp`](crate::client_ip::ClientIp) made of the facts.
    #[must_use]
    pub const fn new(facts: &'a Facts<'a>, client_ip: Option<IpAddr>) -> Self {
        Self {
            facts,
            client_ip,
            escaped_slashes: EscapedSlashes::Either,
            path: OnceCell::new(),
            authority: OnceCell::new(),
            cookies: OnceCell::new(),
            query: OnceCell::new(),
        }
    }

    /// Reads an escaped slash in this way.
    #[must_use]
    pub fn with_escaped_slashes(self, escaped_slashes: EscapedSlashes) -> Self {
        Self { escaped_slashes, ..self }
    }

    /// The facts.
    #[must_use]
    pub const fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// The client's address.
    #[must_use]
    pub const fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The paths that upstreams may read.
    pub fn path(&self) -> &Readings<'a> {
        self.path.get_or_init(|| Readings::of(self.facts.headers.target(), self.escaped_slashes))
    }

    /// The authority.
    pub fn authority(&self) -> &Authority<'a> {
        self.authority.get_or_init(|| Authority::of(self.facts.headers.authority()))
    }

    /// The cookies.
    pub fn cookies(&self) -> &Cookies<'a> {
        self.cookies.get_or_init(|| Cookies::of(self.facts.headers))
    }

    /// The query.
    pub fn query(&self) -> &Query<'a> {
        self.query.get_or_init(|| Query::of(self.facts.headers.target()))
    }
}

/// No item: the part is not given.
fn any_or_none<T>(items: &[T], test: impl FnMut(&T) -> Truth) -> Truth {
    if items.is_empty() { Truth::Yes } else { Truth::any(items.iter().map(test)) }
}

fn all<T>(items: &[T], test: impl FnMut(&T) -> bool) -> Truth {
    items.iter().all(test).into()
}

fn list<'a, T>(
    fields: &Fields<'a>,
    name: &'static str,
    item: impl FnMut(Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = fields.restriction(name, |value| {
        let items = value.non_empty_list(item)?;
        if items.len() > MAX_ITEMS {
            return value.problem(format_args!("found {} items, expected at most {MAX_ITEMS}", items.len()));
        }
        Some(items)
    })?;
    Some(items.unwrap_or_default())
}

#[cfg(test)]
mod tests;
