use super::{MatchInput, RequestMatch};
use crate::facts::{Facts, Needs};
use crate::headers::Headers;
use crate::testing::{read_field, test};
use crate::truth::Truth;

fn request_match(config: &str) -> Result<RequestMatch, String> {
    read_field("match", config, RequestMatch::kind())
}

/// Tests a match on a fixed request.
#[track_caller]
fn check(config: &str, expected: impl Into<Truth>) {
    let headers = Headers::from_pairs([
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.example.com"),
        (":path", "/api/v1/%69tems?debug&tier=gold&tier=a+b"),
        ("x-version", "v1"),
        ("x-version", "v2"),
        ("cookie", "session=premium; a=b"),
    ]);
    let claims = serde_json::from_str(r#"{"realm_access": {"roles": ["admin"]}}"#).unwrap();
    let facts = Facts {
        principal: Some(b"spiffe://cluster.local/ns/prod/sa/web"),
        claims: Some(&claims),
        ..Facts::of(&headers)
    };
    let client_ip = Some([10, 1, 2, 3].into());
    assert_eq!(
        request_match(config).unwrap().test(&MatchInput::new(&facts, client_ip)),
        expected.into(),
        "{config}"
    );
}

/// Tests a match on a request without any facts.
#[track_caller]
fn check_bare(config: &str, expected: impl Into<Truth>) {
    let headers = Headers::default();
    let facts = Facts::of(&headers);
    let found = request_match(config).unwrap().test(&MatchInput::new(&facts, None));
    assert_eq!(found, expected.into(), "{config}");
}

#[track_caller]
fn check_problem(config: &str, expected: &str) {
    assert_eq!(request_match(config).err().unwrap_or_default(), expected);
}

#[test]
fn nothing_given_holds_always() {
    check("{}", true);
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
    check(r#"{"path": {"exact": "/api/v1/items"}}"#, true);
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
    check(r#"{"methods": ["POST"], "path": {"exact": "/other"}}"#, false);
    check(r#"{"any": [{"methods": ["GET"]}, {"path": {"prefix": "/api/"}}]}"#, true);
    check(r#"{"any": [{"methods": ["GET"]}, {"path": {"exact": "/"}}]}"#, false);
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
    check_bare(r#"{"path": {"prefix": "/"}}"#, Truth::Undecided);
    check_bare(r#"{"not": {"path": {"prefix": "/"}}}"#, Truth::Undecided);
}

#[test]
fn needs_are_those_of_every_part() {
    let check = |config: &str, expected: Needs| {
        assert_eq!(request_match(config).unwrap().needs(), expected, "{config}")
    };
    check("{}", Needs::default());
    check(r#"{"path": {"exact": "/"}}"#, Needs { headers: true, ..Needs::default() });
    check(
        r#"{"any": [{"client_ip": ["::1"]}, {"principal": "x"}], "not": {"claims": [{"claim": "sub", "equals": "x"}]}}"#,
        Needs { source: true, principal: true, claims: true, ..Needs::default() },
    );
}

#[test]
fn all_problems_come_at_once() {
    check_problem(
        r#"{"hosts": ["a:x"], "methods": ["G T"], "path": {}, "headers": [{"exact": "x"}], "client_ip": ["10.0.0.1/8"],
            "claims": [], "any": [{"metods": ["GET"]}], "header": []}"#,
        "match.hosts[0]: found `a:x`, expected a port from 0 to 65535 behind the host, or `:*` for any port and none\n\
         match.methods[0]: found `G T`, expected a method, as `GET`; each method is an item of its own\n\
         match.path: found none, expected one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`, `template`\n\
         match.headers[0].name: missing\n\
         match.client_ip[0]: found `10.0.0.1/8`, expected `10.0.0.0/8`, as bits behind the prefix must be zero\n\
         match.claims: found an empty array, expected at least one item\n\
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
    check_problem(r#"{"any": []}"#, "match.any: found an empty array, expected at least one item");
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
    check(r#"{"exact": "api"}"#, "api", "/api");
    check(r#"{"prefix": "api/"}"#, "api/", "/api/");
    check(r#"{"prefix": "/a//b"}"#, "/a//b", "/a/b");
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
        "match.path.templat: unknown field, did you mean `template`?",
    );
    check(r#"{"path": {"template": "/API/{version}/*", "ignore_case": true}}"#, true);
    check_problem(r#"{"path": 7}"#, "match.path: found 7, expected an object");
    check_problem(
        r#"{"headers": [{"name": "x", "template": "/{a}"}]}"#,
        "match.headers[0].template: unknown field, expected one of `name`, `ignore_case`, `exact`, `prefix`, `suffix`, `contains`, `regex`, `in`, `present`",
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
    let nested =
        |depth| format!("{}{{\"methods\": [\"GET\"]}}{}", "{\"not\": ".repeat(depth), "}".repeat(depth));
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

#[test]
fn parts_that_are_undecided() {
    let undecided = |config: &str, headers: &[(&str, &str)]| {
        let headers = Headers::from_pairs(headers.iter().copied());
        let facts = Facts::of(&headers);
        let found = request_match(config).unwrap().test(&MatchInput::new(&facts, None));
        assert_eq!(found, Truth::Undecided, "{config} {headers:?}");
    };
    undecided(r#"{"methods": ["DELETE"]}"#, &[(":method", "delete")]);
    undecided(r#"{"methods": ["GET", "post"]}"#, &[(":method", "Post")]);
    undecided(r#"{"hosts": ["status.test"]}"#, &[(":authority", "status.test:81")]);
    undecided(r#"{"path": {"prefix": "/public/"}}"#, &[(":path", "/admin/../public/x")]);
    undecided(r#"{"path": {"template": "/api/**"}}"#, &[(":path", "/api%2fx/y")]);
    undecided(r#"{"not": {"path": {"prefix": "/api/"}}}"#, &[(":path", "/api%2fx")]);
    undecided(
        r#"{"any": [{"methods": ["PUT"]}, {"hosts": ["a"]}]}"#,
        &[(":method", "GET"), (":authority", "a.")],
    );
    undecided(
        r#"{"methods": ["GET"], "path": {"prefix": "/a"}}"#,
        &[(":method", "GET"), (":path", "/b/../a")],
    );
}

#[test]
fn a_no_outweighs_what_is_undecided() {
    let headers = Headers::from_pairs([(":method", "GET"), (":path", "/b/../a"), (":authority", "a:1")]);
    let facts = Facts::of(&headers);
    let test = |config: &str| request_match(config).unwrap().test(&MatchInput::new(&facts, None));
    assert_eq!(test(r#"{"methods": ["PUT"], "path": {"prefix": "/a"}}"#), Truth::No);
    assert_eq!(test(r#"{"any": [{"path": {"prefix": "/a"}}, {"methods": ["GET"]}]}"#), Truth::Yes);
    assert_eq!(test(r#"{"path": {"prefix": "/a"}, "hosts": ["b"]}"#), Truth::No);
    assert_eq!(test(r#"{"path": {"prefix": "/c"}}"#), Truth::No);
}

#[test]
fn an_escaped_slash_may_be_a_character() {
    let headers = Headers::from_pairs([(":path", "/api%2fx")]);
    let facts = Facts::of(&headers);
    let request = MatchInput::new(&facts, None).with_escaped_slashes(crate::path::EscapedSlashes::Character);
    assert_eq!(request_match(r#"{"path": {"prefix": "/api/"}}"#).unwrap().test(&request), Truth::No);
}

/// In YAML, an empty field is `null`.
#[test]
fn null_lifts_no_restriction() {
    let parts =
        ["hosts", "methods", "path", "headers", "cookies", "query", "client_ip", "principal", "claims"];
    check_problem(
        r#"{"path": {"exact": "/a", "prefix": null}}"#,
        "match.path.prefix: found null, expected a value; leave the field out for no restriction",
    );
    for part in parts.into_iter().chain(["any", "not"]) {
        check_problem(
            &format!(r#"{{"{part}": null}}"#),
            &format!("match.{part}: found null, expected a value; leave the field out for no restriction"),
        );
    }
}

#[test]
fn patterns_of_other_routers_are_refused() {
    let check = |path: &str, found: &str, pattern: &str| {
        let message = format!(
            "match.path: found `{found}`, expected no {pattern} here: use `template` for a pattern, `regex` for that \
             very text"
        );
        check_problem(&format!(r#"{{"path": {path}}}"#), &message);
    };
    check(r#"{"prefix": "/users/*"}"#, "/users/*", "`*`");
    check(r#"{"exact": "*"}"#, "*", "`*`");
    check(r#"{"exact": "/a%2a"}"#, "/a%2a", "`*`");
    check(r#"{"exact": "/users/{id}"}"#, "/users/{id}", "`{…}`");
    check(r#"{"suffix": "/{id}"}"#, "/{id}", "`{…}`");
    check(r#"{"contains": "*"}"#, "*", "`*`");
    check(r#"{"exact": "/users/<id>"}"#, "/users/<id>", "`[…]` and `<…>`");
    check(r#"{"exact": "/users/[id]"}"#, "/users/[id]", "`[…]` and `<…>`");
    check(r#"{"prefix": "^/api"}"#, "^/api", "`^`");
    check(r#"{"prefix": "http://x.test/api/"}"#, "http://x.test/api/", "scheme and host");
    check(r#"{"in": ["/a", "/users/:id"]}"#, "/users/:id", "segment that begins with `:`");
    for fine in [r#"{"exact": "/keys:rotate"}"#, r#"{"suffix": ":rotate"}"#, r#"{"exact": "/a%7Bb%7D"}"#] {
        assert!(request_match(&format!(r#"{{"path": {fine}}}"#)).is_ok(), "{fine}");
    }
    check_problem(
        r#"{"methods": ["GET", "*"]}"#,
        "match.methods[1]: found `*`, expected a method, as `GET`; for all of them leave `methods` out",
    );
    for method in ["GET|POST", "GET*", ".*", "!GET", ""] {
        check_problem(
            &format!(r#"{{"methods": ["{method}"]}}"#),
            &format!(
                "match.methods[0]: found `{method}`, expected a method, as `GET`; each method is an item of its own"
            ),
        );
    }
    check_problem(
        r#"{"methods": ["any"]}"#,
        "match.methods[0]: found `any`, expected a method, as `GET`; for all of them leave `methods` out",
    );
    check_problem(
        r#"{"path": "/api/"}"#,
        "match.path: found `/api/`, expected an object: say `exact` or `prefix`, as {\"prefix\": \"/api/\"}",
    );
}

#[test]
fn a_part_of_a_path_that_can_never_be_is_refused() {
    let check = |path: &str, found: &str, expected: &str| {
        let message = format!(
            "match.path: found `{found}`, which no path in normal form can be, expected `{expected}`"
        );
        check_problem(&format!(r#"{{"path": {path}}}"#), &message);
    };
    check(r#"{"contains": "%3b"}"#, "%3b", "%3B");
    check(r#"{"contains": "//"}"#, "//", "/");
    check(r#"{"suffix": ".é"}"#, ".\\xc3\\xa9", ".%C3%A9");
    check(r#"{"contains": "secret area"}"#, "secret area", "secret%20area");
    check(r#"{"suffix": "/a/."}"#, "/a/.", "/a/");
    check(r#"{"contains": "/a/./b"}"#, "/a/./b", "/a/b");
    check(r#"{"contains": "a\\b"}"#, "a\\\\b", "a/b");
    let never = "which no path in normal form holds: dot segments are resolved";
    check_problem(r#"{"path": {"contains": "/../"}}"#, &format!("match.path: found `/../`, {never}"));
    let query = "expected a path without its query: use `query` for that";
    check_problem(r#"{"path": {"contains": "?a"}}"#, &format!("match.path: found `?a`, {query}"));
    check_problem(r#"{"path": {"exact": "/a?b"}}"#, &format!("match.path: found `/a?b`, {query}"));
    for fine in [
        r#"{"contains": "%3b", "ignore_case": true}"#,
        r#"{"contains": "%3B"}"#,
        r#"{"contains": ";"}"#,
        r#"{"contains": ".."}"#,
        r#"{"contains": "%2"}"#,
        r#"{"contains": "%5"}"#,
        r#"{"prefix": "/a%6"}"#,
        r#"{"contains": "%"}"#,
        r#"{"prefix": "/a%2"}"#,
        r#"{"suffix": "/"}"#,
        r#"{"suffix": "2F"}"#,
        r#"{"suffix": ".php"}"#,
    ] {
        assert!(request_match(&format!(r#"{{"path": {fine}}}"#)).is_ok(), "{fine}");
    }
}

/// Values are compared without leading and trailing spaces and tabs.
#[test]
fn a_text_that_no_value_can_be_is_refused() {
    let check = |test: &str, found: &str, end: &str| {
        for part in ["headers", "cookies"] {
            check_problem(
                &format!(r#"{{"{part}": [{{"name": "x", {test}}}]}}"#),
                &format!(
                    "match.{part}[0]: found `{found}`, which can never match, expected no space at the {end} end: values \
                     are compared without"
                ),
            );
        }
    };
    check(r#""exact": "prod ""#, "prod ", "right");
    check(r#""in": ["a", "\tprod"]"#, "\\tprod", "left");
    check(r#""prefix": " a""#, " a", "left");
    check(r#""suffix": "a ""#, "a ", "right");
    check_problem(
        r#"{"cookies": [{"name": "s", "exact": "\"abc\""}]}"#,
        "match.cookies[0]: found `\\\"abc\\\"`, which can never match, expected no quotes around it: values are compared without",
    );
    for fine in [r#""prefix": "Bearer ""#, r#""suffix": " x""#, r#""contains": " ""#, r#""exact": """#] {
        assert!(request_match(&format!(r#"{{"headers": [{{"name": "x", {fine}}}]}}"#)).is_ok(), "{fine}");
    }
}
