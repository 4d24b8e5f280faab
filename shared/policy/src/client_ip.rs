//! The client's address.

use crate::facts::{Facts, Needs};
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

/// The client's address, and whether it is a fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The address; an IPv4-mapped IPv6 address is converted to IPv4. `None` if the peer is a Unix socket or Envoy itself.
    pub ip: Option<IpAddr>,
    /// Whether this is the peer's address, as `x-forwarded-for` has too few addresses: the config does not fit the network,
    /// or a client bypasses the proxies.
    pub fallback: bool,
}

impl ClientIp {
    /// Determines the client's address. Scans `x-forwarded-for` from the right, only up to the required element.
    #[must_use]
    pub fn resolve(&self, facts: &Facts<'_>) -> Resolved {
        let source = facts.source.map(|source| source.to_canonical());
        let Some(nearer) = self.trusted_hops.checked_sub(1) else {
            return Resolved { ip: source, fallback: false };
        };
        let lines = facts.headers.get("x-forwarded-for").rev();
        // Empty elements count: trusted proxies do not write any, and a client's must not shift the count.
        let element = lines.flat_map(|line| line.rsplit(|byte| *byte == b',')).nth(nearer);
        match element.and_then(|element| parse_address(element.trim_ascii())) {
            None => Resolved { ip: source, fallback: true },
            ip => Resolved { ip, fallback: false },
        }
    }

    /// The facts that [`ClientIp::resolve`] needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        Needs { headers: self.trusted_hops > 0, source: true, ..Needs::default() }
    }
}

/// Parses an address as in Envoy's `source.address` and in `x-forwarded-for`, with or without a port: `192.0.2.1:80`,
/// `[2001:db8::1]:80`. An IPv4-mapped IPv6 address is converted to IPv4; a zone (`fe80::1%eth0`) is dropped. `None` for
/// anything else, such as the path of a Unix socket.
#[must_use]
pub fn parse_address(text: &[u8]) -> Option<IpAddr> {
    // The longest address has 45 bytes; a zone and a port may follow.
    const MAX: usize = 80;
    let text = str::from_utf8(Some(text).filter(|text| text.len() <= MAX)?).ok()?;
    let address = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            IpAddr::V6(parse_ipv6(address).filter(|_| port.is_empty() || is_port(port))?)
        }
        None => match parse_ipv6(text) {
            Some(address) => IpAddr::V6(address),
            None => {
                let (address, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
                let address: Ipv4Addr = address.parse().ok()?;
                IpAddr::V4(Some(address).filter(|_| port.is_empty() || is_port(port))?)
            }
        },
    };
    Some(address.to_canonical())
}

fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    text.split_once('%').map_or(text, |(address, _zone)| address).parse().ok()
}

/// Whether the text is a colon and a valid port.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.is_some_and(|digits| digits.parse::<u16>().is_ok())
}

/// The network of an address: the first `v4_prefix` or `v6_prefix` bits, with the others set to zero. A prefix longer
/// than the address keeps the entire address.
#[must_use]
pub fn masked(ip: IpAddr, v4_prefix: u8, v6_prefix: u8) -> IpAddr {
    match ip.to_canonical() {
        ip @ IpAddr::V4(_) => network(ip, v4_prefix),
        ip @ IpAddr::V6(_) => network(ip, v6_prefix),
    }
}

#[cfg(test)]
mod tests;
