//! Baggage: what passes, and what is set.

use super::*;

#[track_caller]
fn check_baggage(config: &str, requests: &[(&str, &str, &[&str])]) {
    let gateway = Gateway::new(&format!(r#"{{"baggage": {config}}}"#));
    for (request, expected, counts) in requests {
        let verdict = gateway.decide(request);
        assert_eq!(sent(request, &verdict.request), sorted(expected), "{request}");
        assert_eq!(gateway.counted(&verdict), *counts, "{request}");
    }
}

#[test]
fn without_a_config_it_is_untouched() {
    check_untouched("{}", &[("baggage: a=1,,=,\u{7f}; baggage: b", "missing")]);
    check_untouched(r#"{"extract": []}"#, &[("baggage: a=1", "missing")]);
}

#[test]
fn members_that_are_allowed_stay_as_they_came() {
    check_baggage(
        r#"{"allow": ["tenant", {"prefix": "mesh-"}]}"#,
        &[
            ("baggage: tenant=a, mesh-x=1;p=q", "baggage: tenant=a, mesh-x=1;p=q", &[]),
            (
                "baggage: tenant=a, user=b , mesh-x=1;p=q",
                "baggage: tenant=a,mesh-x=1;p=q",
                &["baggage_dropped not_allowed"],
            ),
            (
                "baggage: user=b; baggage: tenant=a; baggage: other=c",
                "baggage: tenant=a",
                &["2 baggage_dropped not_allowed"],
            ),
            ("baggage: user=b; x: y", "x: y", &["baggage_dropped not_allowed"]),
        ],
    );
    check_baggage(r#"{"allow": []}"#, &[("baggage: a=1", "", &["baggage_dropped not_allowed"])]);
    check_baggage("{}", &[("baggage: a=1; baggage: b=2", "baggage: a=1; baggage: b=2", &[])]);
}

#[test]
fn malformed_members_are_dropped_whole() {
    check_baggage(
        "{}",
        &[
            ("baggage: a=1,b,c=3", "baggage: a=1,c=3", &["baggage_dropped malformed"]),
            ("baggage: =1", "", &["baggage_dropped malformed"]),
        ],
    );
}

/// A client chooses how many there are, and each counter costs a call.
#[test]
fn dropped_members_are_counted_at_once() {
    let gateway = Gateway::new(r#"{"baggage": {"max_members": 1}}"#);
    let verdict = gateway.decide(&format!("baggage: a=1,{}{}", ",".repeat(5000), "b=2,".repeat(5000)));
    assert_eq!(gateway.counted(&verdict), ["511 baggage_dropped malformed", "9490 baggage_dropped too_many"]);
}

#[test]
fn limits_drop_members_whole() {
    check_baggage(
        r#"{"max_members": 2}"#,
        &[("baggage: a=1,b=2,c=3", "baggage: a=1,b=2", &["baggage_dropped too_many"])],
    );
    check_baggage(
        r#"{"max_bytes": 7}"#,
        &[
            ("baggage: a=1,b=2", "baggage: a=1,b=2", &[]),
            // A smaller one behind a large one stays.
            ("baggage: a=1,b=22,c=3", "baggage: a=1,c=3", &["baggage_dropped too_large"]),
        ],
    );
}

#[test]
fn a_member_that_is_set_stands_in_front() {
    let config = r#"{"set": [{"key": "tenant", "from": {"header": "x-tenant"}}, {"key": "p", "from": {"constant": "a b,%"}}]}"#;
    check_baggage(
        config,
        &[
            ("x-tenant: acme", "x-tenant: acme; baggage: tenant=acme,p=a%20b%2C%25", &[]),
            ("x-tenant: acme; baggage: a=1", "x-tenant: acme; baggage: tenant=acme,p=a%20b%2C%25,a=1", &[]),
            ("", "baggage: p=a%20b%2C%25", &[]),
        ],
    );
}

/// Also if the request has no value for it.
#[test]
fn a_client_cannot_set_it() {
    check_baggage(
        r#"{"set": [{"key": "tenant", "from": {"header": "x-tenant"}}]}"#,
        &[
            (
                "x-tenant: acme; baggage: tenant=evil,a=1",
                "x-tenant: acme; baggage: tenant=acme,a=1",
                &["baggage_dropped replaced"],
            ),
            ("baggage: tenant=evil", "", &["baggage_dropped replaced"]),
            ("baggage: Tenant=evil,%74enant=evil", "", &["2 baggage_dropped replaced"]),
            // Two values are none.
            ("x-tenant: a; x-tenant: b", "x-tenant: a; x-tenant: b", &[]),
        ],
    );
}

#[test]
fn a_value_is_any_key_part() {
    let set = |from: &str| format!(r#"{{"set": [{{"key": "k", "from": {from}}}]}}"#);
    let request = ":method: get; :path: /a?q=1; :authority: Shop.example.com:8080; cookie: s=v";
    for (from, value) in [
        (r#"{"client_ip": {}}"#, "192.0.2.1"),
        (r#"{"client_ip": {"v4_prefix": 24}}"#, "192.0.2.0"),
        (r#"{"claim": "tenant"}"#, "acme"),
        (r#"{"query": "q"}"#, "1"),
        (r#"{"cookie": "s"}"#, "v"),
        (r#""method""#, "GET"),
        (r#""host""#, "shop.example.com"),
        (r#"{"constant": "c"}"#, "c"),
    ] {
        check_baggage(&set(from), &[(request, &format!("{request}; baggage: k={value}"), &[])]);
    }
}

#[test]
fn a_member_that_is_already_there_is_no_change() {
    let config = r#"{"baggage": {"set": [{"key": "k", "from": {"constant": "v"}}]}}"#;
    check_untouched(config, &[("baggage: k=v", "missing"), ("baggage: k=v,a=1", "missing")]);
}
