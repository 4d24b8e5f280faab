use super::{Headers, pack};
use mesh_policy::headers::HeaderName;

type Content = Vec<(String, Vec<u8>)>;

/// Packs the headers `names: values` with values of at most 5 bytes, and at most `max_bytes` in total.
fn packed(headers: &[(&str, &[u8])], max_bytes: u16) -> (Option<Content>, usize) {
    let names: Vec<_> = headers.iter().map(|(name, _)| HeaderName::new(name).unwrap()).collect();
    let headers: Vec<_> = names.iter().zip(headers.iter().map(|(_, value)| *value)).collect();
    let packed = pack(&headers, 5, max_bytes);
    let read = |bytes: Vec<u8>| {
        assert!(bytes.len() <= max_bytes.into());
        assert!(Headers::read(&bytes).are_whole());
        let header =
            |(name, value): (&[u8], &[u8])| (String::from_utf8(name.to_vec()).unwrap(), value.to_vec());
        Headers::read(&bytes).map(header).collect()
    };
    (packed.headers.map(read), packed.too_large)
}

#[track_caller]
fn check(headers: &[(&str, &[u8])], max_bytes: u16, expected: Option<&[(&str, &[u8])]>, too_large: usize) {
    let owned = |headers: &[(&str, &[u8])]| {
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
    };
    assert_eq!(packed(headers, max_bytes), (expected.map(owned), too_large));
}

#[test]
fn headers_are_read_as_they_were() {
    for headers in [
        &[("a", &b"1"[..])][..],
        &[("a", b"")],
        &[("b", b"1"), ("a", b"2"), ("b", b"1")],
        &[("a", b"\0\xff\n:"), ("a-long-name", b"\x04\0\0\0")],
    ] {
        check(headers, 1000, Some(headers), 0);
    }
}

#[test]
fn no_headers_are_no_entry() {
    check(&[], 1000, None, 0);
}

#[test]
fn a_value_that_is_too_long_is_left_out() {
    check(&[("a", b"12345"), ("b", b"123456"), ("c", b"")], 1000, Some(&[("a", b"12345"), ("c", b"")]), 1);
    check(&[("a", &[0; 70_000]), ("b", b"123456")], 1000, None, 2);
}

/// What is left of a list would be another list.
#[test]
fn a_name_with_a_value_that_is_too_long_is_left_out() {
    check(&[("a", b"123456"), ("a", b"1")], 1000, None, 1);
    check(&[("a", b"1"), ("a", b"123456")], 1000, None, 1);
    check(&[("a", b"1"), ("b", b"2"), ("a", b"123456"), ("a", b"3")], 1000, Some(&[("b", b"2")]), 1);
    check(&[("a", b"123456"), ("a", b"123456"), ("b", b"")], 1000, Some(&[("b", b"")]), 2);
    check(&[("tracestate", b"123456"), ("traceparent", b"1")], 1000, Some(&[("traceparent", b"1")]), 1);
}

#[test]
fn tracestate_is_left_out_with_its_traceparent() {
    let state = ("tracestate", &b"a=1"[..]);
    check(&[("traceparent", b"123456"), state, ("b", b"2")], 1000, Some(&[("b", b"2")]), 1);
    check(&[state, state, ("traceparent", b"123456")], 1000, None, 1);
    check(&[state, ("a", b"123456")], 1000, Some(&[state]), 1);
}

#[test]
fn headers_that_are_too_large_together_are_no_entry() {
    check(&[("ab", b"123"), ("c", b"45")], 16, Some(&[("ab", b"123"), ("c", b"45")]), 0);
    check(&[("ab", b"123"), ("c", b"45")], 15, None, 1);
    check(&[("ab", b"123"), ("c", b"45"), ("d", b"123456")], 15, None, 2);
    // What is left out does not count.
    check(&[("ab", b"123"), ("c", b"45"), ("d", b"123456")], 16, Some(&[("ab", b"123"), ("c", b"45")]), 1);
    check(&[(&"n".repeat(66_000), b"1")], u16::MAX, None, 1);
}

#[cfg(not(target_family = "wasm"))]
mod laws {
    use super::{Headers, packed};
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z-]{1,8}", "[ab]", "trace(parent|state)"]
    }

    proptest! {
        #[test]
        fn what_fits_is_read_as_it_was(
            headers in prop::collection::vec((name(), prop::collection::vec(any::<u8>(), 0..8)), 0..6),
            max_bytes in 0u16..100,
        ) {
            let is_cut = |name: &str| headers.iter().any(|(other, value)| other == name && value.len() > 5);
            let is_left_out =
                |name: &str| is_cut(name) || (name == "tracestate" && is_cut("traceparent"));
            let fitting: Vec<_> = headers.iter().filter(|(name, _)| !is_left_out(name)).cloned().collect();
            let left_out = headers.iter().filter(|(_, value)| value.len() > 5).count();
            let size: usize = fitting.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
            let expected = if size > max_bytes.into() {
                (None, left_out + 1)
            } else {
                (Some(fitting).filter(|fitting| !fitting.is_empty()), left_out)
            };
            prop_assert_eq!(packed(&headers, max_bytes), expected);
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(0u8..4, 0..40)) {
            let read: usize = Headers::read(&bytes).map(|(name, value)| 4 + name.len() + value.len()).sum();
            prop_assert!(read <= bytes.len());
            prop_assert_eq!(Headers::read(&bytes).are_whole(), read == bytes.len());
        }
    }
}
