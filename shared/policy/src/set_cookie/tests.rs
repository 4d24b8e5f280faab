use super::SetCookie;
use crate::testing::{read_field, test};

#[cfg(not(target_arch = "wasm32"))]
mod laws;

fn read(config: &str) -> Result<SetCookie, String> {
    read_field("cookie", config, SetCookie::kind())
}

fn header(cookie: &SetCookie, value: &str) -> String {
    String::from_utf8(cookie.header(value).as_bytes().to_vec()).unwrap()
}

/// The header for the value `abc`.
#[track_caller]
fn check(config: &str, expected: &str) {
    assert_eq!(header(&read(config).unwrap(), "abc"), expected, "{config}");
}

/// The header for a value, without its attributes.
#[track_caller]
fn check_value(value: &str, expected: &str) {
    let found = header(&read(r#"{"name": "id"}"#).unwrap(), value);
    assert_eq!(found, format!("id={expected}; Path=/; Secure; HttpOnly; SameSite=Lax"));
}

/// `expected`: a line for each problem, without `cookie.` in front.
#[track_caller]
fn check_problem(config: &str, expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|problem| format!("cookie.{problem}")).collect();
    assert_eq!(read(config), Err(expected.join("\n")), "{config}");
}

#[test]
fn attributes_have_one_order() {
    check(r#"{"name": "id"}"#, "id=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
    check(
        r#"{"name": "mesh-uid", "max_age": "30d"}"#,
        "mesh-uid=abc; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax",
    );
    check(
        r#"{"name": "a", "max_age": "1m", "domain": "Shop.example.com", "path": "/a/b", "same_site": "strict"}"#,
        "a=abc; Max-Age=60; Domain=Shop.example.com; Path=/a/b; Secure; HttpOnly; SameSite=Strict",
    );
    check(
        r#"{"name": "a", "secure": false, "http_only": false, "domain": null, "max_age": null}"#,
        "a=abc; Path=/; SameSite=Lax",
    );
    check(
        r#"{"name": "a", "http_only": false, "same_site": "none"}"#,
        "a=abc; Path=/; Secure; SameSite=None",
    );
    check(r#"{"name": "__Host-a"}"#, "__Host-a=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[test]
fn cookie_octets_stay_as_they_are() {
    check_value("", "");
    check_value("v2.c8bY-_~", "v2.c8bY-_~");
    let octets = "!#$%&'()*+-./0123456789:<=>?@ABCXYZ[]^_`abcxyz{|}~";
    check_value(octets, octets);
}

#[test]
fn a_value_cannot_add_an_attribute() {
    check_value("a; Domain=evil.test", "a%3B%20Domain=evil.test");
    check_value("a\r\nSet-Cookie: b=c", "a%0D%0ASet-Cookie:%20b=c");
    check_value("\"a\",\\\t\0\x7f", "%22a%22%2C%5C%09%00%7F");
    check_value("é", "%C3%A9");
}

#[test]
fn the_name_is_a_token() {
    assert_eq!(read(r#"{"name": "mesh-uid"}"#).unwrap().name(), "mesh-uid");
    check_problem("{}", &["name: missing"]);
    check_problem(r#"{"name": ""}"#, &["name: found ``, expected a string that is not empty"]);
    check_problem(r#"{"name": "a=b"}"#, &["name: found `a=b`, expected a cookie name"]);
    check_problem(r#"{"name": "a;b"}"#, &["name: found `a;b`, expected a cookie name"]);
    let long = format!(r#"{{"name": "{}"}}"#, "n".repeat(257));
    check_problem(&long, &["name: found 257 bytes, expected at most 256"]);
}

#[test]
fn max_age_is_whole_seconds_up_to_400_days() {
    check(r#"{"name": "a", "max_age": "1s"}"#, "a=abc; Max-Age=1; Path=/; Secure; HttpOnly; SameSite=Lax");
    check(
        r#"{"name": "a", "max_age": "400d"}"#,
        "a=abc; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Lax",
    );
    check_problem(
        r#"{"name": "a", "max_age": "1500ms"}"#,
        &["max_age: found `1500ms`, expected whole seconds"],
    );
    for out_of_range in ["0s", "999ms", "400d1s"] {
        check_problem(
            &format!(r#"{{"name": "a", "max_age": "{out_of_range}"}}"#),
            &[&format!(
                "max_age: found `{out_of_range}`, expected a duration from 1s to 400d, as \"250ms\", \"1m\" or \"1h30m\""
            )],
        );
    }
    check_problem(r#"{"name": "a", "ttl": "1h"}"#, &["ttl: unknown field, did you mean `max_age`?"]);
}

#[test]
fn a_domain_is_a_host_name_without_a_leading_dot() {
    let label = "l".repeat(63);
    for good in ["example.com", "a", "1a.2b", "xn--bcher-kva.example", "a-b.C", &label] {
        assert!(read(&format!(r#"{{"name": "a", "domain": "{good}"}}"#)).is_ok(), "{good}");
    }
    for dotted in [".example.com", "example.com.", ".example.com."] {
        check_problem(
            &format!(r#"{{"name": "a", "domain": "{dotted}"}}"#),
            &[&format!(
                "domain: found `{dotted}`, expected `example.com`, without a dot at its ends: subdomains are included"
            )],
        );
    }
    for bad in [
        "",
        ".",
        "a..b",
        "-a.test",
        "a-.test",
        "a_b.test",
        "a.test:80",
        "a.test;x",
        "*.test",
        "a b",
        "ü.test",
        "10.0.0.1",
        "[::1]",
        "::1",
        &format!("{label}l"),
    ] {
        let message = read(&format!(r#"{{"name": "a", "domain": "{bad}"}}"#)).unwrap_err();
        assert!(message.ends_with(", expected the name of a host, such as `example.com`"), "{message}");
    }
    let longest = format!("{label}.{label}.{label}.{}", "l".repeat(61));
    assert!(read(&format!(r#"{{"name": "a", "domain": "{longest}"}}"#)).is_ok());
    check_problem(
        &format!(r#"{{"name": "a", "domain": "{longest}l"}}"#),
        &["domain: found 254 bytes, expected at most 253"],
    );
}

#[test]
fn a_path_has_no_character_that_ends_it() {
    let longest = format!("/{}", "p".repeat(1023));
    for good in ["/", "/a%20b/", "/a=b,c:\\\\\\\"~!", &longest] {
        assert!(read(&format!(r#"{{"name": "a", "path": "{good}"}}"#)).is_ok(), "{good}");
    }
    for bad in ["", "a", "a/", "/a;Domain=b", "/a b", "/ ", "/ü", "/a\\r\\n", "/\\u0000", "/\\u007f"] {
        let message = read(&format!(r#"{{"name": "a", "path": "{bad}"}}"#)).unwrap_err();
        let expected =
            ", expected a path: `/` and then visible ASCII characters without `;`, others percent-encoded";
        assert!(message.starts_with("cookie.path: found ") && message.ends_with(expected), "{message}");
    }
    check_problem(
        &format!(r#"{{"name": "a", "path": "{longest}p"}}"#),
        &["path: found 1025 bytes, expected at most 1024"],
    );
}

#[test]
fn what_browsers_drop_is_refused() {
    check_problem(
        r#"{"name": "a", "same_site": "none", "secure": false}"#,
        &["secure: found false, expected true: browsers drop a cookie with `same_site: none` otherwise"],
    );
    check_problem(
        r#"{"name": "__secure-a", "secure": false, "same_site": "none"}"#,
        &[
            "secure: found false, expected true: browsers drop a cookie whose name begins with `__Secure-` otherwise",
        ],
    );
    check_problem(
        r#"{"name": "__HOST-a", "secure": false, "path": "/a", "domain": "a.test"}"#,
        &[
            "secure: found false, expected true: browsers drop a cookie whose name begins with `__Host-` otherwise",
            "path: found `/a`, expected `/`: browsers drop a cookie whose name begins with `__Host-` otherwise",
            "domain: found `a.test`, expected none: browsers drop a cookie whose name begins with `__Host-` otherwise",
        ],
    );
    for good in [
        r#"{"name": "__Secure-a", "path": "/a", "domain": "a.test"}"#,
        r#"{"name": "__Host", "secure": false, "path": "/a"}"#,
        r#"{"name": "a__Host-", "secure": false, "path": "/a"}"#,
    ] {
        assert!(read(good).is_ok(), "{good}");
    }
}
