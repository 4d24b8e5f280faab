//! The `match` of a rule: a test on a request.

use super::cidr::Cidr;
use super::claim::ClaimMatch;
use super::host::HostMatch;
use super::method::MethodMatch;
use super::named::{NamedMatch, Of};
use super::path::PathMatch;
use super::string::StringMatch;
use crate::authority::Authority;
use crate::cookie::Cookies;
use crate::facts::{Facts, Needs};
use crate::path::{EscapedSlashes, Query, Readings};
use crate::truth::Truth;
use mesh_config::kind::some;
use mesh_config::kinds::{List, list, nested, object};
use mesh_config::{Kind, ProblemKind, Value};
use std::cell::OnceCell;
use std::net::IpAddr;

/// Maximum number of matches within each other, the outermost included.
const MAX_DEPTH: usize = 8;

/// Maximum number of items of each part, which are tried one by one.
const MAX_ITEMS: usize = 1000;

mesh_config::object! {
    /// The `match` of a rule. Every given part must match; the default matches always.
    ///
    /// `hosts`, `methods`, `client_ip` and `any` match if one of their items does; `headers`, `cookies`,
    /// `query` and `claims` if all of theirs do. A host, a method or a path that upstreams may read in several
    /// ways can leave the match [undecided](Truth::Undecided).
    #[derive(Clone, Debug, Default)]
    pub struct RequestMatch {
        /// One of them is the host, in any case. `*.` stands for all subdomains; `:8443` names a port, `:*` any
        /// port and none.
        hosts: Vec<HostMatch> = restriction(items(HostMatch::kind())),
        /// One of them is the method.
        methods: Vec<MethodMatch> = restriction(items(MethodMatch::kind())),
        /// A test on the path without the query.
        path: Option<PathMatch> = restriction(some(PathMatch::kind())),
        /// All of these tests pass.
        headers: Vec<NamedMatch> = restriction(items(NamedMatch::test_of(Of::Header))),
        /// All of these tests pass.
        cookies: Vec<NamedMatch> = restriction(items(NamedMatch::test_of(Of::Cookie))),
        /// All of these tests pass.
        query: Vec<NamedMatch> = restriction(items(NamedMatch::test_of(Of::Parameter))),
        /// The client's address is in one of these ranges.
        client_ip: Vec<Cidr> = restriction(items(Cidr::kind())),
        /// A test on the identity in the peer's certificate: its URI SAN, else its DNS SAN, else its
        /// subject.
        principal: Option<StringMatch> = restriction(some(StringMatch::kind())),
        /// All of these tests on the claims of the verified token pass.
        claims: Vec<ClaimMatch> = restriction(items(ClaimMatch::kind())),
        /// The request matches at least one of these.
        any: Vec<RequestMatch> = restriction(items(within())),
        /// The request does not match this.
        not: Option<Box<RequestMatch>> = restriction(some(within().map(Box::new))),
    }
}

fn items<K: Kind>(item: K) -> List<'static, K> {
    list(item).not_empty().at_most(MAX_ITEMS, "items")
}

/// A match within a match: one that holds always is a mistake there.
fn within() -> impl Kind<Out = RequestMatch> {
    nested(object::<RequestMatch>(), MAX_DEPTH, "matches").and_then(refuse_always)
}

fn refuse_always(value: &Value<'_>, matches: RequestMatch) -> Option<RequestMatch> {
    if matches.holds_always() {
        return value.expected(ProblemKind::Missing, "at least one part: this match holds always");
    }
    Some(matches)
}

impl RequestMatch {
    /// How a match is read that must not hold always.
    pub fn selective() -> impl Kind<Out = Self> {
        object::<Self>().and_then(refuse_always)
    }

    /// The facts that [`RequestMatch::test`] needs. `source` stands for the client's address: if it is set, add the needs of
    /// the filter's `ClientIp`.
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

    /// Whether any part of the match, at any depth, tests the host.
    #[must_use]
    pub fn tests_host(&self) -> bool {
        self.hosts.iter().any(HostMatch::is_selective)
            || self.any.iter().chain(self.not.as_deref()).any(Self::tests_host)
    }

    /// Whether any part of the match, at any depth, tests a header whose name passes.
    pub fn tests_header(&self, passes: &dyn Fn(&str) -> bool) -> bool {
        self.headers.iter().any(|header| passes(&header.name))
            || self.any.iter().chain(self.not.as_deref()).any(|within| within.tests_header(passes))
    }

