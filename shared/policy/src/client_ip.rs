//! The client's address.

use crate::facts::{Facts, Needs};
use crate::headers::Headers;
use crate::matching::cidr::network;
use mesh_config::kinds::integer;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mesh_config::object! {
    /// The config's `client_ip`: where the client's address is found.
    ///
    /// Every trusted proxy appends the address that it saw to `x-forwarded-for`, so what trusted proxies
    /// wrote is counted from the right. Anything further left comes from the client.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ClientIp {
        /// Where the client's address is: 0 for the source address as Envoy computes it, N for the Nth
        /// element of `x-forwarded-for` from the right.
        trusted_hops: usize = default(0, integer(0..=100)),
    }
}

/// The client's address, and how it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The address; an IPv4-mapped IPv6 address as IPv4. `None` if the peer is a Unix socket or Envoy itself.
    pub ip: Option<IpAddr>,
    /// Whether `x-forwarded-for` held no address at the configured position, so that this is the peer's.
    /// Filters count this: the config does not fit the network, or a client bypasses the proxies.
    pub fallback: bool,
}

impl ClientIp {
    /// The client's address.
    #[must_use]
    pub fn resolve(&self, facts: &Facts<'_>) -> Resolved {
        let source = facts.source.map(|source| source.to_canonical());
        if self.trusted_hops == 0 {
            return Resolved { ip: source, fallback: false };
        }
        match forwarded_address(facts.headers, self.trusted_hops) {
            None => Resolved { ip: source, fallback: true },
            ip => Resolved { ip, fallback: false },
        }
    }

    /// The facts that [`ClientIp::resolve`] needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let trusted_hops = self.trusted_hops;
        Needs { headers: trusted_hops > 0, source: true, trusted_hops, ..Needs::default() }
    }
}

/// The address in `x-forwarded-for` at this position, counted from the right. `None` if there is none, and for
/// position 0.
#[must_use]
pub fn forwarded_address(headers: &Headers, trusted_hops: usize) -> Option<IpAddr> {
    let nearer = trusted_hops.checked_sub(1)?;
    let lines = headers.get("x-forwarded-for").rev();
    // An empty element counts: a trusted proxy writes none, and a client's must not move the count.
    let element = lines.flat_map(|line| line.rsplit(|byte| *byte == b',')).nth(nearer)?;
    parse_address(element.trim_ascii())
}

/// Reads an address in the form of Envoy's `source.address` or of `x-forwarded-for`, with or without a port:
/// `192.0.2.1:80`, `[2001:db8::1]:80`. Maps IPv4-mapped IPv6 addresses to IPv4 and drops a zone
/// (`fe80::1%eth0`). `None` for anything else, such as the path of a Unix socket.
#[must_use]
pub fn parse_address(text: &[u8]) -> Option<IpAddr> {
    // An address has at most 45 bytes, followed by a zone and a port.
    const MAX: usize = 80;
    let text = Some(text).filter(|text| text.len() <= MAX)?;
    if let Some((address, port)) = leading_ipv4(text) {
        return (port.is_empty() || is_port(port)).then_some(IpAddr::V4(address));
    }
    let text = str::from_utf8(text).ok()?;
    let address = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            parse_ipv6(address).filter(|_| port.is_empty() || is_port(port.as_bytes()))?
        }
        None => parse_ipv6(text)?,
    };
    Some(IpAddr::V6(address).to_canonical())
}

/// The IPv4 address that a text begins with, as the standard library reads it, and the rest. Nearly every
/// request has one, and the standard library takes three times as long.
fn leading_ipv4(text: &[u8]) -> Option<(Ipv4Addr, &[u8])> {
    let (first, rest) = leading_octet(text)?;
    let (second, rest) = leading_octet(rest.strip_prefix(b".")?)?;
    let (third, rest) = leading_octet(rest.strip_prefix(b".")?)?;
    let (fourth, rest) = leading_octet(rest.strip_prefix(b".")?)?;
    Some((Ipv4Addr::new(first, second, third, fourth), rest))
}

/// A decimal number up to 255 without leading zeros, and the rest.
fn leading_octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = text;
    let mut octet: u8 = 0;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        let is_leading_zero = octet == 0 && rest.len() < text.len();
        if is_leading_zero {
            return None;
        }
        octet = octet.checked_mul(10)?.checked_add(digit - b'0')?;
        rest = after;
    }
    (rest.len() < text.len()).then_some((octet, rest))
}

fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    text.split_once('%').map_or(text, |(address, _zone)| address).parse().ok()
}

/// Whether the text is a colon and a valid port.
fn is_port(text: &[u8]) -> bool {
    let Some((b':', digits @ [_, ..])) = text.split_first() else { return false };
    let port = digits.iter().try_fold(0u16, |port, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        port.checked_mul(10)?.checked_add(digit)
    });
    port.is_some()
}

/// The network of an address: its first `v4_prefix` or `v6_prefix` bits, the others zero. A prefix longer than
/// the address keeps all bits. One IPv6 client commonly has a whole /64.
#[must_use]
pub fn masked(ip: IpAddr, v4_prefix: u8, v6_prefix: u8) -> IpAddr {
    match ip.to_canonical() {
        ip @ IpAddr::V4(_) => network(ip, v4_prefix),
        ip @ IpAddr::V6(_) => network(ip, v6_prefix),
    }
}

#[cfg(test)]
mod tests;
