//! Which requests a rule is for.

use super::cidr::Cidr;
use super::claim::ClaimMatch;
use super::host::HostMatch;
use super::method::MethodMatch;
use super::named::{Named, Of};
use super::path::PathMatch;
use super::string::StringMatch;
use crate::authority::Authority;
use crate::cookie::Cookies;
use crate::facts::{Facts, Needs};
use crate::path::{EscapedSlashes, Query, Readings};
use crate::truth::Truth;
use mesh_config::kind::some;
use mesh_config::kinds::{List, list, nested, object};
use mesh_config::{Kind, ProblemKind};
use std::cell::OnceCell;
use std::net::IpAddr;

/// Maximum number of matches within each other, the outermost included.
const MAX_DEPTH: usize = 8;

/// Maximum number of items of each part, which are tried one by one.
const MAX_ITEMS: usize = 1000;

mesh_config::object! {
    /// The `match` of a rule. Every part that is given must hold; the default holds always.
    ///
    /// `hosts`, `methods`, `client_ip` and `any` hold if one of their items does; `headers`, `cookies`,
    /// `query` and `claims` if all of theirs do. A host, a method or a path that upstreams may read in several
    /// ways can leave the match [undecided](Truth::Undecided).
    #[derive(Clone, Debug, Default)]
    pub struct RequestMatch {
        /// One of them is the host, in any case. `*.` stands for all subdomains; `:8443` names a port, `:*` any
        /// port and none.
        hosts: Vec<HostMatch> = restriction(items(HostMatch::kind())),
        /// One of them is the method.
        methods: Vec<MethodMatch> = restriction(items(MethodMatch::kind())),
        /// The test holds for the path without the query.
        path: Option<PathMatch> = restriction(some(PathMatch::kind())),
        /// All of the tests hold.
        headers: Vec<Named> = restriction(items(Named::test_of(Of::Header))),
        /// All of the tests hold.
        cookies: Vec<Named> = restriction(items(Named::test_of(Of::Cookie))),
        /// All of the tests hold.
        query: Vec<Named> = restriction(items(Named::test_of(Of::Parameter))),
        /// The client's address is in one of these ranges.
        client_ip: Vec<Cidr> = restriction(items(Cidr::kind())),
        /// The test holds for the identity in the peer's certificate: its URI SAN, else its DNS SAN, else its
        /// subject.
        principal: Option<StringMatch> = restriction(some(StringMatch::kind())),
        /// All of the tests hold for the claims of the verified token.
        claims: Vec<ClaimMatch> = restriction(items(ClaimMatch::kind())),
        /// One of these matches holds.
        any: Vec<RequestMatch> = restriction(items(within())),
        /// This match does not hold.
        not: Option<Box<RequestMatch>> = restriction(some(within().map(Box::new))),
    }
}

fn items<K: Kind>(item: K) -> List<'static, K> {
    list(item).not_empty().at_most(MAX_ITEMS, "items")
}

/// A match within a match: one that holds always is a mistake there.
fn within() -> impl Kind<Out = RequestMatch> {
    nested(object::<RequestMatch>(), MAX_DEPTH, "matches").and_then(|value, within| {
        if within.holds_always() {
            return value.expected(ProblemKind::Missing, "at least one part: this match holds always");
        }
        Some(within)
    })
}

impl RequestMatch {
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

#[cfg(test)]
mod tests;
