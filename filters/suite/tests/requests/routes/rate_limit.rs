//! Limits in a block and its routes.

use super::{UNDECIDED, request};
use crate::blocks::{config_of, suite};
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use suite::filter::SuiteFilter;

/// A limit of so many requests an hour for all clients.
fn limit(name: &str, requests: u32) -> Value {
    json!({"name": name, "rate": {"requests": requests, "per": "1h"}})
}

/// A config with these limits.
fn limits(limits: &[Value]) -> Value {
    json!({"limits": limits, "response_headers": []})
}

/// A route for the paths with this prefix.
fn route(prefix: &str, config: &Value) -> Value {
    json!({"name": prefix.trim_matches('/'), "match": {"path": {"prefix": prefix}}, "config": config})
}

fn block(own: &Value, routes: &[Value]) -> Value {
    json!({"rate_limit": own, "routes": routes})
}

fn start(own: &Value, routes: &[Value]) -> Proxy<SuiteFilter> {
    suite(&[block(own, routes)])
}

/// The response code details of the refusal, `+` if the request goes on.
fn send(proxy: &Proxy<SuiteFilter>, path: &str) -> String {
    let stream = proxy.request(&request(path, &[]));
    let details = stream.reply().map_or_else(|| "+".to_owned(), |reply| reply.details);
    stream.end();
    details
}

/// Requests one after the other, each with what is expected.
#[track_caller]
fn check(proxy: &Proxy<SuiteFilter>, requests: &[(&str, &str)]) {
    for (index, (path, expected)) in requests.iter().enumerate() {
        assert_eq!(send(proxy, path), *expected, "request {index}: {path}");
    }
}

/// The counters of a limit.
fn counted(proxy: &Proxy<SuiteFilter>, limit: &str) -> [i64; 2] {
    ["allowed", "denied"]
        .map(|counter| proxy.host().metric(&format!("mesh_filters.rate_limit.limit=.={limit};.;{counter}")))
}

#[test]
fn a_limit_of_one_name_is_one_bucket_on_all_routes() {
    let shared = limits(&[limit("l", 3)]);
    let proxy = start(&shared, &[route("/a/", &shared), route("/b/", &shared)]);
    check(&proxy, &[("/a/", "+"), ("/b/", "+"), ("/", "+")]);
    check(&proxy, &["/a/", "/b/", "/"].map(|path| (path, "rate_limited{l}")));
    assert_eq!(counted(&proxy, "l"), [3, 3]);
}

#[test]
fn limits_of_other_names_are_other_buckets() {
    let proxy = start(&limits(&[limit("own", 1)]), &[route("/a/", &limits(&[limit("a", 2)]))]);
    check(
        &proxy,
        &[("/", "+"), ("/a/", "+"), ("/a/", "+"), ("/a/", "rate_limited{a}"), ("/", "rate_limited{own}")],
    );
    assert_eq!((counted(&proxy, "own"), counted(&proxy, "a")), ([1, 1], [2, 1]));
}

#[test]
fn an_undecided_request_is_charged_by_both() {
    let proxy = start(
        &limits(&[limit("own", 2), limit("shared", 5)]),
        &[route("/a/", &limits(&[limit("shared", 5), limit("a", 3)]))],
    );
    check(&proxy, &[(UNDECIDED, "+"), ("/a/", "+"), ("/", "+")]);
    assert_eq!(counted(&proxy, "shared"), [3, 0]);
    assert_eq!((counted(&proxy, "own"), counted(&proxy, "a")), ([2, 0], [2, 0]));
    // The block's own limit has no token left, the route's has one: a refused request takes none.
    check(&proxy, &[(UNDECIDED, "rate_limited{own}"), ("/a/", "+"), ("/a/", "rate_limited{a}")]);
    assert_eq!(counted(&proxy, "shared"), [4, 0]);
    assert_eq!((counted(&proxy, "own"), counted(&proxy, "a")), ([2, 1], [3, 1]));
}

