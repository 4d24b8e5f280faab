//! What a rule wants of claims.

use super::super::{Claims, HostTest, Test};
use super::{check, good, header, list, rule};
use mesh_policy::matching::claim::{ClaimTest, Comparison, Literal};

const TESTS: &str = "`equals`, `in`, `prefix`, `suffix`, `contains`, `regex`, `present`, \
    `gt`, `gte`, `lt`, `lte`, `equals_path`, `equals_header`, `equals_host`";

/// Every field, in the order in which they are asked for.
const NAMES: &str = "`claim`, `all`, `any`, `not`, `ignore_case`, `gt`, `gte`, `lt`, `lte`, `equals`, `in`, \
    `prefix`, `suffix`, `contains`, `regex`, `present`, `equals_path`, `equals_header`, `equals_host`";

fn claims(claims: &str) -> String {
    rule(&format!(r#""match": {{"path": {{"template": "/users/{{id}}/*"}}}}, "claims": {claims}"#))
}

#[track_caller]
fn read(text: &str) -> Claims {
    good(&claims(text)).rules.into_iter().find_map(|rule| rule.claims).unwrap()
}

/// The test of an expression that is one.
#[track_caller]
fn test(fields: &str) -> Test {
    match read(&format!(r#"{{"claim": "a", {fields}}}"#)) {
        Claims::Test { test, .. } => test,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_test(fields: &str, expected: &str) {
    check(&claims(&format!(r#"{{"claim": "a", {fields}}}"#)), expected);
}

#[test]
fn names_of_claims() {
    #[track_caller]
    fn check_path(claim: &str, expected: &[&str]) {
        match read(&format!(r#"{{"claim": {claim}, "present": true}}"#)) {
            Claims::Test { path, .. } => assert_eq!(path, expected),
            other => panic!("{other:?}"),
        }
    }
    check_path(r#""sub""#, &["sub"]);
    check_path(r#""realm_access.roles""#, &["realm_access", "roles"]);
    check_path(r#"["https://x.example/roles"]"#, &["https://x.example/roles"]);
    check_path(r#"["a.b", "c"]"#, &["a.b", "c"]);
}

#[test]
fn every_test() {
    let texts =
        |literals: &[Literal]| Test::Claim(ClaimTest::In { literals: literals.to_vec(), ignore_case: false });
    let compare = |bounds: Vec<(Comparison, f64)>| Test::Claim(ClaimTest::Compare(bounds));
    let same = |test: Test, expected: Test| assert_eq!(format!("{test:?}"), format!("{expected:?}"));
    same(test(r#""equals": "b""#), texts(&[Literal::Text("b".into())]));
    same(test(r#""equals": """#), texts(&[Literal::Text(String::new())]));
    same(test(r#""equals": 5"#), texts(&[Literal::Number(5.0)]));
    same(test(r#""equals": -0.5"#), texts(&[Literal::Number(-0.5)]));
    same(test(r#""equals": true"#), texts(&[Literal::Boolean(true)]));
    same(
        test(r#""in": ["b", 5.0, false]"#),
        texts(&[Literal::Text("b".into()), Literal::Number(5.0), Literal::Boolean(false)]),
    );
    same(test(r#""gt": 1"#), compare(vec![(Comparison::Greater, 1.0)]));
    same(
        test(r#""lte": 2.5, "gte": -1"#),
        compare(vec![(Comparison::GreaterOrEqual, -1.0), (Comparison::LessOrEqual, 2.5)]),
    );
    same(
        test(r#""gt": 0, "gte": 1, "lt": 3, "lte": 2"#),
        compare(vec![
            (Comparison::Greater, 0.0),
            (Comparison::GreaterOrEqual, 1.0),
            (Comparison::Less, 3.0),
            (Comparison::LessOrEqual, 2.0),
        ]),
    );
    same(test(r#""equals_path": "id""#), Test::EqualsPath("id".into()));
    same(test(r#""equals_header": "X-Tenant""#), Test::EqualsHeader(header("x-tenant")));
    same(test(r#""equals_host": true"#), Test::EqualsHost(HostTest::Whole));
    same(test(r#""equals_host": "*:*""#), Test::EqualsHost(HostTest::AnyPort));
    for text in [r#""equals_host": "*.Example.com.""#, r#""equals_host": "*.example.com:*""#] {
        assert!(matches!(test(text), Test::EqualsHost(HostTest::Front(_))), "{text}");
    }
    for text in [
        r#""contains": "b""#,
        r#""contains": "b", "ignore_case": true"#,
        r#""prefix": "b""#,
        r#""suffix": "b""#,
        r#""regex": "b+""#,
        r#""present": false"#,
    ] {
        assert!(matches!(test(text), Test::Claim(ClaimTest::Text { .. })), "{text}");
    }
}

#[test]
fn every_expression() {
    const ONE: &str = r#"{"claim": "a", "equals": 1}"#;
    assert!(matches!(read(ONE), Claims::Test { .. }));
    // A list means all of it.
    assert!(matches!(read(&format!("[{ONE}, {ONE}]")), Claims::All(items) if items.len() == 2));
    assert!(matches!(read(&format!(r#"{{"all": [{ONE}]}}"#)), Claims::All(items) if items.len() == 1));
    assert!(matches!(read(&format!(r#"{{"any": [{ONE}, {ONE}]}}"#)), Claims::Any(items) if items.len() == 2));
    assert!(matches!(read(&format!(r#"{{"not": {ONE}}}"#)), Claims::Not(_)));
    let nested = read(&format!(r#"[{{"any": [{{"not": [{ONE}]}}]}}]"#));
    let Claims::All(items) = nested else { panic!("{nested:?}") };
    let [Claims::Any(items)] = items.as_slice() else { panic!("{items:?}") };
    let [Claims::Not(item)] = items.as_slice() else { panic!("{items:?}") };
    assert!(matches!(**item, Claims::All(_)));
}

#[test]
fn what_is_no_expression() {
    const ONE: &str = r#"{"claim": "a", "equals": 1}"#;
    check(&claims(r#""role=admin""#), "rules[0].claims: found `role=admin`, expected an array or an object");
    check(&claims("{}"), "rules[0].claims: found none, expected one of `claim`, `all`, `any`, `not`");
    check(&claims("[]"), "rules[0].claims: found an empty array, expected at least one item");
    check(&claims(r#"{"any": []}"#), "rules[0].claims.any: found an empty array, expected at least one item");
    check(
        &claims(r#"{"all": {"claim": "a", "equals": 1}}"#),
        "rules[0].claims.all: found an object, expected an array",
    );
    check(
        &claims(&format!(r#"{{"all": [{ONE}], "any": [{ONE}]}}"#)),
        "rules[0].claims: found `all`, `any`, expected one of them only",
    );
    check(
        &claims(&format!(r#"{{"not": {ONE}, "claim": "b", "equals": 2}}"#)),
        "rules[0].claims: found `claim`, `not`, expected one of them only",
    );
    check(
        &claims(&format!(r#"{{"all": [{ONE}], "equals": 1}}"#)),
        "rules[0].claims: found a test without `claim`, expected none",
    );
    check(&claims(r#"{"or": []}"#), &format!("rules[0].claims.or: unknown field, expected one of {NAMES}"));
    check(
        &claims(r#"[{"claim": "a", "equals": 1}, 7]"#),
        "rules[0].claims[1]: found 7, expected an array or an object",
    );
    check(&claims(r#"{"equals": 1}"#), "rules[0].claims.claim: missing");
    check(
        &claims(r#"{"clam": "a", "equals": 1}"#),
        "rules[0].claims.claim: missing\n\
         rules[0].claims.clam: unknown field, did you mean `claim`?",
    );
    check(&claims(r#"{"claim": "a"}"#), &format!("rules[0].claims: found none, expected one of {TESTS}"));
    check(
        &claims(r#"{"claim": "a", "equal": 1}"#),
        "rules[0].claims.equal: unknown field, did you mean `equals`?",
    );
    check(
        &claims(r#"{"claim": "a", "exact": "b"}"#),
        "rules[0].claims.exact: unknown field, did you mean `equals`?",
    );
    check(
        &claims(r#"{"claim": "", "equals": 1}"#),
        "rules[0].claims.claim: found ``, expected a string that is not empty",
    );
    check(
        &claims(r#"{"claim": "https://x.example/roles", "equals": 1}"#),
        "rules[0].claims.claim: found `https://x.example/roles`, expected an array of names, as [\"https://x.example/roles\"], since this one has dots",
    );
    check(
        &claims(r#"{"claim": {"name": "a"}, "equals": 1}"#),
        "rules[0].claims.claim: found an object, expected a string or an array of strings",
    );
    check(
        &claims(r#"{"role": "admin"}"#),
        &format!("rules[0].claims.role: unknown field, expected one of {NAMES}"),
    );
}

#[test]
fn expressions_are_bounded() {
    let within = |depth: usize| {
        claims(&format!(
            r#"{}{{"claim": "a", "equals": 1}}{}"#,
            r#"{"not": "#.repeat(depth),
            "}".repeat(depth)
        ))
    };
    check(&within(7), "");
    check(
        &within(8),
        "rules[0].claims.not.not.not.not.not.not.not.not: found more than 8 expressions within each other",
    );
    let items = |count| list(count, |_| r#"{"claim": "a", "equals": 1}"#.to_owned());
    check(&claims(&items(100)), "");
    check(&claims(&items(101)), "rules[0].claims: found 101 items, expected at most 100");
    check(
        &claims(&format!(r#"{{"any": {}}}"#, items(101))),
        "rules[0].claims.any: found 101 items, expected at most 100",
    );
    check_test(&format!(r#""in": {}"#, list(100, |index| index.to_string())), "");
    check_test(
        &format!(r#""in": {}"#, list(101, |index| index.to_string())),
        "rules[0].claims.in: found 101 items, expected at most 100",
    );
}

#[test]
fn tests_that_do_not_go_together() {
    check_test(
        r#""equals": 1, "in": [1]"#,
        "rules[0].claims: found `equals`, `in`, expected one of them only",
    );
    check_test(
        r#""contains": "a", "prefix": "b", "regex": "c""#,
        "rules[0].claims: found `prefix`, `contains`, `regex`, expected one of them only",
    );
    check_test(r#""gt": 1, "equals": 2"#, "rules[0].claims: found `equals`, `gt`, expected one of them only");
    check_test(r#""equals": "a", "ignore_case": true"#, "");
    check_test(
        r#""equals": 5, "ignore_case": true"#,
        "rules[0].claims.ignore_case: found true, expected nothing: numbers and booleans have no case",
    );
    check_test(
        r#""equals_path": "id", "ignore_case": true"#,
        "rules[0].claims.ignore_case: found true, expected nothing: this test has no case to ignore",
    );
    check_test(
        r#""present": true, "ignore_case": true"#,
        "rules[0].claims.ignore_case: found true, expected nothing: `present` has no case",
    );
}

#[test]
fn what_claims_are_compared_with() {
    check_test(
        r#""equals": ["a"]"#,
        "rules[0].claims.equals: found an array, expected a string, a number, true or false",
    );
    check_test(
        r#""equals": {}"#,
        "rules[0].claims.equals: found an object, expected a string, a number, true or false",
    );
    check_test(
        r#""equals": null"#,
        "rules[0].claims.equals: found null, expected a value; leave the field out for no restriction",
    );
    check_test(r#""in": "a""#, "rules[0].claims.in: found `a`, expected an array");
    check_test(r#""in": []"#, "rules[0].claims.in: found an empty array, expected at least one item");
    check_test(
        r#""in": ["a", null]"#,
        "rules[0].claims.in[1]: found null, expected a string, a number, true or false",
    );
    check_test(r#""gt": "1""#, "rules[0].claims.gt: found `1`, expected a number");
    check_test(
        r#""contains": """#,
        "rules[0].claims.contains: found ``, expected a string that is not empty",
    );
    check_test(r#""contains": 5"#, "rules[0].claims.contains: found 5, expected a string");
    check_test(r#""prefix": """#, "rules[0].claims.prefix: found ``, expected a string that is not empty");
    check_test(
        r#""regex": "(""#,
        "rules[0].claims.regex: found `(`, expected a regular expression: unclosed group",
    );
    check_test(r#""present": 1"#, "rules[0].claims.present: found 1, expected true or false");
    check_test(
        r#""equals_header": "x a""#,
        "rules[0].claims.equals_header: found `x a`, expected a header name",
    );
    check_test(
        r#""equals_header": ":path""#,
        "rules[0].claims.equals_header: found `:path`, expected a header name",
    );
    check_test(
        r#""equals_host": false"#,
        "rules[0].claims.equals_host: found false, expected true, `*:*`, or a host as `*.example.com` or `*.example.com:*`",
    );
    check_test(
        r#""equals_host": "a.example.com""#,
        "rules[0].claims.equals_host: found `a.example.com`, expected true, `*:*`, or a host as `*.example.com` or `*.example.com:*`",
    );
    check_test(
        r#""equals_host": "*""#,
        "rules[0].claims.equals_host: found `*`, expected true, `*:*`, or a host as `*.example.com` or `*.example.com:*`",
    );
    check_test(
        r#""equals_host": "*.""#,
        "rules[0].claims.equals_host: found `*.`, expected a host, `*.` and a host for its subdomains, or `*`",
    );
    check_test(
        r#""equals_host": "*.a b""#,
        "rules[0].claims.equals_host: found `*.a b`, expected a host, `*.` and a host for its subdomains, or `*`",
    );
    check_test(
        r#""equals_host": 5"#,
        "rules[0].claims.equals_host: found 5, expected true, `*:*`, or a host as `*.example.com` or `*.example.com:*`",
    );
}

/// A float is several whole numbers there: one user's would be another's.
#[test]
fn numbers_that_are_not_exact() {
    check_test(r#""equals": 9007199254740991"#, "");
    check_test(r#""equals": -9007199254740991.0"#, "");
    check_test(
        r#""equals": 9007199254740992"#,
        "rules[0].claims.equals: found 9007199254740992, expected a number from -9007199254740991 to 9007199254740991; write a larger one as a string, in quotes",
    );
    check_test(
        r#""in": [1, 1e17, 18446744073709551616]"#,
        "rules[0].claims.in[1]: found 100000000000000000, expected a number from -9007199254740991 to 9007199254740991; write a larger one as a string, in quotes\n\
         rules[0].claims.in[2]: found 18446744073709552000, expected a number from -9007199254740991 to 9007199254740991; write a larger one as a string, in quotes",
    );
    check_test(r#""equals": "9007199254740993""#, "");
}

/// Only the template of the rule's own match says what a name stands for.
#[test]
fn words_of_the_path() {
    check_test(r#""equals_path": "id""#, "");
    check_test(
        r#""equals_path": "user""#,
        "rules[0].claims.equals_path: found `user`, expected a name of the rule's own path template, as `id` of `/users/{id}`",
    );
    check_test(r#""equals_path": 1"#, "rules[0].claims.equals_path: found 1, expected a string");
    const CLAIMS: &str = r#""claims": {"claim": "sub", "equals_path": "id"}"#;
    check(
        &rule(CLAIMS),
        "rules[0].claims.equals_path: found `id`, expected a name of the rule's own path template, as `id` of `/users/{id}`",
    );
    check(
        &rule(&format!(r#""match": {{"path": {{"prefix": "/users/"}}}}, {CLAIMS}"#)),
        "rules[0].claims.equals_path: found `id`, expected a name of the rule's own path template, as `id` of `/users/{id}`",
    );
    check(
        &rule(&format!(r#""match": {{"any": [{{"path": {{"template": "/{{id}}"}}}}]}}, {CLAIMS}"#)),
        "rules[0].claims.equals_path: found `id`, expected a name of the rule's own path template, as `id` of `/users/{id}`",
    );
    // A match that is wrong itself is one mistake, not two.
    check(
        &rule(&format!(r#""match": {{"path": {{"template": "/{{id"}}}}, {CLAIMS}"#)),
        "rules[0].match.path.template: found `{id`, expected `*`, `{name}` or `**` as a whole segment, or none of `*`, `{` and `}`",
    );
}

/// An empty field of a YAML file is `null`.
#[test]
fn a_bound_that_is_null_lifts_no_bound() {
    check_test(
        r#""gte": 2, "lt": null"#,
        "rules[0].claims.lt: found null, expected a value; leave the field out for no restriction",
    );
}

#[test]
fn an_empty_part_of_an_expression_lifts_nothing() {
    let claims = |claims: &str| {
        format!(r#""match": {{"path": {{"template": "/users/{{id}}/*"}}}}, "claims": {claims}"#)
    };
    let check = |text: &str, field: &str| {
        check(
            &super::rule(&claims(text)),
            &format!(
                "rules[0].claims.{field}: found null, expected a value; leave the field out for no restriction"
            ),
        );
    };
    check(r#"{"any": [{"claim": "a", "equals": 1}], "all": null}"#, "all");
    check(r#"{"claim": "role", "present": true, "any": null}"#, "any");
    check(r#"{"claim": "role", "equals": "admin", "contains": null}"#, "contains");
}
