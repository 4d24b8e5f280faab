use super::{Candidate, RequestMatch};
use crate::config::read;
use crate::facts::{Facts, Needs};
use crate::headers::Headers;
use crate::testing::test;

fn request_match(config: &str) -> Result<RequestMatch, String> {
    let config = format!(r#"{{"match": {config}}}"#);
    read(config.as_bytes(), |fields| fields.or("match", RequestMatch::default(), RequestMatch::read))
        .map_err(|problems| problems.to_string())
}

/// One request; the cases differ in the match.
#[track_caller]
fn check(config: &str, expected: bool) {
    let headers = Headers::from_pairs([
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.example.com:8443"),
        (":path", "/api//v1/%61/../items?debug&tier=gold&tier=a+b"),
        ("x-version", "v1"),
        ("x-version", "v2"),
        ("cookie", "session=premium; a=b"),
    ]);
    let claims = serde_json::from_str(r#"{"realm_access": {"roles": ["admin"]}}"#).unwrap();
    let facts = Facts {
        headers: &headers,
        source: None,
        principal: Some(b"spiffe://cluster.local/ns/prod/sa/web"),
        claims: Some(&claims),
        attributes: &[],
    };
    let client_ip = Some([10, 1, 2, 3].into());
    assert_eq!(
        request_match(config).unwrap().is_match(&Candidate::new(&facts, client_ip)),
        expected,
        "{config}"
    );
}

/// A request of which nothing is known.
#[track_caller]
fn check_bare(config: &str, expected: bool) {
    let headers = Headers::default();
    let facts = Facts { headers: &headers, source: None, principal: None, claims: None, attributes: &[] };
    assert_eq!(request_match(config).unwrap().is_match(&Candidate::new(&facts, None)), expected, "{config}");
}

#[track_caller]
fn check_problem(config: &str, expected: &str) {
    assert_eq!(request_match(config).err().unwrap_or_default(), expected);
}

#[test]
fn nothing_given_holds_always() {
    check("{}", true);
    check("null", true);
    check_bare("{}", true);
}

#[test]
fn hosts_and_methods_hold_by_one() {
    check(r#"{"hosts": ["a.example", "*.example.com"]}"#, true);
    check(r#"{"hosts": ["example.com"]}"#, false);
    check(r#"{"methods": ["GET", "post"]}"#, true);
    check(r#"{"methods": ["GET"]}"#, false);
}

#[test]
fn the_path_is_judged_in_normal_form() {
    check(r#"{"path": "/api/v1/items"}"#, true);
    check(r#"{"path": {"prefix": "/api/v1/"}}"#, true);
    check(r#"{"path": {"regex": "/api/[^/]+/items"}}"#, true);
    check(r#"{"path": {"contains": "debug"}}"#, false);
    check(r#"{"path": {"contains": ".."}}"#, false);
}

#[test]
fn headers_cookies_and_query_hold_by_all() {
    check(r#"{"headers": [{"name": "X-Version", "exact": "v2"}]}"#, true);
    check(r#"{"headers": [{"name": "x-version", "exact": "v2"}, {"name": "x-b", "present": true}]}"#, false);
    check(r#"{"headers": [{"name": ":scheme", "exact": "https"}, {"name": "x-b", "present": false}]}"#, true);
    check(r#"{"cookies": [{"name": "session", "exact": "premium"}, {"name": "a", "prefix": "b"}]}"#, true);
    check(r#"{"cookies": [{"name": "Session", "present": true}]}"#, false);
    check(r#"{"query": [{"name": "debug", "present": true}, {"name": "tier", "exact": "a b"}]}"#, true);
    check(r#"{"query": [{"name": "debug", "exact": "1"}]}"#, false);
}

#[test]
fn who_is_asking() {
    check(r#"{"client_ip": ["192.0.2.0/24", "10.0.0.0/8"]}"#, true);
    check(r#"{"client_ip": ["10.1.2.4"]}"#, false);
    check(r#"{"principal": {"prefix": "spiffe://cluster.local/ns/prod/"}}"#, true);
    check(r#"{"principal": {"present": false}}"#, false);
    check(r#"{"claims": [{"claim": "realm_access.roles", "contains": "admin"}]}"#, true);
    check(r#"{"claims": [{"claim": "realm_access.roles", "contains": "adm"}]}"#, false);
}

#[test]
fn parts_combine() {
    check(r#"{"methods": ["POST"], "path": "/other"}"#, false);
    check(r#"{"any": [{"methods": ["GET"]}, {"path": {"prefix": "/api/"}}]}"#, true);
    check(r#"{"any": [{"methods": ["GET"]}, {"path": "/"}]}"#, false);
    check(r#"{"not": {"methods": ["GET"]}}"#, true);
    check(r#"{"methods": ["POST"], "not": {"path": {"prefix": "/api/"}}}"#, false);
    check(r#"{"not": {"any": [{"not": {"methods": ["POST"]}}]}}"#, true);
}

#[test]
fn where_nothing_is_known_only_absence_holds() {
    check_bare(r#"{"hosts": ["a.example"]}"#, false);
    check_bare(r#"{"methods": ["GET"]}"#, false);
    check_bare(r#"{"client_ip": ["0.0.0.0/0", "::/0"]}"#, false);
    check_bare(r#"{"principal": {"regex": ".*"}}"#, false);
    check_bare(r#"{"principal": {"present": false}, "claims": [{"claim": "sub", "present": false}]}"#, true);
    check_bare(r#"{"path": {"prefix": "/"}}"#, true);
}

#[test]
fn needs_are_those_of_every_part() {
    let check = |config: &str, expected: Needs| {
        assert_eq!(request_match(config).unwrap().needs(), expected, "{config}")
    };
    check("{}", Needs::default());
    check(r#"{"path": "/"}"#, Needs { headers: true, ..Needs::default() });
    check(
        r#"{"any": [{"client_ip": ["::1"]}, {"principal": "x"}], "not": {"claims": [{"claim": "sub", "exact": "x"}]}}"#,
        Needs { source: true, principal: true, claims: true, ..Needs::default() },
    );
}

#[test]
fn all_problems_come_at_once() {
    check_problem(
        r#"{"hosts": ["a:80"], "methods": ["G T"], "path": {}, "headers": [{"exact": "x"}], "client_ip": ["10.0.0.1/8"],
            "claims": [], "any": [{"metods": ["GET"]}], "header": []}"#,
        "match.hosts[0]: found `a:80`, expected a host without its port, which is not compared\n\
         match.methods[0]: found `G T`, expected a method, as `GET`\n\
         match.path: found no test, expected one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`, `template`\n\
         match.headers[0].name: missing\n\
         match.client_ip[0]: found `10.0.0.1/8`, expected `10.0.0.0/8`, as bits behind the prefix must be zero\n\
         match.claims: found an empty list, expected at least one item\n\
         match.any[0].metods: unknown field, did you mean `methods`?\n\
         match.header: unknown field, did you mean `headers`?",
    );
}

#[test]
fn likely_mistakes_are_refused() {
    let always = "found an object, expected at least one part: this match holds always";
    check_problem(r#"{"not": {}}"#, &format!("match.not: {always}"));
    check_problem(r#"{"any": [{}]}"#, &format!("match.any[0]: {always}"));
    check_problem(
        r#"{"path": {"present": true}}"#,
        "match.path: found `present`, expected another test: there always is a path",
    );
    check_problem(r#"{"any": []}"#, "match.any: found an empty list, expected at least one item");
    check_problem(
        r#"{"headers": [{"name": "Host", "exact": "a"}, {"name": ":path", "exact": "a"}, {"name": "a b", "exact": ""}]}"#,
        "match.headers[0].name: found `Host`, expected a header name; for the host use `hosts`\n\
         match.headers[1].name: found `:path`, expected a header name; for the path use `path` or `query`\n\
         match.headers[2].name: found `a b`, expected a header name",
    );
}

#[test]
fn a_path_that_can_never_be_is_refused() {
    let check = |path: &str, found: &str, expected: &str| {
        let message = format!(
            "match.path: found `{found}`, which no path in normal form can be, expected `{expected}`"
        );
        check_problem(&format!(r#"{{"path": {path}}}"#), &message);
    };
    check(r#""api""#, "api", "/api");
    check(r#"{"prefix": "api/"}"#, "api/", "/api/");
    check(r#"{"prefix": "/a//b"}"#, "/a//b", "/a/b");
    check(r#"{"exact": "/a?b"}"#, "/a?b", "/a");
    check(r#"{"in": ["/", "/a b"]}"#, "/a b", "/a%20b");
    check(r#"{"in": ["/a%2fb"]}"#, "/a%2fb", "/a%2Fb");
    check(r#"{"exact": "/a/."}"#, "/a/.", "/a/");
    for fine in ["/a/.", "/a/..", "/.well-known/", "/"] {
        assert!(request_match(&format!(r#"{{"path": {{"prefix": "{fine}"}}}}"#)).is_ok(), "{fine}");
    }
}

#[test]
fn a_path_may_be_a_template() {
    check(r#"{"path": {"template": "/api/{version}/*"}}"#, true);
    check(r#"{"path": {"template": "/api/{version}"}}"#, false);
    check(r#"{"path": {"template": "/api/**"}, "methods": ["GET"]}"#, false);
    check(r#"{"not": {"path": {"template": "/api/*"}}}"#, true);
    check_problem(
        r#"{"path": {"template": "/{a}", "prefix": "/"}}"#,
        "match.path: found `prefix`, `template`, expected one of them only",
    );
    check_problem(
        r#"{"path": {"templat": "/{a}"}}"#,
        "match.path: found no test, expected one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`, `template`\n\
         match.path.templat: unknown field, did you mean `template`?",
    );
    check_problem(
        r#"{"path": {"template": "/{a}", "ignore_case": true}}"#,
        "match.path.ignore_case: found true, expected nothing: a `template` minds the case",
    );
    check_problem(r#"{"path": 7}"#, "match.path: found 7, expected text or an object");
    check_problem(
        r#"{"headers": [{"name": "x", "template": "/{a}"}]}"#,
        "match.headers[0]: found no test, expected one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`\n\
         match.headers[0].template: unknown field, expected one of `name`, `ignore_case`, `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`",
    );
}

#[test]
fn captures_are_those_of_the_match_itself() {
    let check = |config: &str, path: &str, expected: Option<&str>| {
        let found = request_match(config).unwrap();
        let found = found.capture(path.as_bytes(), "id").map(|found| str::from_utf8(found).unwrap());
        assert_eq!(found, expected, "{config} {path}");
    };
    check(r#"{"path": {"template": "/users/{id}"}}"#, "/users/a%20b", Some("a%20b"));
    check(r#"{"path": {"template": "/users/{id}"}}"#, "/users/7/x", None);
    check(r#"{"path": {"template": "/users/{name}"}}"#, "/users/7", None);
    check(r#"{"path": {"prefix": "/users/"}}"#, "/users/7", None);
    check(r#"{"any": [{"path": {"template": "/users/{id}"}}]}"#, "/users/7", None);
    check("{}", "/users/7", None);

    let check = |config: &str, expected: bool| {
        assert_eq!(request_match(config).unwrap().has_capture("id"), expected, "{config}");
    };
    check(r#"{"path": {"template": "/users/{id}/**"}}"#, true);
    check(r#"{"path": {"template": "/users/{name}"}}"#, false);
    check(r#"{"not": {"path": {"template": "/users/{id}"}}}"#, false);
    check(r#"{"path": {"exact": "/id"}}"#, false);
    check("{}", false);
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth| format!("{}{{\"path\": \"/\"}}{}", "{\"not\": ".repeat(depth), "}".repeat(depth));
    assert!(request_match(&nested(7)).is_ok());
    check_problem(
        &nested(8),
        &format!("match{}: found more than 8 matches within each other", ".not".repeat(8)),
    );
    let items = vec![r#""GET""#; 1001].join(",");
    check_problem(
        &format!(r#"{{"methods": [{items}]}}"#),
        "match.methods: found 1001 items, expected at most 1000",
    );
}
