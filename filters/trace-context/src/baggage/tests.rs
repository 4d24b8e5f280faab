use super::*;

const LIMITS: Limits = Limits { max_members: 64, max_bytes: 8192 };
const NONE: Dropped = Dropped { not_allowed: 0, malformed: 0, too_many: 0, too_large: 0, replaced: 0 };

fn request(values: &[&str]) -> Headers {
    Headers::from_pairs(values.iter().map(|value| (NAME, value)))
}

fn allow_all(_: &[u8]) -> bool {
    true
}

/// What is sent on: as it came, nothing, or one value.
fn text(edit: Edit) -> String {
    match edit {
        Edit::Unchanged => "unchanged".to_owned(),
        Edit::Remove => "removed".to_owned(),
        Edit::Replace(value) => String::from_utf8(value.as_bytes().to_vec()).unwrap(),
    }
}

#[track_caller]
fn check_limits(values: &[&str], limits: Limits, expected: &str, dropped: Dropped) {
    let (edit, found) = edit(&request(values), allow_all, limits, &[]);
    assert_eq!((text(edit), found), (expected.to_owned(), dropped), "{values:?}");
}

#[track_caller]
fn check(values: &[&str], expected: &str, dropped: Dropped) {
    check_limits(values, LIMITS, expected, dropped);
}

#[track_caller]
fn check_set(values: &[&str], set: &[(&str, Option<&str>)], expected: &str, dropped: Dropped) {
    let keys: Vec<_> = set.iter().map(|(key, _)| Key::new(key).unwrap()).collect();
    let set: Vec<_> =
        keys.iter().zip(set).map(|(key, (_, value))| Set { key, value: value.map(str::as_bytes) }).collect();
    let (edit, found) = edit(&request(values), allow_all, LIMITS, &set);
    assert_eq!((text(edit), found), (expected.to_owned(), dropped), "{values:?}");
}

fn malformed(count: u32) -> Dropped {
    Dropped { malformed: count, ..NONE }
}

#[test]
fn examples_of_the_specification_pass() {
    // <https://www.w3.org/TR/baggage/>, "Example" and "Examples of HTTP headers".
    for values in [
        &[][..],
        &["key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue"],
        &["userId=alice,serverNode=DF%2028,isProduction=false"],
        &["userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false"],
        &["userId=alice", "serverNode=DF%2028,isProduction=false"],
        &["userId =   alice", "serverNode = DF%2028, isProduction = false"],
    ] {
        check(values, "unchanged", NONE);
    }
}

#[test]
fn well_formed_members_pass() {
    for value in
        ["a=", "a==", "a=b=c", "a=1;b=;c==", "a=1,a=1,a=2", "!#$%&'*+-.^_`|~09aZ=1", "a=!#[]~'()/:<>?@{}|"]
    {
        check(&[value], "unchanged", NONE);
    }
}

#[test]
fn malformed_members_are_dropped_whole() {
    for value in [
        "",
        "a",
        "=1",
        "a b=1",
        "a=1 2",
        "a=\"1\"",
        "a=1\\",
        "a=\u{e9}",
        "\u{e9}=1",
        "a=1;",
        "a=1;;b",
        "a=1;=2",
        "a=1;b c",
        "a=1;b=\"",
        "a/b=1",
        ";",
        "a;b=1",
        "a=1\u{7f}",
        "(a)=1",
    ] {
        check(&[value], "removed", malformed(1));
        check(&["x = 1 ; p", value, "y=2"], "x = 1 ; p,y=2", malformed(1));
    }
    check(&["x=1,,y=2 , "], "x=1,y=2", malformed(2));
}

#[test]
fn members_that_are_not_allowed_are_dropped() {
    let check = |value, expected: &str, not_allowed| {
        let allowed = |key: &[u8]| key == b"tenant" || key.starts_with(b"mesh-");
        let (edit, dropped) = edit(&request(&[value]), allowed, LIMITS, &[]);
        assert_eq!((text(edit), dropped), (expected.to_owned(), Dropped { not_allowed, ..NONE }), "{value}");
    };
    check("tenant=1,mesh-a=2", "unchanged", 0);
    check("user=1, tenant = 1;p , mesh-a=2,x=3", "tenant = 1;p,mesh-a=2", 2);
    check("Tenant=1", "removed", 1);
}

