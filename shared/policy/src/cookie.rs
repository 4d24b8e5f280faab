//! The cookies of a request (RFC 6265, section 4.2).

use crate::by_name::ByName;
use crate::headers::Headers;
use crate::path::decode_segment;
use std::borrow::Cow;

/// The cookies of a request, parsed once.
///
/// Double quotes around a value are removed (section 4.1.1): some upstreams remove them, others do not, and for both
/// it is the same credential.
#[derive(Clone, Debug, Default)]
pub struct Cookies<'a>(ByName<&'a [u8]>);

impl<'a> Cookies<'a> {
    /// Reads all `cookie` headers. HTTP/2 may send one for each cookie.
    #[must_use]
    pub fn of(headers: &'a Headers) -> Self {
        let cookies = headers.get("cookie").flat_map(pairs).filter_map(name_and_value);
        Self(cookies.map(|(name, value)| (name, unquoted(value))).collect())
    }

    /// The values of a cookie, in order. A client may send a name several times, for different paths or domains. Names
    /// are case-sensitive.
    pub fn values<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + 'n {
        self.0.get(name.as_bytes()).copied()
    }
}

/// A cookie's value without surrounding double quotes, if it has a pair.
#[must_use]
pub fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// A canonical form of an [`unquoted`] value, for counting requests. Decodes the escapes of quoted values (`\141`,
/// `\"`), like Python's frameworks, and then percent-encoding, like Express and PHP.
#[must_use]
pub fn folded(value: &[u8]) -> Cow<'_, [u8]> {
    let value = match value.contains(&b'\\') {
        false => Cow::Borrowed(value),
        true => Cow::Owned(without_backslashes(value)),
    };
    if value.contains(&b'%') { Cow::Owned(decode_segment(&value).into_owned()) } else { value }
}

fn without_backslashes(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        let (byte, left) = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), after)
            }
            [b'\\', escaped, after @ ..] => (*escaped, after),
            _ => (*byte, after),
        };
        out.push(byte);
        rest = left;
    }
    out
}

/// Removes the cookies with these names from a `cookie` header. `None` if it has none of them; empty if it has no
/// others, and then the header should be removed.
///
/// The other cookies are unchanged, byte for byte, including the space in front of each.
#[must_use]
pub fn without(line: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let named = |pair: &&[u8]| {
        name_and_value(pair).is_some_and(|(found, _)| names.iter().any(|name| found == name.as_bytes()))
    };
    if !pairs(line).any(|pair| named(&pair)) {
        return None;
    }
    let left: Vec<_> = pairs(line).filter(|pair| !named(pair)).collect();
    if left.iter().all(|pair| pair.trim_ascii().is_empty()) {
        return Some(Vec::new());
    }
    // The first of the remaining cookies may have had a space in front.
    Some(left.join(&b';').trim_ascii_start().to_vec())
}

fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
}

