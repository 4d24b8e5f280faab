use super::*;
use proptest::prelude::*;

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let value = prop_oneof![
        any::<Vec<u8>>(),
        "[a-cA%+=;,\" \t]{0,30}".prop_map(String::into_bytes),
        "([ab]{1,2}=[a-c]{0,3}(;[ab]=?)?[ ]?,[ ]?){0,6}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(value, 0..4)
}

fn limits() -> impl Strategy<Value = Limits> {
    (0..8usize, 0..40usize).prop_map(|(max_members, max_bytes)| Limits { max_members, max_bytes })
}

fn sets() -> impl Strategy<Value = Vec<(String, Option<Vec<u8>>)>> {
    proptest::collection::vec(("[ab]{1,2}", any::<Option<Vec<u8>>>()), 0..3)
}

fn request(values: &[Vec<u8>]) -> Headers {
    Headers::from_pairs(values.iter().map(|value| (NAME, value)))
}

/// What is sent on, as one list.
fn sent(headers: &Headers, edit: &Edit) -> Vec<u8> {
    match edit {
        Edit::Unchanged => headers.get(NAME).collect::<Vec<_>>().join(&b","[..]),
        Edit::Remove => Vec::new(),
        Edit::Replace(value) => value.as_bytes().to_vec(),
    }
}

fn members(list: &[u8]) -> Vec<Member<'_>> {
    if list.is_empty() { Vec::new() } else { Member::split(list).map(Member::read).collect() }
}

fn is_allowed(key: &[u8]) -> bool {
    key != b"bb"
}

proptest! {
    #[test]
    fn what_is_sent_on_keeps_every_rule(values in values(), limits in limits(), sets in sets()) {
        let keys: Vec<_> = sets.iter().map(|(key, _)| Key::new(key).unwrap()).collect();
        let sets: Vec<_> =
            keys.iter().zip(&sets).map(|(key, (_, value))| Set { key, value: value.as_deref() }).collect();
        let headers = request(&values);
        let (edit, dropped) = edit(&headers, is_allowed, limits, &sets);
        let list = sent(&headers, &edit);
        let sent = members(&list);
        // Limits.
        prop_assert!(sent.len() <= limits.max_members && list.len() <= limits.max_bytes);
        // Every member is well-formed, and one that was set or that the client has sent, in their order.
        let given: Vec<_> = headers.get(NAME).flat_map(Member::split).map(Member::read).collect();
        let mut client = given.iter();
        for (index, member) in sent.iter().enumerate() {
            let key = member.key.unwrap();
            if keys.iter().any(|set| set.may_be_read_as(key)) {
                prop_assert!(keys.iter().any(|set| set.as_str().as_bytes() == key));
                prop_assert!(index < sets.len());
            } else {
                prop_assert!(is_allowed(key));
                prop_assert!(client.any(|given| given == member), "{member:?}");
            }
        }
        // Every member is sent on or counted once.
        let count = dropped.malformed + dropped.not_allowed + dropped.too_many + dropped.too_large + dropped.replaced;
        let to_set = sets.iter().filter(|set| set.value.is_some()).count();
        prop_assert_eq!(sent.len() + count as usize, given.len() + to_set);
    }

    #[test]
    fn a_second_edit_changes_nothing(values in values(), limits in limits()) {
        let headers = request(&values);
        let (first, _) = edit(&headers, is_allowed, limits, &[]);
        let list = sent(&headers, &first);
        let again = if list.is_empty() { Headers::EMPTY } else { request(&[list]) };
        prop_assert_eq!(edit(&again, is_allowed, limits, &[]), (Edit::Unchanged, Dropped::default()));
    }

    #[test]
    fn how_a_list_is_cut_into_headers_does_not_matter(values in values(), limits in limits()) {
        if values.is_empty() {
            return Ok(());
        }
        let headers = request(&values);
        let joined = request(&[headers.get(NAME).collect::<Vec<_>>().join(&b","[..])]);
        let (several, one) = (edit(&headers, is_allowed, limits, &[]), edit(&joined, is_allowed, limits, &[]));
        prop_assert_eq!(several.1, one.1);
        prop_assert_eq!(sent(&headers, &several.0), sent(&joined, &one.0));
    }

    /// The value is decoded to what was set, by the rules of the specification.
    #[test]
    fn a_set_value_is_decoded_to_itself(value: Vec<u8>) {
        let key = Key::new("k").unwrap();
        let limits = Limits { max_members: 1, max_bytes: usize::MAX };
        let (edit, _) = edit(&Headers::EMPTY, is_allowed, limits, &[Set { key: &key, value: Some(&value) }]);
        let list = sent(&Headers::EMPTY, &edit);
        let mut encoded = list.strip_prefix(b"k=").unwrap().iter();
        let mut decoded = Vec::new();
        while let Some(byte) = encoded.next() {
            if *byte == b'%' {
                let digits = [*encoded.next().unwrap(), *encoded.next().unwrap()];
                decoded.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                decoded.push(*byte);
            }
        }
        prop_assert_eq!(decoded, value);
        prop_assert_eq!(members(&list).len(), 1);
        prop_assert!(members(&list)[0].key.is_some());
    }
}