#[test]
fn the_number_of_members_is_limited() {
    let limits = Limits { max_members: 2, ..LIMITS };
    check_limits(&["a=1,b=2"], limits, "unchanged", NONE);
    check_limits(&["a=1", "b=2"], limits, "unchanged", NONE);
    check_limits(&["a=1,b=2,c=3", "d=4"], limits, "a=1,b=2", Dropped { too_many: 2, ..NONE });
    // What is dropped for another reason takes no room.
    check_limits(&["a,b=2,c=3"], limits, "b=2,c=3", malformed(1));
}

#[test]
fn the_number_of_bytes_is_limited() {
    let limits = |max_bytes| Limits { max_bytes, ..LIMITS };
    check_limits(&["a=1,b=2"], limits(7), "unchanged", NONE);
    check_limits(&["a=1", "b=2"], limits(7), "unchanged", NONE);
    check_limits(&["a=1,b=2"], limits(6), "a=1", Dropped { too_large: 1, ..NONE });
    // A smaller member may follow.
    check_limits(&["a=1,b=22,c=3"], limits(7), "a=1,c=3", Dropped { too_large: 1, ..NONE });
    // Without its spaces the list fits.
    check_limits(&["a=1 , b=2"], limits(7), "a=1,b=2", NONE);
    check_limits(&["a=1"], limits(2), "removed", Dropped { too_large: 1, ..NONE });
}

#[test]
fn what_is_set_stands_in_front() {
    check_set(&[], &[("tenant", Some("a"))], "tenant=a", NONE);
    check_set(&["x=1, y=2"], &[("tenant", Some("a")), ("b", Some(""))], "tenant=a,b=,x=1,y=2", NONE);
    check_set(&["x=1"], &[("tenant", None)], "unchanged", NONE);
    check_set(&[], &[("tenant", None)], "unchanged", NONE);
}

#[test]
fn the_member_of_the_client_is_removed() {
    let replaced = |replaced| Dropped { replaced, ..NONE };
    check_set(&["tenant=b;p,x=1,tenant = c"], &[("tenant", Some("a"))], "tenant=a,x=1", replaced(2));
    check_set(&["tenant=b"], &[("tenant", None)], "removed", replaced(1));
    check_set(&["tenant=a"], &[("tenant", Some("a"))], "unchanged", replaced(1));
    check_set(&["tenant=a,x=1"], &[("tenant", Some("a"))], "unchanged", replaced(1));
    check_set(&["x=1,tenant=a"], &[("tenant", Some("a"))], "tenant=a,x=1", replaced(1));
}

#[test]
fn the_key_of_the_client_is_removed_in_each_spelling() {
    for key in [
        "TENANT",
        "%74enant",
        "%74%65%6e%61%6E%74",
        "+tenant",
        "tenant%20",
        "tenant+",
        "%C2%A0tenant",
        "%54enant",
    ] {
        let replaced = Dropped { replaced: 1, ..NONE };
        check_set(&[&format!("{key}=b,x=1")], &[("tenant", Some("a"))], "tenant=a,x=1", replaced);
    }
    for key in ["tenan", "tenants", "te-nant", "%2574enant", "tenant%"] {
        let value = format!("{key}=b");
        check_set(&[&value], &[("tenant", Some("a"))], &format!("tenant=a,{value}"), NONE);
    }
}

#[test]
fn values_are_percent_encoded() {
    let check = |value, expected| check_set(&[], &[("k", Some(value))], expected, NONE);
    check("DF 28", "k=DF%2028");
    check("Am\u{e9}lie", "k=Am%C3%A9lie");
    check("50%", "k=50%25");
    check("a,b;c=d", "k=a%2Cb%3Bc=d");
    check("\"\\\r\n\0\u{7f}", "k=%22%5C%0D%0A%00%7F");
    check("!#$&'()*+-./:<=>?@[]^_`{|}~", "k=!#$&'()*+-./:<=>?@[]^_`{|}~");
}

#[test]
fn what_is_set_has_the_first_right_to_the_room() {
    let (tenant, other) = (Key::new("tenant").unwrap(), Key::new("o").unwrap());
    let set = [Set { key: &tenant, value: Some(b"a b") }, Set { key: &other, value: Some(b"1") }];
    let check = |max_members, max_bytes, expected: &str, dropped| {
        let (edit, found) = edit(&request(&["x=1"]), allow_all, Limits { max_members, max_bytes }, &set);
        assert_eq!((text(edit), found), (expected.to_owned(), dropped));
    };
    check(3, 20, "tenant=a%20b,o=1,x=1", NONE);
    check(3, 19, "tenant=a%20b,o=1", Dropped { too_large: 1, ..NONE });
    check(2, 20, "tenant=a%20b,o=1", Dropped { too_many: 1, ..NONE });
    check(3, 11, "o=1,x=1", Dropped { too_large: 1, ..NONE });
    check(0, 20, "removed", Dropped { too_many: 3, ..NONE });
}

