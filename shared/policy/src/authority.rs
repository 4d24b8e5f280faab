//! The authority of a request (`:authority`, or `host`).

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A strictly parsed authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority<'a> {
    /// The request has no authority.
    Empty,
    /// A host, possibly with a port.
    Named {
        /// The host, without the port.
        host: Host<'a>,
        /// The port, if there is one.
        port: Option<Port<'a>>,
    },
    /// Anything else, such as user information, two hosts joined by a comma, or a port without digits. Readers differ
    /// in which host that is.
    Ambiguous,
}

/// A host name or an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// Labels of letters, digits, `-` and `_`, separated by dots. Includes IPv4 addresses.
    Name {
        /// The labels, in their original case.
        name: &'a [u8],
        /// Whether a trailing dot follows.
        dot: bool,
    },
    /// An IPv6 address in brackets.
    V6 {
        /// The parsed address.
        address: Ipv6Addr,
        /// The original spelling. An address has several, and Envoy's routes distinguish them.
        text: &'a [u8],
    },
}

/// A port, as its original digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port<'a>(&'a [u8]);

impl<'a> Authority<'a> {
    /// Parses the value of `:authority`.
    #[must_use]
    pub fn of(authority: &'a [u8]) -> Self {
        if authority.is_empty() {
            return Self::Empty;
        }
        let (host, port) = match authority.iter().rposition(|byte| matches!(byte, b':' | b']')) {
            Some(index) if authority.get(index) == Some(&b':') => {
                let (host, port) = authority.split_at_checked(index).unwrap_or((authority, b""));
                match Port::of(port.strip_prefix(b":").unwrap_or_default()) {
                    Some(port) => (host, Some(port)),
                    None => return Self::Ambiguous,
                }
            }
            _ => (authority, None),
        };
        Host::of(host).map_or(Self::Ambiguous, |host| Self::Named { host, port })
    }

    /// A canonical form for counting requests: equal for all authorities with one host, regardless of case, port and
    /// trailing dot, and equal for all ambiguous ones. `None` if there is no authority.
    #[must_use]
    pub fn folded(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Empty => None,
            Self::Ambiguous => Some(Cow::Borrowed(b"\0ambiguous")),
            Self::Named { host: Host::V6 { address, .. }, .. } => {
                Some(Cow::Owned(format!("[{address}]").into_bytes()))
            }
            Self::Named { host: Host::Name { name, .. }, .. } => Some(lower_case(name)),
        }
    }
}

impl<'a> Host<'a> {
    fn of(host: &'a [u8]) -> Option<Self> {
        if let Some(text) = host.strip_prefix(b"[") {
            let text = text.strip_suffix(b"]")?;
            let address = str::from_utf8(text).ok()?.parse().ok()?;
            return Some(Self::V6 { address, text });
        }
        let (name, dot) = host.strip_suffix(b".").map_or((host, false), |name| (name, true));
        let is_label = |label: &[u8]| {
            !label.is_empty()
                && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        name.split(|byte| *byte == b'.').all(is_label).then_some(Self::Name { name, dot })
    }
}

impl<'a> Port<'a> {
    fn of(digits: &'a [u8]) -> Option<Self> {
        (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(Self(digits))
    }

    /// The original digits.
    #[must_use]
    pub const fn digits(self) -> &'a [u8] {
        self.0
    }

    /// The number; `None` if it exceeds 65535.
    #[must_use]
    pub fn number(self) -> Option<u16> {
        str::from_utf8(self.0).ok()?.parse().ok()
    }
}

fn lower_case(name: &[u8]) -> Cow<'_, [u8]> {
    if name.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, Host};
    use crate::testing::test;

    /// The folded host, whether a dot follows, and the port.
    fn read(authority: &[u8]) -> Option<(String, bool, String)> {
        let read = Authority::of(authority);
        let Authority::Named { host, port } = read else { return None };
        let folded = String::from_utf8(read.folded().unwrap().into_owned()).unwrap();
        let dot = matches!(host, Host::Name { dot: true, .. });
        Some((
            folded,
            dot,
            String::from_utf8(port.map_or(Vec::new(), |port| port.digits().to_vec())).unwrap(),
        ))
    }

    #[track_caller]
    fn check(authority: &str, folded: &str, dot: bool, port: &str) {
        let expected = Some((folded.to_owned(), dot, port.to_owned()));
        assert_eq!(read(authority.as_bytes()), expected, "{authority}");
    }

    #[test]
    fn hosts_and_ports() {
        check("API.example.com", "api.example.com", false, "");
        check("api.example.com:8080", "api.example.com", false, "8080");
        check("api.example.com.", "api.example.com", true, "");
        check("api.example.com.:080", "api.example.com", true, "080");
        check("a_b-c", "a_b-c", false, "");
        check("192.0.2.1:80", "192.0.2.1", false, "80");
        check("[::1]", "[::1]", false, "");
        check("[0:0::1]:80", "[::1]", false, "80");
    }

    #[test]
    fn what_is_ambiguous() {
        for authority in [
            &b"a.test:1@b.test"[..],
            b"u@a.test",
            b"a.test..",
            b"a..test",
            b".a.test",
            b".",
            b"a.test:",
            b"a.test:8o",
            b"a.test:80:80",
            b":80",
            b"a.test,b.test",
            b"a.test, b.test",
            b"a test",
            b"a.test/x",
            b"a%2etest",
            b"::1",
            b"[::1",
            b"[::1]x",
            b"[fe80::1%25eth0]",
            b"[a.test]",
            b"a.test\xff",
            b"m\xc3\xbcnchen.example",
        ] {
            assert_eq!(Authority::of(authority), Authority::Ambiguous, "{}", authority.escape_ascii());
        }
        assert_eq!(Authority::of(b""), Authority::Empty);
    }

    #[test]
    fn all_that_is_ambiguous_counts_as_one() {
        assert_eq!(Authority::of(b"u@a").folded(), Authority::of(b"v@b").folded());
        assert_eq!(Authority::of(b"").folded(), None);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::Authority;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn case_port_and_dot_do_not_make_another_host(
            name in "[a-zA-Z0-9_-]{1,5}(\\.[a-zA-Z0-9_-]{1,5}){0,3}", dot in "\\.?", port in "(:[0-9]{1,6})?",
        ) {
            let authority = format!("{name}{dot}{port}");
            let folded = Authority::of(authority.as_bytes()).folded().unwrap().into_owned();
            prop_assert_eq!(folded, name.to_ascii_lowercase().into_bytes());
        }

        #[test]
        fn arbitrary_bytes_are_an_authority_of_some_kind(bytes in "[a.:@\\[\\]1%-]{0,8}", other: Vec<u8>) {
            let _ = (Authority::of(bytes.as_bytes()).folded(), Authority::of(&other).folded());
        }
    }
}