/// Splits a pair; `None` without a `=` (RFC 6265, section 5.2).
fn name_and_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    Some((halves.next()?.trim_ascii(), halves.next()?.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::{Cookies, without};
    use crate::headers::Headers;
    use crate::testing::test;

    #[track_caller]
    fn check(lines: &[&[u8]], expected: &[&[u8]]) {
        let headers = Headers::from_pairs(lines.iter().map(|line| ("cookie", line)));
        assert_eq!(Cookies::of(&headers).values("id").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn cookies_by_name() {
        check(&[], &[]);
        check(&[b"id=1"], &[b"1"]);
        check(&[b"a=0; id=1; b=2"], &[b"1"]);
        check(&[b"a=0;id=1;\tid = 2 ;"], &[b"1", b"2"]);
        check(&[b"id=1", b"x=2", b"id=3"], &[b"1", b"3"]);
    }

    #[test]
    fn one_pair_of_quotes_is_no_part_of_a_value() {
        check(&[b"id=\"a b\""], &[b"a b"]);
        check(&[b"id= \"a\" ; id=\"\""], &[b"a", b""]);
        check(&[b"id=\"\"a\"\""], &[b"\"a\""]);
        check(&[b"id=\"a"], &[b"\"a"]);
        check(&[b"id=a\""], &[b"a\""]);
        check(&[b"id=\""], &[b"\""]);
    }

    #[test]
    fn values_stay_as_they_are() {
        check(&[b"id="], &[b""]);
        check(&[b"id=a=b=="], &[b"a=b=="]);
        check(&[b"id=\xff%20+"], &[b"\xff%20+"]);
    }

    #[test]
    fn one_value_has_one_spelling() {
        let check = |value: &str, expected: &[u8]| {
            assert_eq!(*super::folded(value.as_bytes()), *expected, "{value}");
        };
        for spelling in ["abc", "%61bc", "\\141bc", "\\abc", "\\%61b\\143"] {
            check(spelling, b"abc");
        }
        check("a+b", b"a+b");
        check("%zz%4\\", b"%zz%4\\");
        check("\\\"\\377\\4", b"\"\xff4");
    }

    #[test]
    fn what_is_not_the_cookie() {
        check(&[b"id"], &[]);
        check(&[b"ID=1; xid=2; idx=3; =id"], &[]);
        check(&[b"", b";", b"=", b";;=;"], &[]);
    }

    #[track_caller]
    fn check_without(line: &str, expected: Option<&str>) {
        let found = without(line.as_bytes(), &["id", "token"]);
        let found = found.map(|found| String::from_utf8(found).unwrap());
        assert_eq!(found.as_deref(), expected, "{line}");
    }

    #[test]
    fn cookies_are_taken_away() {
        check_without("id=1", Some(""));
        check_without("id=1; token=2;", Some(""));
        check_without(" id = 1 ; ; token=2", Some(""));
        check_without("id=1; a=0", Some("a=0"));
        check_without("a=0; id=1", Some("a=0"));
        check_without("a=0; id=1; b=\"2\"", Some("a=0; b=\"2\""));
        check_without("a=0;id=1;\tid = 2 ;b;  c = 3", Some("a=0;b;  c = 3"));
        check_without("id=1; a=0; token=; a=%41=;", Some("a=0; a=%41=;"));
    }

    #[test]
    fn what_is_not_one_of_the_cookies_stays() {
        for line in ["", ";", "a=0", "id", "ID=1; xid=2; idx=3; =id", "a=id=1", "a=\"b, id=1\""] {
            check_without(line, None);
        }
        assert_eq!(without(b"id=1", &[]), None);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::{Cookies, without};
    use crate::headers::Headers;
    use proptest::prelude::*;

    fn all(line: &[u8], name: &str) -> Vec<Vec<u8>> {
        let headers = Headers::from_pairs([("cookie", line)]);
        Cookies::of(&headers).values(name).map(<[u8]>::to_vec).collect()
    }

    proptest! {
        /// Few distinct names, so that cookies to remove are frequent.
        #[test]
        fn what_is_taken_away_is_not_found(
            line in "([ \t]?[abc]?[ ]?(=[ ]?[a=]{0,2})?;?){0,6}",
            names in prop::sample::subsequence(vec!["a", "b", ""], 0..3),
        ) {
            let line = line.as_bytes();
            let without_them = without(line, &names);
            prop_assert_eq!(without_them.is_some(), names.iter().any(|name| !all(line, name).is_empty()));
            let left = without_them.unwrap_or_else(|| line.to_vec());
            for name in ["a", "b", "c", ""] {
                let expected = if names.contains(&name) { Vec::new() } else { all(line, name) };
                prop_assert_eq!(all(&left, name), expected, "{} {:?}", left.escape_ascii(), name);
            }
            // The other cookies keep their order and bytes.
            let mut rest = line.iter();
            prop_assert!(left.iter().all(|byte| rest.any(|found| found == byte)));
            prop_assert_eq!(without(&left, &names), None);
        }

        #[test]
        fn arbitrary_lines_do_not_panic(line: Vec<u8>, name: String) {
            let _ = without(&line, &[&name, ""]);
        }
    }
}