#[test]
fn each_member_is_tested_once() {
    let check = |values: &[&str], limits, expected: &[&str]| {
        let tested = std::cell::RefCell::new(Vec::new());
        let is_allowed = |key: &[u8]| {
            tested.borrow_mut().push(String::from_utf8(key.to_vec()).unwrap());
            key != b"x"
        };
        let tenant = Key::new("tenant").unwrap();
        let _ = edit(&request(values), is_allowed, limits, &[Set { key: &tenant, value: Some(b"1") }]);
        assert_eq!(tested.into_inner(), expected, "{values:?}");
    };
    check(&["a=1,b=2", "a=3"], LIMITS, &["a", "b", "a"]);
    // Whether it stays or not.
    check(&["x=1,b=2,tenant=3,nonsense,c=4"], LIMITS, &["x", "b", "c"]);
    check(&["a=1,b=2,c=3"], Limits { max_members: 1, ..LIMITS }, &["a", "b", "c"]);
}

/// As many members as fit into a header, with as many tests as a config may have, would be millions of comparisons.
#[test]
fn members_beyond_a_number_are_not_looked_at() {
    let limits = Limits { max_members: usize::MAX, max_bytes: usize::MAX };
    let check = |values: &[String], expected: String, number, dropped| {
        let tested = std::cell::Cell::new(0);
        let is_allowed = |key: &[u8]| {
            tested.set(tested.get() + 1);
            key != b"x"
        };
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let (edit, found) = edit(&request(&values), is_allowed, limits, &[]);
        assert_eq!((text(edit), found), (expected, dropped));
        assert_eq!(tested.get(), number);
    };
    let list = |member: &str, number: usize| vec![member; number].join(",");
    let too_many = |too_many| Dropped { too_many, ..NONE };
    check(&[list("a=1", 512)], "unchanged".to_owned(), 512, NONE);
    check(&[list("a=1", 513)], list("a=1", 512), 512, too_many(1));
    check(&[list("a=1", 20_000)], list("a=1", 512), 512, too_many(19_488));
    // In all headers together, whatever they are.
    check(
        &[list("a=1", 500), list("b=2", 20), list("", 7)],
        list("a=1", 500) + "," + &list("b=2", 12),
        512,
        too_many(15),
    );
    check(
        &[list("x=1", 512), list("a=1", 3)],
        "removed".to_owned(),
        512,
        Dropped { not_allowed: 512, ..too_many(3) },
    );
    check(&[list("", 513)], "removed".to_owned(), 0, Dropped { malformed: 512, ..too_many(1) });
    check(&[list("", 512) + ",a=1"], "removed".to_owned(), 0, Dropped { malformed: 512, ..too_many(1) });
}

/// A member that is set counts for itself.
#[test]
fn what_is_not_looked_at_is_dropped_in_any_case() {
    let list = vec!["a=1"; 512].join(",") + ",tenant=b";
    let dropped = Dropped { too_many: 449, too_large: 0, ..NONE };
    check_set(&[&list], &[("tenant", None)], &vec!["a=1"; 64].join(","), dropped);
}

#[test]
fn keys_are_tokens() {
    for key in ["", "a b", "a=b", "a,b", "a;b", "\u{e9}", "a\t", "\"a\""] {
        assert_eq!(Key::new(key), None, "{key}");
    }
    assert_eq!(Key::new("tenant").unwrap().as_str(), "tenant");
}

#[test]
fn long_lists_are_judged_in_linear_time() {
    let key = Key::new("tenant").unwrap();
    let set = vec![Set { key: &key, value: Some(b"a") }; 16];
    let begun = std::time::Instant::now();
    for pattern in [",", "a=1,", "a=1;", "a=", "%74", "+", "=", ";", " ", "tenant=1,", "a=1 ,"] {
        let headers = request(&[&pattern.repeat((1 << 18) / pattern.len())]);
        let _ = edit(&headers, allow_all, LIMITS, &set);
        let _ = edit(&headers, allow_all, Limits { max_members: usize::MAX, max_bytes: usize::MAX }, &[]);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}

#[cfg(not(target_arch = "wasm32"))]
mod laws;