#[test]
fn a_path_that_is_read_in_two_ways_passes_no_limit() {
    let proxy = start(&limits(&[]), &[route("/a/", &limits(&[limit("a", 1)]))]);
    check(&proxy, &[("/a/b", "+"), ("/", "+")]);
    for path in [UNDECIDED, "/x/..%2fa/b", "//x/a/b", "/x/%2e%2e/a/b", "/a\\b", "/x/..;/a/b"] {
        check(&proxy, &[(path, "rate_limited{a}")]);
    }
}

#[test]
fn a_config_that_is_off_has_no_say() {
    let off = json!({"mode": "off"});
    let proxy = start(&limits(&[limit("own", 1)]), &[route("/a/", &off)]);
    check(&proxy, &[("/a/", "+"), (UNDECIDED, "+"), (UNDECIDED, "rate_limited{own}"), ("/a/", "+")]);
    let proxy = start(&off, &[route("/a/", &limits(&[limit("a", 1)]))]);
    check(&proxy, &[("/", "+"), (UNDECIDED, "+"), (UNDECIDED, "rate_limited{a}"), ("/", "+")]);
}

/// The config that is certainly for the request does not make another one's refusals lenient.
#[test]
fn an_enforced_refusal_stands_beside_a_shadow_config() {
    let mut shadow = limits(&[limit("own", 1)]);
    shadow["mode"] = json!("shadow");
    let enforced = limits(&[limit("a", 2)]);
    let proxy = start(&shadow, &[route("/a/", &enforced)]);
    check(&proxy, &[(UNDECIDED, "+"), (UNDECIDED, "+"), (UNDECIDED, "rate_limited{a}"), ("/", "+")]);
    let proxy = start(&enforced, &[route("/a/", &shadow)]);
    check(&proxy, &[(UNDECIDED, "+"), (UNDECIDED, "+"), (UNDECIDED, "rate_limited{a}"), ("/a/", "+")]);
}

#[test]
fn a_limit_keeps_its_level_where_a_push_moves_it() {
    let config = limits(&[limit("l", 2)]);
    let proxy = start(&config, &[]);
    let push = |own: &Value, routes: &[Value]| proxy.configure(&config_of(&[block(own, routes)])).unwrap();
    check(&proxy, &[("/a/", "+")]);
    push(&limits(&[]), &[route("/a/", &config)]);
    check(&proxy, &[("/", "+"), ("/a/", "+"), ("/a/", "rate_limited{l}")]);
    push(&limits(&[]), &[route("/x/", &limits(&[])), route("/a/", &config)]);
    check(&proxy, &[("/a/", "rate_limited{l}")]);
    push(&config, &[]);
    check(&proxy, &[("/", "rate_limited{l}")]);
}

#[test]
fn the_table_is_the_block_s() {
    let config = limits(&[json!({"name": "l", "key": ["path"], "rate": {"requests": 1, "per": "1h"}})]);
    let mut own = config.clone();
    own["capacity"] = json!(64);
    let proxy = start(&own, &[route("/a/", &config)]);
    for client in 0..200 {
        send(&proxy, &format!("/a/{client}"));
    }
    // The sets of a table of 64 buckets have the numbers from 0 to 7.
    let is_written = |set: u32| proxy.host().shared_data(format!("mf.rl2/test/{set:x}").as_bytes()).is_some();
    assert!((0..8).all(is_written) && !(8..9000).any(is_written));
}

#[test]
fn the_refusal_is_that_of_the_limit_s_config() {
    let with_status = |mut config: Value, status: u16| {
        config["reject"] = json!({"status": status});
        config
    };
    let statuses = |own: u32, other: u32| {
        let own = with_status(limits(&[limit("own", own)]), 503);
        let proxy = start(&own, &[route("/a/", &with_status(limits(&[limit("a", other)]), 420))]);
        [0; 2].map(|_| {
            let stream = proxy.request(&request(UNDECIDED, &[]));
            stream.reply().map_or(0, |reply| reply.status)
        })
    };
    assert_eq!((statuses(9, 1), statuses(1, 9)), ([0, 420], [0, 503]));
}

