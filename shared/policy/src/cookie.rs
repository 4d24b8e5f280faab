//! The cookies of a request (RFC 6265, section 4.2).

use crate::headers::Headers;

/// The values of a cookie, in order, over all `cookie` headers: HTTP/2 sends one a cookie. A
/// client may send a name several times, for one path or domain each. Names are case-sensitive;
/// quotes stay part of the value.
pub fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.get("cookie").flat_map(|line| line.split(|byte| *byte == b';')).filter_map(move |pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let found = halves.next()?.trim_ascii();
        // Without a `=` there is no name (RFC 6265, section 5.2, and browsers).
        let value = halves.next()?.trim_ascii();
        (found == name.as_bytes()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::values;
    use crate::headers::Headers;
    use crate::testing::test;

    #[track_caller]
    fn check(lines: &[&[u8]], expected: &[&[u8]]) {
        let headers = Headers::from_pairs(lines.iter().map(|line| ("cookie", line)));
        assert_eq!(values(&headers, "id").collect::<Vec<_>>(), expected);
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
    fn values_stay_as_they_are() {
        check(&[b"id="], &[b""]);
        check(&[b"id=\"a b\""], &[b"\"a b\""]);
        check(&[b"id=a=b=="], &[b"a=b=="]);
        check(&[b"id=\xff%20+"], &[b"\xff%20+"]);
    }

    #[test]
    fn what_is_not_the_cookie() {
        check(&[b"id"], &[]);
        check(&[b"ID=1; xid=2; idx=3; =id"], &[]);
        check(&[b"", b";", b"=", b";;=;"], &[]);
    }
}
