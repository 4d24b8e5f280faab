//! A test on the request's host.

use crate::authority::{Authority, Host, Port};
use crate::truth::Truth;
use mesh_config::ProblemKind;
use mesh_config::kinds::{Text, text};
use std::net::Ipv6Addr;

/// A host, all its subdomains (`*.example.com`, at any depth, without `example.com` itself), or any host (`*`). Except for
/// `*`, with a port (`:8443`), with any port or none (`:*`), or without a port. Case is ignored.
///
/// When choosing a route, Envoy compares the port, a trailing dot and the spelling of an IPv6 address, unless it is
/// configured to strip the first two. So an authority that differs only in one of these is
/// [undecided](Truth::Undecided).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostMatch(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Host(Name, PortMatch),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// In lower case, without a trailing dot.
    Exact { name: Box<str>, dot: bool },
    /// The suffix of the name, in lower case, with a leading dot.
    Under { suffix: Box<str>, dot: bool },
    /// An address, and its spelling in lower case.
    V6 { address: Ipv6Addr, text: Box<str> },
}

/// The port that an authority must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortMatch {
    /// No port.
    Absent,
    /// Any port, or none.
    Any,
    /// This port.
    Number(u16),
}

impl HostMatch {
    /// `api.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, each also with `:8443` or `:*`,
    /// and `*`.
    #[must_use]
    pub const fn kind() -> Text<Self> {
        text(|value, host| match Self::parse(host) {
            Err(expected) => value.expected(ProblemKind::BadPattern, expected),
            Ok(host) => Some(host),
        })
        .described_as("", &["api.example.com", "*.example.com:*"])
    }

    /// Reads a host.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self(Pattern::Any));
        }
        Pattern::parse(text).map(Self).ok_or_else(|| advice(text))
    }

    /// Whether the authority passes the test.
    #[must_use]
    pub fn test(&self, authority: &Authority<'_>) -> Truth {
        let Pattern::Host(name, port) = &self.0 else { return Truth::Yes };
        match authority {
            Authority::Empty => Truth::No,
            Authority::Ambiguous => Truth::Undecided,
            Authority::Named { host, port: found } => name.test(host).and(|| port.test(*found)),
        }
    }

    /// A test for the host of an authority, with its own port or, with `any_port`, any port. `None` if the authority does
    /// not name a host, or has a port despite `any_port`.
    #[must_use]
    pub fn named_by(authority: &Authority<'_>, any_port: bool) -> Option<Self> {
        let Authority::Named { host, port } = authority else { return None };
        let port = match port {
            None if any_port => PortMatch::Any,
            None => PortMatch::Absent,
            // With `any_port` the authority must not have a port.
            Some(_) if any_port => return None,
            Some(port) => PortMatch::Number(port.number()?),
        };
        let name = match host {
            Host::V6 { address, text } => {
                Name::V6 { address: *address, text: str::from_utf8(text).ok()?.to_ascii_lowercase().into() }
            }
            Host::Name { name, dot } => {
                let name = str::from_utf8(name).ok()?.to_ascii_lowercase().into();
                Name::Exact { name, dot: *dot }
            }
        };
        Some(Self(Pattern::Host(name, port)))
    }

    /// The part of the host before the suffix: `a` of `a.example.com` for `*.example.com`. `None` if this is not a test for
    /// subdomains or the authority is not a name. Use [`HostMatch::test`] to check the suffix.
    #[must_use]
    pub fn front<'a>(&self, authority: &Authority<'a>) -> Option<&'a [u8]> {
        match (&self.0, authority) {
            (
                Pattern::Host(Name::Under { suffix, .. }, _),
                Authority::Named { host: Host::Name { name, .. }, .. },
            ) => name.get(..name.len().checked_sub(suffix.len())?),
            _ => None,
        }
    }

    /// Whether the result depends on the authority; not so for `*`.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.0 != Pattern::Any
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, PortMatch::parse(port)?),
            _ => (text, PortMatch::Absent),
        };
        if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            let name = Name::V6 { address: address.parse().ok()?, text: address.to_ascii_lowercase().into() };
            return Some(Self::Host(name, port));
        }
        let (name, dot) = host.strip_suffix('.').map_or((host, false), |name| (name, true));
        let lower = name.to_ascii_lowercase();
        let labels = lower.strip_prefix("*.").unwrap_or(&lower);
        if labels.len() > 253 || !labels.split('.').all(is_label) {
            return None;
        }
        Some(Self::Host(
            match lower.strip_prefix('*') {
                Some(suffix) => Name::Under { suffix: suffix.into(), dot },
                None => Name::Exact { name: lower.into(), dot },
            },
            port,
        ))
    }
}

impl Name {
    fn test(&self, host: &Host<'_>) -> Truth {
        let (is_same, pattern_dot) = match (self, host) {
            (Self::V6 { address, text }, Host::V6 { address: found, text: spelt }) => {
                let is_same_text = spelt.eq_ignore_ascii_case(text.as_bytes());
                return match (address == found, is_same_text) {
                    (true, true) => Truth::Yes,
                    (true, false) => Truth::Undecided,
                    (false, _) => Truth::No,
                };
            }
            (Self::Exact { name, dot }, Host::Name { name: found, .. }) => {
                (found.eq_ignore_ascii_case(name.as_bytes()), dot)
            }
            (Self::Under { suffix, dot }, Host::Name { name: found, .. }) => {
                let start = found.len().checked_sub(suffix.len()).filter(|start| *start > 0);
                let end = start.and_then(|start| found.get(start..));
                (end.is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes())), dot)
            }
            (Self::V6 { .. }, Host::Name { .. })
            | (Self::Exact { .. } | Self::Under { .. }, Host::V6 { .. }) => return Truth::No,
        };
        match (is_same, host) {
            (false, _) => Truth::No,
            (true, Host::Name { dot, .. }) if dot != pattern_dot => Truth::Undecided,
            (true, _) => Truth::Yes,
        }
    }
}

impl PortMatch {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self::Number)
    }

    /// Whether the port passes the test. Undecided for a port where none is expected, and for another spelling of the same
    /// number.
    #[must_use]
    pub fn test(self, found: Option<Port<'_>>) -> Truth {
        match (self, found) {
            (Self::Any, _) | (Self::Absent, None) => Truth::Yes,
            (Self::Absent, Some(_)) => Truth::Undecided,
            (Self::Number(_), None) => Truth::No,
            (Self::Number(number), Some(port)) => match port.number() {
                Some(found) if found != number => Truth::No,
                Some(_) if port.digits() == number.to_string().as_bytes() => Truth::Yes,
                _ => Truth::Undecided,
            },
        }
    }
}

fn is_label(label: &str) -> bool {
    // Host names have no underscores, but names of services may.
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What to write instead of a text that is no host.
fn advice(text: &str) -> &'static str {
    if !text.is_ascii() {
        "a host in its ASCII form, as `xn--mnchen-3ya.example`"
    } else if text.contains('/') {
        "a host only, without scheme and path"
    } else if text.parse::<Ipv6Addr>().is_ok() {
        "an IPv6 address in brackets, as `[::1]`"
    } else if text == "*:*" {
        "`*`, which holds for any port"
    } else if Pattern::parse(text.rsplit_once(':').map_or("", |(host, _)| host)).is_some() {
        "a port from 0 to 65535 behind the host, or `:*` for any port and none"
    } else {
        "a host, `*.` and a host for its subdomains, or `*`"
    }
}

#[cfg(test)]
mod tests;
