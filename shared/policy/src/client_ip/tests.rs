use super::{ClientIp, Resolved, masked, parse_address};
use crate::facts::Facts;
use crate::headers::Headers;
use crate::settings::Settings;
use crate::testing::test;
use mesh_config::read;

const SOURCE: &str = "192.0.2.9";

/// `expected` is the address, or `None` if the peer's address is used as a fallback.
#[track_caller]
fn check(trusted_hops: usize, lines: &[&[u8]], expected: Option<&str>) {
    let headers = Headers::from_pairs(lines.iter().map(|line| ("x-forwarded-for", line)));
    let facts = Facts { source: SOURCE.parse().ok(), ..Facts::of(&headers) };
    let ip = expected.unwrap_or(SOURCE).parse().ok();
    assert_eq!(ClientIp { trusted_hops }.resolve(&facts), Resolved { ip, fallback: expected.is_none() });
}

#[test]
fn without_hops_it_is_the_peer() {
    check(0, &[], Some(SOURCE));
    check(0, &[b"1.1.1.1"], Some(SOURCE));
}

#[test]
fn hops_count_from_the_right() {
    check(1, &[b"1.1.1.1, 2.2.2.2,3.3.3.3"], Some("3.3.3.3"));
    check(2, &[b"1.1.1.1, 2.2.2.2,3.3.3.3"], Some("2.2.2.2"));
    check(3, &[b"1.1.1.1, 2.2.2.2,3.3.3.3"], Some("1.1.1.1"));
    check(1, &[b"\xff\xfe, \t 2.2.2.2 "], Some("2.2.2.2"));
}

#[test]
fn several_headers_are_one_list() {
    check(1, &[b"1.1.1.1", b"2.2.2.2, 3.3.3.3"], Some("3.3.3.3"));
    check(3, &[b"1.1.1.1", b"2.2.2.2, 3.3.3.3"], Some("1.1.1.1"));
    check(4, &[b"1.1.1.1", b"2.2.2.2, 3.3.3.3"], None);
}

#[test]
fn what_is_missing_or_no_address_falls_back_to_the_peer() {
    check(1, &[], None);
    check(2, &[b"1.1.1.1"], None);
    check(1, &[b""], None);
    check(1, &[b"1.1.1.1,"], None);
    check(2, &[b"1.1.1.1,,3.3.3.3"], None);
    check(1, &[b"1.1.1.1, unknown"], None);
    check(1, &[b"\xff"], None);
    check(100, &[&[b','; 1000]], None);
}

#[test]
fn elements_may_have_a_port() {
    check(1, &[b"1.1.1.1:80"], Some("1.1.1.1"));
    check(1, &[b"[2001:db8::1]:80"], Some("2001:db8::1"));
    check(1, &[b"::ffff:1.2.3.4"], Some("1.2.3.4"));
}

#[track_caller]
fn check_parse(text: &str, expected: Option<&str>) {
    assert_eq!(parse_address(text.as_bytes()), expected.map(|ip| ip.parse().unwrap()), "{text}");
}

#[test]
fn addresses() {
    check_parse("1.2.3.4", Some("1.2.3.4"));
    check_parse("1.2.3.4:0", Some("1.2.3.4"));
    check_parse("1.2.3.4:65535", Some("1.2.3.4"));
    check_parse("::1", Some("::1"));
    check_parse("[::1]", Some("::1"));
    check_parse("[::1]:5", Some("::1"));
    check_parse("[::ffff:1.2.3.4]:5", Some("1.2.3.4"));
    check_parse("fe80::1%eth0", Some("fe80::1"));
    check_parse("[fe80::1%2]:5", Some("fe80::1"));
}

#[test]
fn not_addresses() {
    for text in [
        "",
        ":80",
        "/run/a.sock",
        "envoy_internal",
        "@abstract",
        "1.2.3",
        "1.2.3.4:",
        "1.2.3.4:65536",
        "1.2.3.4:+1",
        "1.2.3.4:5:6",
        "01.2.3.4",
        "[1.2.3.4]:5",
        "[::1",
        "[::1]5",
        "[::1]:",
        "::1]:5",
        "1.2.3.4%eth0",
        "unknown",
        "_hidden",
    ] {
        check_parse(text, None);
    }
    check_parse(&"1".repeat(100_000), None);
    check_parse(&format!("::1%{}", "é".repeat(100)), None);
}