    /// A header without which no request matches, if there is one at the outermost level.
    #[must_use]
    pub fn required_header(&self) -> Option<&str> {
        let nothing = || std::iter::empty::<&[u8]>();
        let required = self.headers.iter().find(|header| !header.test.is_match_any(nothing()));
        required.map(|header| &*header.name)
    }

    /// Whether the path's template has a segment of this name, which [`RequestMatch::capture`] then finds in every path that
    /// matches. Templates of nested matches do not count, as these need not hold.
    #[must_use]
    pub fn has_capture(&self, name: &str) -> bool {
        self.path.as_ref().is_some_and(|test| test.has_capture(name))
    }

    /// The undecoded segment of `path`, one of the request's [`Readings`], that the path's template names; see
    /// [`decode_segment`](crate::path::decode_segment). `None` if there is no such name, or the path does not match. Other
    /// parts of the match are not tested.
    #[must_use]
    pub fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.path.as_ref()?.capture(path, name)
    }

    fn holds_always(&self) -> bool {
        self.needs() == Needs::default()
    }

    /// Whether the request matches. Cheap parts are tested first.
    #[must_use]
    pub fn test(&self, request: &MatchInput<'_>) -> Truth {
        let Facts { headers, principal, claims, .. } = *request.facts;
        let in_range = |range: &Cidr| request.client_ip.is_some_and(|address| range.contains(address)).into();
        any_or_none(&self.methods, |method| method.test(headers.method()))
            .and(|| any_or_none(&self.hosts, |host| host.test(request.authority())))
            .and(|| self.path.as_ref().map_or(Truth::Yes, |test| test.test(request.path())))
            .and(|| any_or_none(&self.client_ip, in_range))
            .and(|| self.principal.as_ref().is_none_or(|test| test.is_match_any(principal.iter())).into())
            .and(|| all(&self.headers, |NamedMatch { name, test }| test.is_match_any(headers.get(name))))
            .and(|| {
                all(&self.cookies, |NamedMatch { name, test }| {
                    test.is_match_any(request.cookies().values(name))
                })
            })
            .and(|| {
                all(&self.query, |NamedMatch { name, test }| test.is_match_any(request.query().values(name)))
            })
            .and(|| all(&self.claims, |claim| claim.is_match(claims)))
            .and(|| self.not.as_ref().map_or(Truth::Yes, |within| !within.test(request)))
            .and(|| any_or_none(&self.any, |within| within.test(request)))
    }
}

/// A request to be matched. Expensive parts are parsed lazily and once for all rules, as a client may send a target of
/// 60 KB, and a config may have hundreds of rules.
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
    /// `client_ip` is the address that the filter's [`ClientIp`](crate::client_ip::ClientIp) has determined.
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

    /// Sets the client's address, where another config finds it. What was parsed of the request stays.
    pub const fn set_client_ip(&mut self, client_ip: Option<IpAddr>) {
        self.client_ip = client_ip;
    }

    /// Sets how escaped slashes are read.
    #[must_use]
    pub fn with_escaped_slashes(self, escaped_slashes: EscapedSlashes) -> Self {
        Self { escaped_slashes, ..self }
    }

    /// The facts of the request.
    #[must_use]
    pub const fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// The client's address.
    #[must_use]
    pub const fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The readings of the request's path.
    pub fn path(&self) -> &Readings<'a> {
        self.path
            .get_or_init(|| Readings::of(self.facts.headers.target(), self.escaped_slashes, self.facts.paths))
    }

    /// The parsed authority.
    pub fn authority(&self) -> &Authority<'a> {
        self.authority.get_or_init(|| Authority::of(self.facts.headers.authority()))
    }

    /// The parsed cookies.
    pub fn cookies(&self) -> &Cookies<'a> {
        self.cookies.get_or_init(|| Cookies::of(self.facts.headers))
    }

    /// The parsed query.
    pub fn query(&self) -> &Query<'a> {
        self.query.get_or_init(|| Query::of(self.facts.headers.target()))
    }
}

/// Whether one of the items holds, or there are none because the part is not configured.
fn any_or_none<T>(items: &[T], test: impl FnMut(&T) -> Truth) -> Truth {
    if items.is_empty() { Truth::Yes } else { Truth::any(items.iter().map(test)) }
}

fn all<T>(items: &[T], test: impl FnMut(&T) -> bool) -> Truth {
    items.iter().all(test).into()
}

#[cfg(test)]
mod tests;
