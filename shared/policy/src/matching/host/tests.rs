use super::HostMatch;
use crate::authority::Authority;
use crate::testing::{read_field, test};
use crate::truth::Truth::{self, No, Undecided, Yes};

fn host(text: &str) -> Result<HostMatch, String> {
    read_field("h", &format!("\"{text}\""), HostMatch::kind())
}

#[track_caller]
fn check(text: &str, expected: Truth, authorities: &[&str]) {
    let test = host(text).unwrap();
    for authority in authorities {
        assert_eq!(test.test(&Authority::of(authority.as_bytes())), expected, "{text} on {authority}");
    }
}

#[track_caller]
fn check_problem(text: &str, expected: &str) {
    assert_eq!(host(text).err().unwrap_or_default(), format!("h: found `{text}`, expected {expected}"));
}

#[test]
fn one_host() {
    check("api.Example.com", Yes, &["api.example.com", "API.EXAMPLE.COM"]);
    check("api.example.com", No, &["", "example.com", "xapi.example.com", "api.example.com.evil", "[::1]"]);
    check("192.0.2.1", No, &["192.0.2.10"]);
    check("a_b", Yes, &["a_b"]);
}

/// Envoy may route these to another virtual host, unless it is configured to strip the port or the dot.
#[test]
fn a_port_or_a_dot_too_much_is_undecided() {
    let close = ["api.example.com:8080", "api.example.com.", "API.example.com.:80"];
    check("api.example.com", Undecided, &close);
    check("example.com.", Yes, &["example.com."]);
    check("example.com.", Undecided, &["example.com", "example.com.:1"]);
    check("*.example.com", Undecided, &["a.b.example.com:1", "A.Example.Com."]);
    check("[::1]", Undecided, &["[::1]:80"]);
    // Another host does not pass.
    check("api.example.com", No, &["b.example.com:8080", "b.example.com."]);
}

#[test]
fn an_ambiguous_authority_decides_nothing() {
    let none =
        ["a.test:1@b.test", "u@admin.test", "admin.test..", "admin.test:", "a.test,b.test", ":80", "\u{ff}"];
    check("admin.test", Undecided, &none);
    check("*.test", Undecided, &none);
    check("[::1]", Undecided, &["::1", "[::1", "[::1]x"]);
    check("*", Yes, &none);
}

#[test]
fn subdomains_at_any_depth_but_not_the_domain() {
    check("*.example.com", Yes, &["a.example.com", "a.b.example.com", "A.Example.Com"]);
    check("*.example.com", No, &["example.com", "aexample.com", "a.example.com.evil", ""]);
}

#[test]
fn any_host() {
    check("*", Yes, &["", "a", "\u{ff}", "[::1]:80"]);
    assert!(!host("*").unwrap().is_selective());
    assert!(host("a").unwrap().is_selective());
}

#[test]
fn a_port_that_is_named_is_decided() {
    check("api.example.com:8443", Yes, &["API.example.com:8443"]);
    check("api.example.com:8443", No, &["api.example.com", "api.example.com:443", "b.example.com:8443"]);
    check("api.example.com:8443", Undecided, &["api.example.com:08443", "api.example.com.:8443"]);
    check("api.example.com:80", Undecided, &["api.example.com:65616"]);
    check("api.example.com:*", Yes, &["api.example.com", "api.example.com:1", "api.example.com:99999"]);
    check("api.example.com:*", Undecided, &["api.example.com.", "api.example.com.:1"]);
    check("*.example.com:*", Yes, &["a.example.com", "a.example.com:1"]);
    check("*.example.com:81", No, &["a.example.com"]);
    check("[::1]:*", Yes, &["[::1]:80", "[::1]"]);
    check("[::1]:80", Yes, &["[::1]:80"]);
}

#[test]
fn another_spelling_of_an_ipv6_address_is_undecided() {
    check("[::1]", Yes, &["[::1]"]);
    check("[::1]", Undecided, &["[0:0:0:0:0:0:0:1]", "[::0001]", "[0:0::1]:80"]);
    check("[::ffff:102:304]", Undecided, &["[::ffff:1.2.3.4]"]);
    check("[::1]", No, &["[::2]"]);
    check("[2001:DB8::A]", Yes, &["[2001:db8::a]"]);
}

#[test]
fn what_is_no_host_says_what_to_write() {
    let general = "a host, `*.` and a host for its subdomains, or `*`";
    for text in ["", "a..b", "a.*.b", "*example.com", "**", "*.", "a b", ":80", "*:80"] {
        check_problem(text, general);
    }
    let port = "a port from 0 to 65535 behind the host, or `:*` for any port and none";
    for text in ["a.example:", "a.example:x", "a.example:65536", "a.example:+1", "[::1]:http"] {
        check_problem(text, port);
    }
    check_problem("*:*", "`*`, which holds for any port");
    check_problem("::1", "an IPv6 address in brackets, as `[::1]`");
    check_problem("https://a.example", "a host only, without scheme and path");
    check_problem("münchen.example", "a host in its ASCII form, as `xn--mnchen-3ya.example`");
}
