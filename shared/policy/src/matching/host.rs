//! A test on the host that a request is for.

use crate::config::Value;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// One host, all subdomains of one (`*.example.com`, at any depth, not `example.com` itself), or
/// any (`*`). Case, the port and a trailing dot do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostMatch(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Exact(Box<[u8]>),
    /// With the dot in front.
    Under(Box<[u8]>),
    /// Compared as an address: `[::1]` has many spellings.
    V6(Ipv6Addr),
}

impl HostMatch {
    /// Reads `api.example.com`, `*.example.com`, `*`, `192.0.2.1` or `[2001:db8::1]`.
    pub fn read(value: Value<'_>) -> Option<Self> {
        let text = value.text()?;
        if text == "*" {
            return Some(Self(Pattern::Any));
        }
        if let Some(address) = ipv6(text.as_bytes()) {
            return Some(Self(Pattern::V6(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let pattern = match name.strip_prefix('*') {
            Some(under) if under.starts_with('.') => Pattern::Under(under.as_bytes().into()),
            _ => Pattern::Exact(name.as_bytes().into()),
        };
        let labels = name.strip_prefix("*.").unwrap_or(name);
        if labels.len() <= 253 && labels.split('.').all(is_label) {
            return Some(Self(pattern));
        }
        value.expected(if !text.is_ascii() {
            "a host in its ASCII form, as `xn--mnchen-3ya.example`"
        } else if text.contains("://") || text.contains('/') {
            "a host only, without scheme and path"
        } else if text.parse::<Ipv6Addr>().is_ok() {
            "an IPv6 address in brackets, as `[::1]`"
        } else if text.contains(':') {
            "a host without its port, which is not compared"
        } else {
            "a host, `*.` and a host for its subdomains, or `*`"
        })
    }

    /// Whether `authority`, the value of `:authority`, names such a host.
    #[must_use]
    pub fn is_match(&self, authority: &[u8]) -> bool {
        let host = without_port(authority);
        match &self.0 {
            Pattern::Any => true,
            Pattern::V6(address) => ipv6(host) == Some(*address),
            Pattern::Exact(name) => without_dot(host).eq_ignore_ascii_case(name),
            Pattern::Under(suffix) => {
                let host = without_dot(host);
                let start = host.len().checked_sub(suffix.len()).filter(|start| *start > 0);
                start.and_then(|start| host.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
        }
    }
}

/// The host of an `:authority` as one spelling: in lower case, without the port and a trailing dot.
#[must_use]
pub fn normalise(authority: &[u8]) -> Cow<'_, [u8]> {
    let host = without_dot(without_port(authority));
    if host.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// What stands before the last colon, unless that is within brackets (as Envoy's `getPortStart`).
fn without_port(authority: &[u8]) -> &[u8] {
    let end = match authority.iter().rposition(|byte| matches!(byte, b':' | b']')) {
        Some(index) if authority.get(index) == Some(&b':') => index,
        _ => authority.len(),
    };
    authority.get(..end).unwrap_or(authority)
}

fn without_dot(host: &[u8]) -> &[u8] {
    host.strip_suffix(b".").unwrap_or(host)
}

fn ipv6(host: &[u8]) -> Option<Ipv6Addr> {
    str::from_utf8(host.strip_prefix(b"[")?.strip_suffix(b"]")?).ok()?.parse().ok()
}

fn is_label(label: &str) -> bool {
    // An underscore is in no host name, but in names of services.
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::HostMatch;
    use crate::config::read;
    use crate::testing::test;

    fn host(text: &str) -> Result<HostMatch, String> {
        let config = format!(r#"{{"h": "{text}"}}"#);
        read(config.as_bytes(), |fields| fields.required("h", HostMatch::read))
            .map_err(|problems| problems.to_string())
    }

    #[track_caller]
    fn check(text: &str, matches: &[&[u8]], fails: &[&[u8]]) {
        let test = host(text).unwrap();
        for (authorities, expected) in [(matches, true), (fails, false)] {
            for authority in authorities {
                assert_eq!(test.is_match(authority), expected, "{text} on {}", authority.escape_ascii());
            }
        }
    }

    #[track_caller]
    fn check_problem(text: &str, expected: &str) {
        assert_eq!(host(text).err().unwrap_or_default(), format!("h: found `{text}`, expected {expected}"));
    }

    #[test]
    fn exact_hosts() {
        check(
            "api.Example.com",
            &[
                b"api.example.com",
                b"API.EXAMPLE.COM",
                b"api.example.com:8080",
                b"api.example.com.",
                b"api.example.com.:80",
            ],
            &[
                b"",
                b"example.com",
                b"xapi.example.com",
                b"api.example.com.evil",
                b"api.example.com\xff",
                b"api.example.com..",
            ],
        );
        check("example.com.", &[b"example.com"], &[b"com"]);
        check("192.0.2.1", &[b"192.0.2.1:80"], &[b"192.0.2.10"]);
        check("a_b", &[b"a_b"], &[]);
    }

    #[test]
    fn subdomains_at_any_depth_but_not_the_domain() {
        check(
            "*.example.com",
            &[b"a.example.com", b"a.b.example.com:1", b"A.Example.Com."],
            &[b"example.com", b".example.com", b"aexample.com", b"a.example.com.evil", b"", b":80"],
        );
    }

    #[test]
    fn one_spelling() {
        assert_eq!(super::normalise(b"API.example.com.:80").as_ref(), b"api.example.com");
        assert_eq!(super::normalise(b"[::1]:80").as_ref(), b"[::1]");
        assert_eq!(super::normalise(b"\xff").as_ref(), b"\xff");
    }

    #[test]
    fn any_host() {
        check("*", &[b"", b"a", b"\xff", b"[::1]:80"], &[]);
    }

    #[test]
    fn ipv6_addresses_are_compared_as_such() {
        check(
            "[::1]",
            &[b"[::1]", b"[::1]:80", b"[0:0:0:0:0:0:0:1]"],
            &[b"::1", b"[::2]", b"[::1", b"[::1]x"],
        );
        check("[2001:DB8::A]", &[b"[2001:db8::a]"], &[]);
    }

    #[test]
    fn what_is_no_host_says_what_to_write() {
        let general = "a host, `*.` and a host for its subdomains, or `*`";
        check_problem("", general);
        check_problem("a..b", general);
        check_problem("a.*.b", general);
        check_problem("*example.com", general);
        check_problem("**", general);
        check_problem("*.", general);
        check_problem("a b", general);
        check_problem("a.example:80", "a host without its port, which is not compared");
        check_problem("[::1]:80", "a host without its port, which is not compared");
        check_problem("::1", "an IPv6 address in brackets, as `[::1]`");
        check_problem("https://a.example", "a host only, without scheme and path");
        check_problem("münchen.example", "a host in its ASCII form, as `xn--mnchen-3ya.example`");
    }
}
