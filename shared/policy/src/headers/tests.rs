use super::{HeaderName, HeaderValue, Headers, MalformedPairs};
use crate::testing::test;

/// Serializes a map like the proxy.
fn serialize(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap().to_le_bytes();
    let mut bytes = u32::try_from(pairs.len()).unwrap().to_le_bytes().to_vec();
    for (name, value) in pairs {
        bytes.extend(length(name));
        bytes.extend(length(value));
    }
    for (name, value) in pairs {
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(value);
        bytes.push(0);
    }
    bytes
}

#[test]
fn a_serialized_map_is_read_in_order_with_its_repeats() {
    let pairs: [(&[u8], &[u8]); 3] = [(b":path", b"/a?b"), (b"x", b"\xff\x80"), (b"x", b"")];
    let headers = Headers::parse(serialize(&pairs)).unwrap();
    assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
    assert_eq!(headers.get("x").collect::<Vec<_>>(), [b"\xff\x80".as_slice(), b""]);
    assert_eq!(headers.target(), b"/a?b");
    assert_eq!(headers.method(), b"");
}

#[test]
fn an_empty_map_is_no_bytes_or_a_count_of_zero() {
    assert_eq!(Headers::parse(Vec::new()).unwrap().iter().count(), 0);
    assert_eq!(Headers::parse(vec![0; 4]).unwrap().iter().count(), 0);
}

#[test]
fn bytes_that_end_too_early_are_malformed() {
    let whole = serialize(&[(b"name", b"value"), (b"n", b"v")]);
    for length in 1..whole.len() {
        assert_eq!(Headers::parse(whole[..length].to_vec()).err(), Some(MalformedPairs), "{length}");
    }
    assert_eq!(Headers::parse(vec![0xff; 64]).err(), Some(MalformedPairs));
}

#[test]
fn edits_keep_the_rest_in_order() {
    let mut headers = Headers::from_pairs([("A", "1"), ("b", "2"), ("a", "3")]);
    let name = HeaderName::from_static("a");
    assert_eq!(headers.remove(&name), 2);
    headers.add(&name, &HeaderValue::text("4"));
    assert_eq!(headers.iter().collect::<Vec<_>>(), [(&b"b"[..], &b"2"[..]), (b"a", b"4")]);
    assert_eq!(headers.remove(&HeaderName::from_static("c")), 0);
}

#[test]
fn names_are_tokens_in_lower_case() {
    assert_eq!(HeaderName::new("X-Api-Key").unwrap().as_str(), "x-api-key");
    for bad in ["", "a b", "a:", ":path", "é", "a\n"] {
        assert_eq!(HeaderName::new(bad), None, "{bad:?}");
    }
}

#[test]
fn values_have_no_control_characters() {
    assert!(HeaderValue::new(b"a\tb \xff".to_vec()).is_some());
    for bad in ["a\nb", "\r", "\0", "\x7f"] {
        assert_eq!(HeaderValue::new(bad), None, "{bad:?}");
        assert!(HeaderValue::new(HeaderValue::text(bad).as_bytes()).is_some());
    }
}

#[test]
fn a_name_that_reads_the_same_to_an_upstream() {
    let check = |name: &str, found: &[u8], expected: bool| {
        let name = HeaderName::new(name).unwrap();
        assert_eq!(name.is_same_variable(found), expected, "{name:?} {}", found.escape_ascii());
    };
    check("x-user", b"x-user", true);
    check("x-user", b"x_user", true);
    check("x-user", b"X_User", true);
    check("x_user-id", b"x-user_id", true);
    check("x-user", b"xuser", false);
    check("x-user", b"x-use", false);
    check("x-user", b"x-users", false);
    check("x-user", b"x.user", true);
    check("x-user", b"x!user", true);
    check("x.user~id", b"X_USER-ID", true);
    check("x-user", b"x\xaduser", true);
    check("x-user", b"xauser", false);
    check("x-user", b"x-uaer", false);
    check("x-user", b"", false);
}

/// HTTP/2 transmits leading and trailing spaces of a value, and HTTP/1 upstreams remove them.
#[test]
fn values_are_read_without_spaces_at_their_ends() {
    let headers = Headers::from_pairs([("a", " \t prod \t"), ("a", "x y"), ("a", " \t"), (":path", "/a ")]);
    assert_eq!(headers.get("a").collect::<Vec<_>>(), [&b"prod"[..], b"x y", b""]);
    assert_eq!(headers.first("a"), Some(&b"prod"[..]));
    assert_eq!(headers.iter().next(), Some((&b"a"[..], &b"prod"[..])));
    assert_eq!(headers.raw("a").collect::<Vec<_>>(), [&b" \t prod \t"[..], b"x y", b" \t"]);
    assert_eq!(headers.target(), b"/a ");
}

#[test]
fn every_spelling_of_a_header_is_found() {
    let headers =
        Headers::from_pairs([("x-token", "1"), ("x_token", " 2"), ("X.Token", "3"), ("xtoken", "4")]);
    let found: Vec<_> = headers.spelt_like(&HeaderName::from_static("x-token")).map(<[u8]>::to_vec).collect();
    assert_eq!(found, [b"1", b"2", b"3"]);
}