#[test]
fn masks() {
    let check = |ip: &str, expected: &str| {
        assert_eq!(masked(ip.parse().unwrap(), 24, 64).to_string(), expected, "{ip}");
    };
    check("1.2.3.4", "1.2.3.0");
    check("::ffff:1.2.3.4", "1.2.3.0");
    check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    assert_eq!(masked([1, 2, 3, 4].into(), 255, 255).to_string(), "1.2.3.4");
    assert_eq!(masked([1, 2, 3, 4].into(), 0, 0).to_string(), "0.0.0.0");
}

#[track_caller]
fn check_config(config: &str, expected: Result<usize, &str>) {
    let read = read(config.as_bytes(), &Settings::kind()).map(|settings| settings.client_ip.trusted_hops);
    assert_eq!(read.map_err(|problems| problems.to_string()), expected.map_err(str::to_owned));
}

#[test]
fn config() {
    check_config("", Ok(0));
    check_config(r#"{"client_ip": {}}"#, Ok(0));
    check_config(r#"{"clientIp": {"trustedHops": 2.0}}"#, Ok(2));
    check_config(
        r#"{"client_ip": {"trusted_hops": 101}}"#,
        Err("client_ip.trusted_hops: found 101, expected an integer from 0 to 100"),
    );
}

#[cfg(not(target_arch = "wasm32"))]
mod laws {
    use crate::client_ip::parse_address;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    /// The same with the parsers of the standard library only.
    fn parsed_by_std(text: &str) -> Option<IpAddr> {
        let is_port = |port: &str| {
            let digits =
                port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            port.is_empty() || digits.is_some_and(|digits| digits.parse::<u16>().is_ok())
        };
        let ipv6 = |text: &str| text.split('%').next()?.parse::<Ipv6Addr>().ok();
        let (address, port) = match text.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').map(|(address, port)| (ipv6(address), port))?,
            None => (ipv6(text), ""),
        };
        if let Some(address) = address {
            return is_port(port).then_some(IpAddr::V6(address).to_canonical());
        }
        let (address, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        Some(IpAddr::V4(address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port))?))
    }

    /// An address with a port and a change, and what looks like one.
    fn nearly_an_address() -> impl Strategy<Value = String> {
        let port = prop_oneof!["", ":[0-9]{0,6}"];
        let of_std =
            (any::<IpAddr>(), port.clone(), any::<bool>()).prop_map(|(ip, port, brackets)| match ip {
                IpAddr::V6(ip) if brackets => format!("[{ip}]{port}"),
                ip => format!("{ip}{port}"),
            });
        let changed = (of_std.clone(), any::<prop::sample::Index>(), "[0-9a-f.:%\\[\\]]?").prop_map(
            |(text, at, insert)| {
                let at = at.index(text.len() + 1);
                text.chars().take(at).chain(insert.chars()).chain(text.chars().skip(at + 1)).collect()
            },
        );
        prop_oneof![
            of_std,
            changed,
            ("([0-9]{1,4}[.:]){1,5}[0-9]{0,4}", port).prop_map(|(numbers, port)| format!("{numbers}{port}")),
            "[0-9a-f.:%\\[\\]]{0,20}",
        ]
    }
    use std::net::{IpAddr, SocketAddr};

    proptest! {
        #[test]
        fn what_is_printed_is_read(ip: IpAddr, port: u16) {
            let expected = Some(ip.to_canonical());
            prop_assert_eq!(parse_address(ip.to_string().as_bytes()), expected);
            prop_assert_eq!(parse_address(SocketAddr::new(ip, port).to_string().as_bytes()), expected);
        }

        #[test]
        fn addresses_are_those_of_the_standard_library(text in nearly_an_address()) {
            prop_assert_eq!(parse_address(text.as_bytes()), parsed_by_std(&text));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(text: Vec<u8>) {
            let _ = parse_address(&text);
        }
    }
}
