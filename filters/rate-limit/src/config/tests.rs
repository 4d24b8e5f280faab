use super::{Config, Cost, Limit, OnMissingKey, Overflow, Override, Reject, ResponseHeaders, parse};
use crate::quota::{Quota, Rate};
use mesh_policy::client_ip::ClientIp;
use mesh_policy::facts::Needs;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::key_part::{KeyPart, Prefixes};
use mesh_policy::mode::Mode;
use mesh_policy::on_error::OnError;
use mesh_policy::percent::Percentage;
use mesh_policy::preflight::CorsPreflight;
use mesh_policy::reply::ContentType;
use mesh_policy::settings::{DecisionLog, Settings};
use std::num::NonZeroU64;
use std::time::Duration;

const EVERYTHING: &str = include_str!("../../examples/everything.json");

/// What is wrong with a config: nothing, or one line a problem.
#[track_caller]
fn check(config: &str, expected_problems: &str) {
    let problems = parse(config.as_bytes()).err().map(|problems| problems.to_string());
    assert_eq!(problems.unwrap_or_default(), expected_problems, "{config}");
}

#[track_caller]
fn good(config: &str) -> Config {
    parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

/// A config with one limit, of which only what matters is given.
fn limit(fields: &str) -> String {
    format!(r#"{{"limits": [{{"name": "a", "rate": {{"requests": 10, "per": "1s"}}, {fields}}}]}}"#)
}

fn rated(requests: &str, per: &str) -> String {
    format!(r#"{{"limits": [{{"name": "a", "rate": {{"requests": {requests}, "per": "{per}"}}}}]}}"#)
}

fn named(name: &str) -> String {
    format!(r#"{{"limits": [{{"name": {name}, "rate": {{"requests": 1, "per": "1s"}}}}]}}"#)
}

fn quota(requests: u64, per: Duration, burst: u64) -> Quota {
    let rate = Rate::new(NonZeroU64::new(requests).unwrap(), per).unwrap();
    Quota { rate, burst: NonZeroU64::new(burst).unwrap() }
}

fn header(name: &str) -> HeaderName {
    HeaderName::new(name).unwrap()
}

#[test]
fn an_empty_config_is_valid_and_has_every_default() {
    for config in ["", "{}", r#"{"capacity": null}"#] {
        let Config { settings, cors_preflight, limits, reject, response_headers, on_error, capacity } =
            good(config);
        let Settings { mode, client_ip, decision_log } = settings;
        assert_eq!(decision_log, DecisionLog::Notable);
        assert_eq!(mode, Mode::Enforce);
        assert_eq!(client_ip, ClientIp::default());
        assert_eq!(cors_preflight, CorsPreflight::Allow);
        assert!(limits.is_empty());
        let expected = Reject {
            status: 429,
            missing_key_status: 400,
            body: None,
            content_type: ContentType(HeaderValue::text("text/plain")),
            headers: Vec::new(),
        };
        assert_eq!(reject, expected);
        let expected = ResponseHeaders { ratelimit: true, x_ratelimit: false, retry_after: true };
        assert_eq!(response_headers, expected);
        assert_eq!(on_error, OnError::Allow);
        assert_eq!(capacity, 65_536);
    }
}

#[test]
fn a_limit_has_every_default() {
    let config = good(&rated("100", "1m"));
    let [limit] = config.limits.as_slice() else { panic!("one limit") };
    let Limit {
        name,
        matches,
        key,
        quota: limit_quota,
        cost,
        overrides,
        on_missing_key,
        overflow,
        enforce_percentage,
        mode,
    } = limit.clone();
    assert_eq!(name, "a");
    assert_eq!(matches.needs(), Needs::default());
    assert!(key.is_empty());
    assert_eq!(limit_quota, quota(100, Duration::from_secs(60), 100));
    assert_eq!(cost, Cost::Fixed(1));
    assert_eq!(overrides, []);
    assert_eq!(on_missing_key, OnMissingKey::Skip);
    assert_eq!(overflow, Overflow::Share);
    assert_eq!(enforce_percentage, Percentage::ALL);
    assert_eq!(mode, Mode::Enforce);
}

#[test]
fn every_field_is_read() {
    let config = good(EVERYTHING);
    assert_eq!(config.settings.mode, Mode::Shadow);
    assert_ne!(config.settings.client_ip, ClientIp::default());
    assert_eq!(config.cors_preflight, CorsPreflight::Check);
    assert_eq!(
        config.reject,
        Reject {
            status: 503,
            missing_key_status: 422,
            body: Some("{\"error\":\"slow down\"}".to_owned()),
            content_type: ContentType(HeaderValue::text("application/json")),
            headers: vec![(header("x-a"), HeaderValue::text("b"))],
        }
    );
    let every = ResponseHeaders { ratelimit: true, x_ratelimit: true, retry_after: true };
    assert_eq!(config.response_headers, every);
    assert_eq!(config.on_error, OnError::Deny);
    assert_eq!(config.capacity, 131_072);
    let [limit] = config.limits.as_slice() else { panic!("one limit") };
    assert_eq!(limit.name, "per-client");
    assert!(limit.matches.needs().headers);
    assert_eq!(limit.key.len(), 2);
    assert_eq!(limit.quota, quota(100, Duration::from_secs(60), 20));
    assert_eq!(limit.cost, Cost::Header { name: header("x-cost"), default: 2, min: 1, max: 20 });
    let key = vec![vec![10, 0, 0, 7], b"gold".to_vec()];
    assert_eq!(limit.overrides, [Override { key, quota: quota(1000, Duration::from_secs(1), 100) }]);
    assert_eq!(limit.on_missing_key, OnMissingKey::Deny);
    assert_eq!(limit.overflow, Overflow::Deny);
    assert_eq!(limit.enforce_percentage, Percentage::from_parts_per_million(500_000).unwrap());
    assert_eq!(limit.mode, Mode::Shadow);
}

#[test]
fn several_mistakes_are_several_lines() {
    check(
        r#"{
            "mode": "enforced",
            "limits": [{"name": "a", "rate": {"requests": 0, "per": "1m"}, "brust": 5}]
        }"#,
        "mode: found `enforced`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?\n\
         limits[0].rate.requests: found 0, expected an integer from 1 to 100000000000000\n\
         limits[0].brust: unknown field, did you mean `burst`?",
    );
}

#[test]
fn numbers_may_be_floats_and_names_in_camel_case() {
    let config = good(
        r#"{"clientIp": {"trustedHops": 1.0}, "corsPreflight": "check", "responseHeaders": [], "onError": "deny",
            "capacity": 128.0,
            "limits": [{"name": "a", "key": [{"clientIp": {"v6Prefix": 48.0}}], "rate": {"requests": 5.0, "per": "1s"},
                        "burst": 10.0, "cost": 5.0, "onMissingKey": "shared", "enforcePercentage": 12.5}]}"#,
    );
    assert_eq!(config.capacity, 128);
    assert_eq!(config.on_error, OnError::Deny);
    let none = ResponseHeaders { ratelimit: false, x_ratelimit: false, retry_after: false };
    assert_eq!(config.response_headers, none);
    let [limit] = config.limits.as_slice() else { panic!("one limit") };
    assert_eq!(limit.quota, quota(5, Duration::from_secs(1), 10));
    assert_eq!(limit.cost, Cost::Fixed(5));
    assert_eq!(limit.on_missing_key, OnMissingKey::Shared);
    assert_eq!(limit.enforce_percentage, Percentage::from_parts_per_million(125_000).unwrap());
    assert!(matches!(limit.key.as_slice(), [KeyPart::ClientIp(Prefixes { v4_prefix: 32, v6_prefix: 48 })]));
}

#[test]
fn rates() {
    const REQUESTS: &str = "limits[0].rate.requests: found";
    const WHOLE: &str = "expected an integer from 1 to 100000000000000";
    check(&rated("0", "1s"), &format!("{REQUESTS} 0, {WHOLE}"));
    check(&rated("-5", "1s"), &format!("{REQUESTS} -5, {WHOLE}"));
    check(&rated("1.5", "1s"), &format!("{REQUESTS} 1.5, {WHOLE}"));
    check(&rated("\"5\"", "1s"), &format!("{REQUESTS} `5`, {WHOLE}"));
    check(&rated("null", "1s"), "limits[0].rate.requests: missing");
    check(&rated("5.0", "1s"), "");

    const DURATION: &str = "expected a duration from 1ns to 365d, as \"250ms\", \"1m\" or \"1h30m\"";
    check(&rated("1", "0s"), &format!("limits[0].rate.per: found `0s`, {DURATION}"));
    check(&rated("1", "-1s"), &format!("limits[0].rate.per: found `-1s`, {DURATION}"));
    check(&rated("1", "60"), &format!("limits[0].rate.per: found `60`, {DURATION}"));
    check(&rated("1", "minute"), &format!("limits[0].rate.per: found `minute`, {DURATION}"));
    check(&rated("400", "366d"), &format!("limits[0].rate.per: found `366d`, {DURATION}"));

    const TOO_SLOW: &str = "limits[0].rate: found a rate below 1 per day, expected at least that";
    const TOO_FAST: &str = "limits[0].rate: found a rate above 1000000 per second, expected at most that";
    check(&rated("1", "1d"), "");
    check(&rated("1", "24h0.000000001s"), TOO_SLOW);
    check(&rated("364", "365d"), TOO_SLOW);
    check(&rated("365", "365d"), "");
    check(&rated("1000000", "1s"), "");
    check(&rated("1000001", "1s"), TOO_FAST);
    check(&rated("1001", "1ms"), TOO_FAST);
    check(&rated("1", "1us"), "");
    check(&rated("1", "999ns"), TOO_FAST);

    check(r#"{"limits": [{"name": "a"}]}"#, "limits[0].rate: missing");
    check(r#"{"limits": [{"name": "a", "rate": 5}]}"#, "limits[0].rate: found 5, expected an object");
    check(
        r#"{"limits": [{"name": "a", "rate": {}}]}"#,
        "limits[0].rate.requests: missing\nlimits[0].rate.per: missing",
    );
}

#[test]
fn bursts_hold_the_largest_cost() {
    check(&limit(r#""burst": 1"#), "");
    check(&limit(r#""burst": 0"#), "limits[0].burst: found 0, expected an integer from 1 to 100000000000000");
    check(&limit(r#""burst": 5, "cost": 5"#), "");
    check(
        &limit(r#""burst": 4, "cost": 5"#),
        "limits[0].burst: found 4, expected at least 5, the largest cost of a request",
    );
    check(
        &limit(r#""cost": {"header": "x-cost", "max": 11}"#),
        "limits[0].burst: found 10, expected at least 11, the largest cost of a request",
    );
    check(
        &limit(
            r#""key": ["path"], "cost": 5,
               "overrides": [{"key": ["/a"], "rate": {"requests": 5, "per": "1s"}, "burst": 4},
                             {"key": ["/b"], "rate": {"requests": 3, "per": "1s"}}]"#,
        ),
        "limits[0].overrides[0].burst: found 4, expected at least 5, the largest cost of a request\n\
         limits[0].overrides[1].burst: found 3, expected at least 5, the largest cost of a request",
    );
    // A cost that is wrong itself is one mistake, not two.
    check(
        &limit(r#""cost": {"header": "x-cost", "max": 0}"#),
        "limits[0].cost.max: found 0, expected an integer from 1 to 1000000000",
    );
}

#[test]
fn costs() {
    const COST: &str = "expected an integer from 1 to 1000000000";
    check(&limit(r#""cost": 0"#), &format!("limits[0].cost: found 0, {COST}"));
    check(&limit(r#""cost": -1"#), &format!("limits[0].cost: found -1, {COST}"));
    check(&limit(r#""cost": "x-cost""#), &format!("limits[0].cost: found `x-cost`, {COST}"));
    check(&limit(r#""cost": {"header": "x-cost"}"#), "limits[0].cost.max: missing");
    check(&limit(r#""cost": {"max": 5}"#), "limits[0].cost.header: missing");
    check(
        &limit(r#""cost": {"header": "x cost", "max": 5}"#),
        "limits[0].cost.header: found `x cost`, expected a header name",
    );
    check(
        &limit(r#""cost": {"header": "x-cost", "min": 6, "max": 5}"#),
        "limits[0].cost.min: found 6, expected at most `max`, 5",
    );
    check(
        &limit(r#""cost": {"header": "x-cost", "default": 6, "max": 5}"#),
        "limits[0].cost.default: found 6, expected from 1 to 5",
    );
    check(
        &limit(r#""cost": {"header": "x-cost", "default": 1, "min": 2, "max": 5}"#),
        "limits[0].cost.default: found 1, expected from 2 to 5",
    );
    let config = good(&limit(r#""cost": {"header": "X-Cost", "min": 2, "max": 5}"#));
    let expected = Cost::Header { name: header("x-cost"), default: 2, min: 2, max: 5 };
    assert_eq!(config.limits.first().map(|limit| limit.cost.clone()), Some(expected));
}

#[test]
fn names() {
    const NAME: &str = "expected 1 to 64 letters, digits, `_`, `-` or `.`";
    check(&named(r#""a""#), "");
    check(&named(r#""A_b-c.9""#), "");
    check(&named(&format!("\"{}\"", "a".repeat(64))), "");
    check(
        &named(&format!("\"{}\"", "a".repeat(65))),
        &format!("limits[0].name: found `{}…`, {NAME}", "a".repeat(40)),
    );
    check(&named(r#""""#), &format!("limits[0].name: found ``, {NAME}"));
    check(&named(r#""a b""#), &format!("limits[0].name: found `a b`, {NAME}"));
    check(&named(r#""a;b""#), &format!("limits[0].name: found `a;b`, {NAME}"));
    check(&named(r#""é""#), &format!("limits[0].name: found `é`, {NAME}"));
    check(&named("5"), "limits[0].name: found 5, expected a string");
    check(&named("null"), "limits[0].name: missing");
    check(
        r#"{"limits": [{"name": "a", "rate": {"requests": 1, "per": "1s"}},
                       {"name": "b", "rate": {"requests": 1, "per": "1s"}},
                       {"name": "a", "rate": {"requests": 1, "per": "1s"}}]}"#,
        "limits[2].name: found `a`, expected a name that no other limit has",
    );
}

#[test]
fn numbers_of_things_are_bounded() {
    let limits = |count: usize| {
        let limit = |index| format!(r#"{{"name": "l{index}", "rate": {{"requests": 1, "per": "1s"}}}}"#);
        format!(r#"{{"limits": [{}]}}"#, (0..count).map(limit).collect::<Vec<_>>().join(","))
    };
    check(&limits(256), "");
    check(&limits(257), "limits: found 257 limits, expected at most 256");
    let parts = |count: usize| limit(&format!(r#""key": [{}]"#, vec!["\"path\""; count].join(",")));
    check(&parts(8), "");
    check(&parts(9), "limits[0].key: found 9 parts, expected at most 8");
    let overrides = |count: usize| {
        let own = |index| format!(r#"{{"key": ["{index}"], "rate": {{"requests": 1, "per": "1s"}}}}"#);
        let overrides = (0..count).map(own).collect::<Vec<_>>().join(",");
        limit(&format!(r#""key": [{{"header": "a"}}], "overrides": [{overrides}]"#))
    };
    check(&overrides(10_000), "");
    check(&overrides(10_001), "limits[0].overrides: found 10001 overrides, expected at most 10000");
}

#[test]
fn key_parts() {
    check(&limit(r#""key": ["client_ip", "path", "method", "host", "principal"]"#), "");
    check(
        &limit(
            r#""key": [{"client_ip": {}}, {"path": {}}, {"method": {}}, {"host": {}}, {"principal": {}}]"#,
        ),
        "",
    );
    check(&limit(r#""key": [{"client_ip": {"v4_prefix": 24, "v6_prefix": 128}}]"#), "");
    check(&limit(r#""key": [{"header": "x"}, {"cookie": "x"}, {"query": "x"}, {"constant": "x"}]"#), "");
    check(&limit(r#""key": [{"claim": "a.b"}, {"claim": ["https://x.example/a", "b"]}]"#), "");
    let config = good(&limit(r#""key": [{"attribute": "source.port"}, {"attribute": ["wasm.a", "b"]}]"#));
    let key = config.limits.into_iter().flat_map(|limit| limit.key);
    let attributes = key.filter_map(|part| match part {
        KeyPart::Attribute(path) => Some(path.join("|")),
        _ => None,
    });
    assert_eq!(attributes.collect::<Vec<_>>(), ["source|port", "wasm.a|b"]);
}

#[test]
fn key_parts_that_are_none() {
    const BARE: &str = "expected one of `client_ip`, `path`, `method`, `host`, `principal`";
    const ALL: &str = "`client_ip`, `header`, `cookie`, `query`, `path`, `method`, `host`, `claim`, `principal`, \
                       `attribute`, `constant`";
    check(&limit(r#""key": "client_ip""#), "limits[0].key: found `client_ip`, expected an array");
    check(
        &limit(r#""key": ["clientip"]"#),
        &format!("limits[0].key[0]: found `clientip`, {BARE}; did you mean `client_ip`?"),
    );
    check(&limit(r#""key": ["ip"]"#), &format!("limits[0].key[0]: found `ip`, {BARE}"));
    check(
        &limit(r#""key": ["header"]"#),
        "limits[0].key[0]: found `header`, expected it with its argument, as {\"header\": \"…\"}",
    );
    check(&limit(r#""key": [5]"#), "limits[0].key[0]: found 5, expected an object");
    check(&limit(r#""key": [{}]"#), &format!("limits[0].key[0]: found none, expected one of {ALL}"));
    check(
        &limit(r#""key": [{"path": null}]"#),
        "limits[0].key[0].path: found null, expected a value; leave the field out for no restriction",
    );
    check(
        &limit(r#""key": [{"method": {}, "header": "x"}]"#),
        "limits[0].key[0]: found `header`, `method`, expected one of them only",
    );
    check(
        &limit(r#""key": [{"haeder": "x"}]"#),
        "limits[0].key[0].haeder: unknown field, did you mean `header`?",
    );
    check(
        &limit(r#""key": [{"tenant": "x"}]"#),
        &format!("limits[0].key[0].tenant: unknown field, expected one of {ALL}"),
    );
    check(&limit(r#""key": [{"path": "/a"}]"#), "limits[0].key[0].path: found `/a`, expected an object");
    check(&limit(r#""key": [{"path": {"a": 1}}]"#), "limits[0].key[0].path.a: unknown field, expected none");
    check(
        &limit(r#""key": [{"header": "a b"}, {"cookie": ""}, {"query": 5}]"#),
        "limits[0].key[0].header: found `a b`, expected a header name\n\
         limits[0].key[1].cookie: found ``, expected a string that is not empty\n\
         limits[0].key[2].query: found 5, expected a string",
    );
    check(
        &limit(r#""key": [{"client_ip": {"v4_prefix": 33, "v6_prefix": 0, "v5_prefix": 1}}]"#),
        "limits[0].key[0].client_ip.v4_prefix: found 33, expected an integer from 1 to 32\n\
         limits[0].key[0].client_ip.v6_prefix: found 0, expected an integer from 1 to 128\n\
         limits[0].key[0].client_ip.v5_prefix: unknown field, did you mean `v6_prefix`?",
    );
    check(
        &limit(r#""key": [{"attribute": []}, {"attribute": [""]}]"#),
        "limits[0].key[0].attribute: found an empty array, expected at least one item\n\
         limits[0].key[1].attribute[0]: found ``, expected a string that is not empty",
    );
}

#[test]
fn overrides() {
    let own = |key: &str, items: &str| {
        let item = |key: &str| format!(r#"{{"key": {key}, "rate": {{"requests": 1, "per": "1s"}}}}"#);
        let items: Vec<String> = items.split('|').map(item).collect();
        limit(&format!(r#""key": {key}, "overrides": [{}]"#, items.join(",")))
    };
    const TWO: &str = r#"["client_ip", {"header": "x-plan"}]"#;
    check(&own(TWO, r#"["10.0.0.7", "gold"]|["10.0.0.7", ""]|["2001:db8::1", "gold"]"#), "");
    check(
        &own(TWO, r#"["10.0.0.7"]"#),
        "limits[0].overrides[0].key: found 1 parts, expected 2, as the limit's `key` has",
    );
    check(
        &own(TWO, r#"["10.0.0.7", "gold", "x"]"#),
        "limits[0].overrides[0].key: found 3 parts, expected 2, as the limit's `key` has",
    );
    check(
        &own(TWO, r#"["localhost", "gold"]|["10.0.0.0/8", "gold"]"#),
        "limits[0].overrides[0].key[0]: found `localhost`, expected an IP address\n\
         limits[0].overrides[1].key[0]: found `10.0.0.0/8`, expected an IP address",
    );
    check(&own(TWO, r#"["10.0.0.7", 5]"#), "limits[0].overrides[0].key[1]: found 5, expected a string");
    check(&own(TWO, r#""gold""#), "limits[0].overrides[0].key: found `gold`, expected an array");
    check(
        &own(TWO, r#"["10.0.0.7", "gold"]|["10.0.0.8", "gold"]|["10.0.0.7", "gold"]"#),
        "limits[0].overrides[2].key: found an array, expected a key that no other override has",
    );
    // The same key in another spelling, or the same network.
    check(
        &own(TWO, r#"["10.0.0.7", "a"]|["::ffff:10.0.0.7", "a"]"#),
        "limits[0].overrides[1].key: found an array, expected a key that no other override has",
    );
    check(
        &own(TWO, r#"["2001:db8::1", "a"]|["2001:db8::2", "a"]"#),
        "limits[0].overrides[1].key: found an array, expected a key that no other override has",
    );
    check(
        &own(r#"["host"]"#, r#"["API.example.com:443"]|["api.example.com"]"#),
        "limits[0].overrides[1].key: found an array, expected a key that no other override has",
    );
    check(
        &own(r#"["path"]"#, r#"["/a/../b"]|["/b"]"#),
        "limits[0].overrides[1].key: found an array, expected a key that no other override has",
    );
    const NO_KEY: &str = "limits[0].overrides: found some, expected none: the limit has no `key`";
    check(&own("[]", "[]"), NO_KEY);
    check(&own("[]", r#"["gold"]"#), NO_KEY);
    check(&limit(r#""overrides": [{"key": ["a"], "rate": {"requests": 1, "per": "1s"}}]"#), NO_KEY);
    check(&limit(r#""overrides": []"#), "");
    check(
        &own(r#"["path", {"constant": "v1"}]"#, r#"["/a", "v2"]"#),
        "limits[0].overrides[0].key[1]: found `v2`, expected `v1`, as the limit's `key` has",
    );
    // A key that is wrong itself is one mistake, not two.
    check(&own(r#"["clientip"]"#, r#"["a", "b"]"#), &{
        let bare = "`client_ip`, `path`, `method`, `host`, `principal`";
        format!("limits[0].key[0]: found `clientip`, expected one of {bare}; did you mean `client_ip`?")
    });
    check(
        &limit(r#""key": ["path"], "overrides": [{"burst": 5}]"#),
        "limits[0].overrides[0].key: missing\nlimits[0].overrides[0].rate: missing",
    );
}

#[test]
fn matches() {
    check(&limit(r#""match": {"path": {"prefix": "/api/"}, "methods": ["GET"]}"#), "");
    check(
        &limit(r#""match": {"path": {"regex": "/("}}"#),
        "limits[0].match.path.regex: found `/(`, expected a regular expression: unclosed group",
    );
    check(
        &limit(r#""match": {"headers": [{"name": "x", "regex": "[b-a]"}]}"#),
        "limits[0].match.headers[0].regex: found `[b-a]`, expected a regular expression: invalid character class range, \
         the start must be <= the end",
    );
    check(
        &limit(r#""match": {"not": {"any": [{"path": {"regex": "a{1000000}"}}]}}"#),
        "limits[0].match.not.any[0].path.regex: found `a{1000000}`, expected a regular expression: compiled it has more \
         than 32 KiB",
    );
    check(
        &limit(r#""match": {"client_ip": ["10.0.0.0/33"]}"#),
        "limits[0].match.client_ip[0]: found `10.0.0.0/33`, expected an IP address or a range, as 10.0.0.0/8 or \
         2001:db8::/32",
    );
}

#[test]
fn a_misspelt_field_gets_a_suggestion_at_every_level() {
    check(r#"{"limit": []}"#, "limit: unknown field, did you mean `limits`?");
    check(
        r#"{"client_ip": {"trusted_hop": 1}}"#,
        "client_ip.trusted_hop: unknown field, did you mean `trusted_hops`?",
    );
    check(r#"{"reject": {"statsu": 429}}"#, "reject.statsu: unknown field, did you mean `status`?");
    check(
        &limit(r#""on_mising_key": "skip""#),
        "limits[0].on_mising_key: unknown field, did you mean `on_missing_key`?",
    );
    check(
        &limit(r#""onMisingKey": "skip""#),
        "limits[0].onMisingKey: unknown field, did you mean `on_missing_key`?",
    );
    check(&limit(r#""match": {"pth": "/a"}"#), "limits[0].match.pth: unknown field, did you mean `path`?");
    check(
        &limit(r#""match": {"path": {"exact": "/a", "ignorecase": true}}"#),
        "limits[0].match.path.ignorecase: unknown field, did you mean `ignore_case`?",
    );
    check(
        &limit(r#""cost": {"header": "x", "max": 5, "mix": 1}"#),
        "limits[0].cost.mix: unknown field, did you mean `max`?",
    );
    check(
        &limit(r#""key": ["path"], "overrides": [{"key": ["/a"], "rates": {}}]"#),
        "limits[0].overrides[0].rate: missing\n\
         limits[0].overrides[0].rates: unknown field, did you mean `rate`?",
    );
    check(
        r#"{"limits": [{"name": "a", "rate": {"request": 1, "per": "1s"}}]}"#,
        "limits[0].rate.requests: missing\nlimits[0].rate.request: unknown field, did you mean `requests`?",
    );
}

/// The names of other products are not far to seek.
#[test]
fn names_of_other_products_get_the_name_here() {
    check(
        &limit(r#""token_bucket": {}, "requests_per_unit": 5, "unit": "minute""#),
        "limits[0].token_bucket: unknown field, did you mean `rate`?\n\
         limits[0].requests_per_unit: unknown field, did you mean `rate.requests`?\n\
         limits[0].unit: unknown field, did you mean `rate.per`?",
    );
    check(
        r#"{"limits": [{"name": "a", "rate": {"requests_per_unit": 1, "unit": "hour"}}]}"#,
        "limits[0].rate.requests: missing\nlimits[0].rate.per: missing\n\
         limits[0].rate.requests_per_unit: unknown field, did you mean `requests`?\n\
         limits[0].rate.unit: unknown field, did you mean `per`?",
    );
    check(
        &limit(r#""key": ["x-api-key"]"#),
        "limits[0].key[0]: found `x-api-key`, expected one of `client_ip`, `path`, `method`, `host`, `principal`; for a \
         header write {\"header\": \"x-api-key\"}",
    );
    check(
        &limit(r#""match": {"claims": [{"claim": "a", "exact": "b"}]}"#),
        "limits[0].match.claims[0].exact: unknown field, did you mean `equals`?",
    );
}

#[test]
fn decisions_to_log() {
    check(r#"{"decision_log": "notable"}"#, "");
    assert_eq!(good(r#"{"decisionLog": "all"}"#).settings.decision_log, DecisionLog::All);
    check(r#"{"decision_log": "every"}"#, "decision_log: found `every`, expected one of `notable`, `all`");
}

#[test]
fn words() {
    check(
        r#"{"mode": "Enforce"}"#,
        "mode: found `Enforce`, expected one of `enforce`, `shadow`, `off`; did you mean `enforce`?",
    );
    // YAML reads an unquoted `off` as `false`.
    check(r#"{"mode": false}"#, "");
    assert_eq!(good(r#"{"mode": false}"#).settings.mode, Mode::Off);
    check(r#"{"mode": true}"#, "mode: found true, expected one of `enforce`, `shadow`, `off`");
    check(
        &limit(r#""mode": "dry-run""#),
        "limits[0].mode: found `dry-run`, expected one of `enforce`, `shadow`, `off`",
    );
    check(r#"{"cors_preflight": "skip"}"#, "cors_preflight: found `skip`, expected one of `allow`, `check`");
    check(r#"{"on_error": "open"}"#, "on_error: found `open`, expected one of `allow`, `deny`");
    check(
        &limit(r#""on_missing_key": "share""#),
        "limits[0].on_missing_key: found `share`, expected one of `skip`, `deny`, `shared`; did you mean `shared`?",
    );
    check(
        &limit(r#""overflow": "shared""#),
        "limits[0].overflow: found `shared`, expected one of `share`, `allow`, `deny`; did you mean `share`?",
    );
    check(
        r#"{"response_headers": ["ratelimit", "x-rate-limit", "retry_after"]}"#,
        "response_headers[1]: found `x-rate-limit`, expected one of `ratelimit`, `x-ratelimit`, `retry-after`; \
         did you mean `x-ratelimit`?\n\
         response_headers[2]: found `retry_after`, expected one of `ratelimit`, `x-ratelimit`, `retry-after`; \
         did you mean `retry-after`?",
    );
    check(r#"{"response_headers": "ratelimit"}"#, "response_headers: found `ratelimit`, expected an array");
}

#[test]
fn numbers() {
    const CAPACITY: &str = "expected an integer from 64 to 1048576";
    check(r#"{"capacity": 64}"#, "");
    check(r#"{"capacity": 1048576}"#, "");
    check(r#"{"capacity": 63}"#, &format!("capacity: found 63, {CAPACITY}"));
    check(r#"{"capacity": 1048577}"#, &format!("capacity: found 1048577, {CAPACITY}"));
    check(r#"{"capacity": "64k"}"#, &format!("capacity: found `64k`, {CAPACITY}"));
    const HOPS: &str = "expected an integer from 0 to 100";
    check(r#"{"client_ip": {"trusted_hops": 100}}"#, "");
    check(r#"{"client_ip": {"trusted_hops": 101}}"#, &format!("client_ip.trusted_hops: found 101, {HOPS}"));
    check(r#"{"client_ip": {"trusted_hops": -1}}"#, &format!("client_ip.trusted_hops: found -1, {HOPS}"));
    check(r#"{"client_ip": 1}"#, "client_ip: found 1, expected an object");
    const PERCENTAGE: &str = "limits[0].enforce_percentage: found";
    check(&limit(r#""enforce_percentage": 0"#), "");
    check(&limit(r#""enforce_percentage": 100.0"#), "");
    check(
        &limit(r#""enforce_percentage": 100.5"#),
        &format!("{PERCENTAGE} 100.5, expected a number from 0 to 100"),
    );
    check(
        &limit(r#""enforce_percentage": 0.00001"#),
        &format!("{PERCENTAGE} 0.00001, expected at most four decimals"),
    );
}

#[test]
fn refusals() {
    check(r#"{"reject": {"status": 400}}"#, "");
    check(r#"{"reject": {"status": 599}}"#, "");
    check(r#"{"reject": {"status": 200}}"#, "reject.status: found 200, expected an integer from 400 to 599");
    check(
        r#"{"reject": {"status": "429"}}"#,
        "reject.status: found `429`, expected an integer from 400 to 599",
    );
    for status in [200, 399, 600] {
        check(
            &format!(r#"{{"reject": {{"missing_key_status": {status}}}}}"#),
            &format!("reject.missing_key_status: found {status}, expected an integer from 400 to 599"),
        );
    }
    check(r#"{"reject": {"missingKeyStatus": 599}}"#, "");
    check(r#"{"reject": {"body": {"error": 1}}}"#, "reject.body: found an object, expected a string");
    check(&format!(r#"{{"reject": {{"body": "{}"}}}}"#, "x".repeat(65_536)), "");
    check(
        &format!(r#"{{"reject": {{"body": "{}"}}}}"#, "x".repeat(65_537)),
        "reject.body: found 65537 bytes, expected at most 65536",
    );
    check(
        r#"{"reject": {"body": "", "content_type": "a\nb"}}"#,
        "reject.content_type: found `a\\nb`, expected a header value, without control characters",
    );
    check(
        r#"{"reject": {"content_type": "text/html", "headers": {"a\nb": "c"}}}"#,
        "reject.headers[\"a\\nb\"]: not a header name\n\
         reject.content_type: found one without `body`, expected none: the default body has its own",
    );
    check(
        r#"{"reject": {"headers": {"x a": "1", "x-b": 2, "x-c": "\u0000"}}}"#,
        "reject.headers[\"x a\"]: not a header name\n\
         reject.headers.x-b: found 2, expected a string\n\
         reject.headers.x-c: found `\\0`, expected a header value, without control characters",
    );
    check(r#"{"reject": {"headers": {"": "1"}}}"#, "reject.headers[\"\"]: not a header name");
    check(r#"{"reject": {"headers": {":status": "200"}}}"#, "reject.headers[\":status\"]: not a header name");
    check(
        r#"{"reject": {"headers": {"Content-Type": "a/b"}}}"#,
        "reject.headers.Content-Type: expected in `reject.content_type` instead",
    );
    check(
        r#"{"reject": {"headers": {"content-length": "0", "Retry-After": "9"}}}"#,
        "reject.headers.content-length: expected another name: the proxy or the filter sets this header itself\n\
         reject.headers.Retry-After: expected another name: the proxy or the filter sets this header itself",
    );
    check(
        r#"{"reject": {"headers": {"x-a": "1", "X-A": "2"}}}"#,
        "reject.headers.X-A: found twice, expected once",
    );
    let headers = |count: usize| {
        let headers: Vec<String> = (0..count).map(|index| format!(r#""x-{index}": "a""#)).collect();
        format!(r#"{{"reject": {{"headers": {{{}}}}}}}"#, headers.join(","))
    };
    check(&headers(32), "");
    check(&headers(33), "reject.headers: found 33 headers, expected at most 32");
}

#[test]
fn what_is_no_object_is_refused() {
    check("[]", "found an array, expected an object");
    check("null", "found null, expected an object");
    check("\u{0}", "not valid JSON: expected value at line 1 column 1");
    check("{} x", "not valid JSON: trailing characters at line 1 column 4");
    check(r#"{"limits": {}}"#, "limits: found an object, expected an array");
    check(r#"{"limits": [[]]}"#, "limits[0]: found an array, expected an object");
    check(r#"{"limits": [null]}"#, "limits[0]: found null, expected an object");
    check(r#"{"mode": "off", "mode": "enforce"}"#, "mode: found twice, expected once");
}
