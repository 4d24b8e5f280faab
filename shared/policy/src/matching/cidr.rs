//! Ranges of IP addresses (CIDR, RFC 4632; IPv6: RFC 4291, section 2.3).

use mesh_config::ProblemKind::BadPattern;
use mesh_config::kinds::{Text, text};
use std::fmt;
use std::net::IpAddr;

/// A range of IPv4 or IPv6 addresses. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) counts as IPv4. An IPv4 address
/// is in no IPv6 range, not even in `::/0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a string is not a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCidr {
    /// Not an address, or the prefix length does not fit the address.
    Malformed,
    /// The address has nonzero bits after the prefix; the range that contains it. This is often a typing error, such as
    /// `10.1.0.0/8` for `10.1.0.0/16`.
    HostBits(Cidr),
}

impl Cidr {
    /// Parses `10.0.0.0/8`, `2001:db8::/32` or an address, which is a range of one.
    ///
    /// # Errors
    /// [`InvalidCidr`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidCidr> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| InvalidCidr::Malformed)?;
        let address = written.to_canonical();
        let prefix = match prefix {
            None => bits(address),
            // `u8::from_str` accepts `+8`, and `08` might be meant as octal.
            Some(prefix) if prefix.starts_with('+') || (prefix.len() > 1 && prefix.starts_with('0')) => {
                return Err(InvalidCidr::Malformed);
            }
            Some(prefix) => prefix
                .parse::<u8>()
                .ok()
                // The prefix length of a mapped address includes its first 96 bits.
                .and_then(|prefix| prefix.checked_sub(bits(written) - bits(address)))
                .filter(|prefix| *prefix <= bits(address))
                .ok_or(InvalidCidr::Malformed)?,
        };
        let range = Self { network: network(address, prefix), prefix };
        if range.network == address { Ok(range) } else { Err(InvalidCidr::HostBits(range)) }
    }

    /// A range of addresses.
    #[must_use]
    pub const fn kind() -> Text<Self> {
        text(|value, range| match Self::parse(range) {
            Ok(range) => Some(range),
            Err(InvalidCidr::HostBits(range)) => {
                value.expected(BadPattern, format_args!("`{range}`, as bits behind the prefix must be zero"))
            }
            Err(InvalidCidr::Malformed) => {
                value.expected(BadPattern, "an IP address or a range, as 10.0.0.0/8 or 2001:db8::/32")
            }
        })
        .described_as("", &["10.0.0.0/8", "2001:db8::/32"])
    }

    /// Whether the address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && network(address, self.prefix) == self.network
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.network, self.prefix)
    }
}

/// The address with all bits after the first `prefix` set to zero; unchanged if it has no more bits.
#[must_use]
pub fn network(address: IpAddr, prefix: u8) -> IpAddr {
    let behind = u32::from(bits(address).saturating_sub(prefix));
    // `checked_shl` is `None` for a prefix of zero, which leaves nothing of the address.
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(behind).unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(behind).unwrap_or(0)).into())
        }
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;
    use crate::testing::{read_field, test};

    #[track_caller]
    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let range = Cidr::parse(range).unwrap();
        for (addresses, expected) in [(inside, true), (outside, false)] {
            for address in addresses {
                assert_eq!(range.contains(address.parse().unwrap()), expected, "{address} in {range}");
            }
        }
    }

    #[track_caller]
    fn check_problem(range: &str, expected: &str) {
        let problems = read_field("r", &format!("\"{range}\""), Cidr::kind()).unwrap_err();
        assert_eq!(problems, format!("r: found `{range}`, expected {expected}"));
    }

    #[test]
    fn ranges_hold_their_addresses() {
        check("10.0.0.0/8", &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], &["11.0.0.0", "::a00:1"]);
        check("192.0.2.1", &["192.0.2.1"], &["192.0.2.0", "192.0.2.2"]);
        check("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "::1"]);
        check("128.0.0.0/1", &["128.0.0.0"], &["127.255.255.255"]);
        check("2001:db8::/32", &["2001:db8::", "2001:db8:ffff::1"], &["2001:db9::", "10.0.0.1"]);
        check("::1", &["::1"], &["::", "::2"]);
        check("::/0", &["::", "ffff::"], &["0.0.0.0", "::ffff:1.2.3.4"]);
    }

    #[test]
    fn a_mapped_range_is_the_ipv4_range() {
        assert_eq!(Cidr::parse("::ffff:10.0.0.0/104"), Cidr::parse("10.0.0.0/8"));
        assert_eq!(Cidr::parse("::ffff:0:0/96"), Cidr::parse("0.0.0.0/0"));
        assert_eq!(Cidr::parse("::ffff:10.0.0.1"), Cidr::parse("10.0.0.1"));
    }

    #[test]
    fn bits_behind_the_prefix_are_refused_with_the_range_meant() {
        check_problem("10.1.0.0/8", "`10.0.0.0/8`, as bits behind the prefix must be zero");
        check_problem("2001:db8::1/32", "`2001:db8::/32`, as bits behind the prefix must be zero");
        check_problem("1.2.3.4/0", "`0.0.0.0/0`, as bits behind the prefix must be zero");
    }

    #[test]
    fn anything_else_is_refused() {
        for range in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/-1",
            "10.0.0/8",
            "::/129",
            "::ffff:10.0.0.0/95",
            "a.example",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "fe80::1%eth0",
            "[::1]",
        ] {
            check_problem(range, "an IP address or a range, as 10.0.0.0/8 or 2001:db8::/32");
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::{Cidr, network};
    use proptest::prelude::*;
    use std::net::IpAddr;

    proptest! {
        #[test]
        fn a_range_holds_what_agrees_on_its_prefix(a: IpAddr, b: IpAddr, prefix in 0u8..=128) {
            let (a, b) = (a.to_canonical(), b.to_canonical());
            let prefix = if a.is_ipv4() { prefix / 4 } else { prefix };
            let range = Cidr::parse(&format!("{}/{prefix}", network(a, prefix))).unwrap();
            prop_assert!(range.contains(a));
            let agree = a.is_ipv4() == b.is_ipv4() && network(a, prefix) == network(b, prefix);
            prop_assert_eq!(range.contains(b), agree);
            prop_assert_eq!(Cidr::parse(&range.to_string()), Ok(range));
        }
    }
}