/// The tightest limit is told, as its config asks.
#[test]
fn an_admitted_request_is_told_of_the_tightest_limit() {
    let told = |config: Value, names: &[&str]| {
        let mut config = config;
        config["response_headers"] = json!(names);
        config
    };
    let headers = |own: &Value, other: &Value| {
        let proxy = start(own, &[route("/a/", other)]);
        let stream = proxy.request(&request(UNDECIDED, &[]));
        stream.respond(&[(":status", "200")]);
        let found = stream.response_headers();
        found.into_iter().find(|(name, _)| name.ends_with("remaining") || name == "ratelimit")
    };
    let (wide, tight) = (limits(&[limit("wide", 9)]), limits(&[limit("tight", 5)]));
    let line = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    let ratelimit = told(wide, &["ratelimit"]);
    assert_eq!(
        headers(&ratelimit, &told(tight.clone(), &["x-ratelimit"])),
        line("x-ratelimit-remaining", "4")
    );
    assert_eq!(
        headers(&told(tight.clone(), &["x-ratelimit"]), &ratelimit),
        line("x-ratelimit-remaining", "4")
    );
    assert_eq!(headers(&ratelimit, &told(tight, &[])), None);
}

/// Nothing is known of a request that cannot be read, so every config may be for it.
#[test]
fn a_request_that_cannot_be_read_is_refused_if_one_config_says_so() {
    for (own, other, expected) in [
        ("allow", "allow", "+"),
        ("allow", "deny", "rate_limit_error{}"),
        ("deny", "allow", "rate_limit_error{}"),
    ] {
        let config = |on_error: &str| json!({"on_error": on_error, "limits": [limit("l", 9)]});
        let proxy = start(&config(own), &[route("/a/", &config(other))]);
        for function in ["get_header_map_pairs", "get_header_map_value"] {
            proxy.host().fail(function);
        }
        check(&proxy, &[("/", expected)]);
        assert_eq!(proxy.host().metric("mesh_filters.rate_limit.unreadable"), 1, "{own} {other}");
    }
}

/// A preflight passes the configs that let it pass, and is charged by the others.
#[test]
fn a_preflight_is_charged_by_the_configs_that_check_it() {
    let mut checked = limits(&[limit("checked", 1)]);
    checked["cors_preflight"] = json!("check");
    let proxy = start(&limits(&[limit("own", 1)]), &[route("/a/", &checked)]);
    let preflight = || {
        let stream = proxy.request(&[
            (":method", "OPTIONS"),
            (":path", UNDECIDED),
            (":authority", "a.example"),
            ("origin", "https://b.example"),
            ("access-control-request-method", "GET"),
        ]);
        stream.fate() == Fate::Continued
    };
    assert_eq!([0; 2].map(|_| preflight()), [true, false]);
    assert_eq!((counted(&proxy, "own"), counted(&proxy, "checked")), ([0, 0], [1, 1]));
}

/// `route`: the config of a route beside a block with a limit `l` of 5 requests an hour.
#[track_caller]
fn check_refused(route_config: &Value, expected: &str) {
    let proxy = Proxy::<SuiteFilter>::new();
    let config = config_of(&[block(&limits(&[limit("l", 5)]), &[route("/a/", route_config)])]);
    let log = proxy.configure(&config).unwrap_err().join("\n");
    assert!(log.contains(expected), "{log}");
}

#[test]
fn limits_that_do_not_fit_are_refused() {
    let burst = json!({"name": "l", "rate": {"requests": 5, "per": "1h"}, "burst": 6});
    check_refused(
        &limits(&[limit("other", 1), burst]),
        "filters[0].routes[0].config.limits[1].burst: found another value, expected that of limit `l` in the \
         block's other configs",
    );
    check_refused(&json!({"capacity": 64}), "filters[0].routes[0].config.capacity");
}
