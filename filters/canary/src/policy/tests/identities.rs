//! Who a request comes from, as a sticky split sees it.

use super::Gateway;
use super::gateway::Told;

/// A split by these parts among 32 variants, so that two identities hardly ever share one.
fn config(sticky: &str) -> String {
    let variants: Vec<_> = (0..32).map(|index| format!(r#"{{"name": "v{index}", "weight": 1}}"#)).collect();
    format!(r#"{{"split": {{"name": "s", "sticky": [{sticky}], "variants": [{}]}}}}"#, variants.join(", "))
}

const PARTS: &str = r#"{"header": "user"}, {"cookie": "c"}, {"query": "q"}"#;

/// The variant of an identity: what a split by a constant gives to everybody.
fn of(identity: &str) -> String {
    let gateway = Gateway::new(&config(&format!(r#"{{"constant": "{identity}"}}"#)));
    variant(&gateway.decide("")).to_owned()
}

fn variant<'a>(verdict: &Told<'a>) -> &'a str {
    verdict.decision.as_ref().unwrap().label.result.unwrap()
}

/// `identity`: what decides on a request with these headers; `None`: nothing does, so that the variant is random.
#[track_caller]
fn check(headers: &str, identity: Option<&str>) {
    let gateway = Gateway::new(&config(PARTS));
    let variants: Vec<_> = (0..20).map(|_| variant(&gateway.decide(headers))).collect();
    let is_missing = gateway.counted(&gateway.decide(headers)).contains(&"identity_missing s".to_owned());
    assert_eq!(is_missing, identity.is_none(), "{headers}");
    match identity {
        Some(identity) => {
            assert_eq!(variants, vec![of(identity); 20], "{headers}");
            assert_eq!(gateway.host.borrow().asked, [0; 4], "{headers}");
        }
        None => {
            assert!(variants.iter().any(|variant| *variant != variants[0]), "{headers}");
            // One number is enough.
            assert_eq!(gateway.host.borrow().asked, [21, 0, 0, 0], "{headers}");
        }
    }
}

#[test]
fn the_first_part_that_is_there_is_the_identity() {
    check("user: alice; cookie: c=bob; :path: /?q=carol", Some("alice"));
    check("cookie: c=bob; :path: /?q=carol", Some("bob"));
    check(":path: /?q=carol", Some("carol"));
    check(":path: /", None);
}

#[test]
fn what_is_there_twice_identifies_nobody() {
    check("user: alice; user: bob", None);
    check("user: alice; user: alice", None);
    check("cookie: c=a;c=b", None);
    check("cookie: c=a; cookie: c=a", None);
    check(":path: /?q=a&q=b", None);
    check("user: alice; user: bob; cookie: c=carol", Some("carol"));
    check("cookie: c=a;c=b; :path: /?q=carol", Some("carol"));
}

#[test]
fn what_is_empty_identifies_nobody() {
    check("user: ", None);
    check("user:  ; cookie: c=bob", Some("bob"));
    check("cookie: c=; :path: /?q=carol", Some("carol"));
    check(":path: /?q=", None);
    check("cookie: c=\"\"", None);
}

#[test]
fn an_identity_has_at_most_a_kilobyte() {
    let (longest, too_long) = ("a".repeat(1024), "a".repeat(1025));
    check(&format!("user: {longest}; cookie: c=bob"), Some(&longest));
    check(&format!("user: {too_long}; cookie: c=bob"), Some("bob"));
    check(&format!("user: {too_long}"), None);
    check(&format!("user: {longest}  "), Some(&longest));
}

/// One user in two spellings is one user.
#[test]
fn an_identity_has_one_spelling() {
    check("user:  alice ", Some("alice"));
    check("cookie: c=\"b%6fb\"", Some("bob"));
    check(":path: /?q=%63arol", Some("carol"));
}

#[test]
fn a_claim_is_an_identity() {
    let gateway = Gateway::new(&config(r#"{"claim": "sub"}"#));
    assert_eq!(variant(&gateway.decide("")), of("alice"));
    let gateway = Gateway::new(&config(r#"{"claim": "iss"}, {"header": "user"}"#));
    assert_eq!(variant(&gateway.decide("user: bob")), of("bob"));
}

/// With other parts the same identity gets the same variant: the kind of the part is not hashed.
#[test]
fn the_variant_is_that_of_the_value() {
    for name in ["alice", "bob", "carol"] {
        let by_cookie = Gateway::new(&config(r#"{"cookie": "c"}"#));
        let by_header = Gateway::new(&config(r#"{"header": "user"}"#));
        let (cookie, header) = (format!("cookie: c={name}"), format!("user: {name}"));
        assert_eq!(variant(&by_cookie.decide(&cookie)), variant(&by_header.decide(&header)));
    }
}

/// Without `sticky` nobody lacks an identity.
#[test]
fn without_sticky_parts_each_request_gets_a_random_variant() {
    let config = config("").replace(r#""sticky": [], "#, "");
    let gateway = Gateway::new(&config);
    let variants: std::collections::BTreeSet<_> =
        (0..1000).map(|_| variant(&gateway.decide("user: alice"))).collect();
    assert_eq!(variants.len(), 32);
    assert_eq!(gateway.counted(&gateway.decide("")), ["decisions split s"]);
}

#[test]
fn random_variants_have_their_shares() {
    let gateway = Gateway::new(
        r#"{"split": {"name": "s", "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]}}"#,
    );
    let canaries = (0..20_000).filter(|_| variant(&gateway.decide("")) == "v2").count();
    assert!((1800..2200).contains(&canaries), "{canaries}");
}
