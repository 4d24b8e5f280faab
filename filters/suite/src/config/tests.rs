mod routes;

use super::{MAX_BLOCKS, parse};

const JWT: &str = r#"{"jwt_authz": {"providers": [{
    "name": "p", "algorithms": ["HS256"],
    "jwks": {"inline": {"keys": [{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}}
}]}}"#;
const BY_CLAIM: &str = r#"{"rate_limit": {"limits": [{"name": "l", "key": [{"claim": "sub"}], "rate": {"requests": 1, "per": "1s"}}]}}"#;

/// `expected`: the problems, one per line.
#[track_caller]
fn check(config: &str, expected: &str) {
    let problems = parse(config.as_bytes()).err().map_or_else(String::new, |problems| problems.to_string());
    assert_eq!(problems, expected, "{config}");
}

/// The blocks of a config, and the problems.
#[track_caller]
fn check_blocks(blocks: &[&str], expected: &str) {
    check(&format!(r#"{{"filters": [{}]}}"#, blocks.join(", ")), expected);
}

#[test]
fn a_block_has_one_filter() {
    check_blocks(&[r#"{"fault": {}}"#, r#"{"rate_limit": {}}"#], "");
    check_blocks(
        &[r#"{"name": "a"}"#],
        "filters[0]: found none, expected one of `trace_context`, `jwt_authz`, `rate_limit`, `canary`, `fault`",
    );
    check_blocks(
        &[r#"{"fault": {}, "rate_limit": {}}"#],
        "filters[0]: found `rate_limit`, `fault`, expected one of them only",
    );
    check_blocks(
        &[r#"{"ratelimit": {}}"#],
        "filters[0].ratelimit: unknown field, did you mean `rate_limit`?",
    );
    check_blocks(&[r#"{"rateLimit": {}}"#], "");
}

#[test]
fn there_are_1_to_16_blocks() {
    check("", "filters: missing");
    check(r#"{"filters": []}"#, "filters: found an empty array, expected at least one item");
    let named = |number: usize| -> Vec<_> {
        (0..number).map(|index| format!(r#"{{"fault": {{}}, "name": "f{index}"}}"#)).collect()
    };
    let [most, too_many] = [MAX_BLOCKS, MAX_BLOCKS + 1].map(named);
    check(&format!(r#"{{"filters": [{}]}}"#, most.join(", ")), "");
    check(
        &format!(r#"{{"filters": [{}]}}"#, too_many.join(", ")),
        "filters: found 17 blocks, expected at most 16",
    );
}

#[test]
fn all_problems_come_at_once_with_paths_from_the_root() {
    check(
        r#"{"mode": "on", "filters": [
            {"rate_limit": {"limits": [{"name": "a", "rate": 1}]}},
            {"rate_limit": {}},
            {"name": "a b", "fault": {"rules": [{"name": "r", "match": {"path": {"regex": "("}}, "abort": {"percentage": 101}}]}}
        ]}"#,
        "mode: found `on`, expected one of `enforce`, `shadow`, `off`\n\
         filters[0].rate_limit.limits[0].rate: found 1, expected an object\n\
         filters[2].fault.rules[0].match.path.regex: found `(`, expected a regular expression: unclosed group\n\
         filters[2].fault.rules[0].abort.percentage: found 101, expected a number from 0 to 100\n\
         filters[2].fault.rules[0].abort: found none, expected one of `status`, `grpc_status`\n\
         filters[2].name: found `a b`, expected 1 to 64 letters, digits, `_`, `-` or `.`\n\
         filters[1]: found an object, expected one with a `name` that no other block has; `-`, `.` and `_` count as the same",
    );
}

#[test]
fn names_are_unique_also_in_filter_state() {
    let problem = "expected one with a `name` that no other block has; `-`, `.` and `_` count as the same";
    check_blocks(&[r#"{"fault": {}}"#, r#"{"fault": {}, "name": "other"}"#], "");
    for second in [r#"{"fault": {}}"#, r#"{"rate_limit": {}, "name": "fault"}"#] {
        check_blocks(&[r#"{"fault": {}}"#, second], &format!("filters[1]: found an object, {problem}"));
    }
    for name in ["rate_limit", "rate.limit", "rate-limit"] {
        check_blocks(
            &[r#"{"rateLimit": {}}"#, &format!(r#"{{"fault": {{}}, "name": "{name}"}}"#)],
            &format!("filters[1]: found an object, {problem}"),
        );
    }
}

#[test]
fn the_filter_s_name_is_no_name_of_its_own() {
    let own = |block: &str| {
        let config = parse(format!(r#"{{"filters": [{block}]}}"#).as_bytes()).unwrap();
        config.filters[0].name.as_ref().map(|name| name.as_str().to_owned())
    };
    assert_eq!(own(r#"{"rate_limit": {}}"#), None);
    assert_eq!(own(r#"{"rate_limit": {}, "name": "rate-limit"}"#), None);
    assert_eq!(own(r#"{"rate_limit": {}, "name": "by-user"}"#).as_deref(), Some("by-user"));
}

#[test]
fn claims_are_read_behind_verification() {
    let by_claims = r#"{"claims": [{"claim": "sub", "present": true}]}"#;
    let readers = [
        ("rate_limit", BY_CLAIM.to_owned()),
        (
            "canary",
            format!(
                r#"{{"canary": {{"output": {{"header": "x-v"}}, "rules": [{{"name": "r", "match": {by_claims}, "variant": "v"}}]}}}}"#
            ),
        ),
        (
            "fault",
            format!(
                r#"{{"fault": {{"rules": [{{"name": "r", "match": {by_claims}, "abort": {{"percentage": 1, "status": 503}}}}]}}}}"#
            ),
        ),
        (
            "trace_context",
            format!(
                r#"{{"trace_context": {{"generate": {{"sampling_rules": [{{"match": {by_claims}, "sampling_percentage": 1}}]}}}}}}"#
            ),
        ),
    ];
    for (filter, reader) in readers {
        check_blocks(&[&reader], "");
        check_blocks(&[JWT, &reader], "");
        check_blocks(
            &[&reader, JWT],
            &format!(
                "filters[0].{filter}: found claims in front of the first `jwt_authz`, expected this block behind it: \
                 no token is verified before"
            ),
        );
    }
    check_blocks(&[r#"{"rate_limit": {}}"#, JWT], "");
}

/// It is not tested, so it needs no claims.
#[test]
fn what_is_off_reads_no_claims() {
    let off = BY_CLAIM.replace(r#""key""#, r#""mode": "off", "key""#);
    check_blocks(&[&off, JWT], "");
}
