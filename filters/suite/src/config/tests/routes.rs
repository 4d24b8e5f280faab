use super::{JWT, check_blocks};
use crate::config::MAX_ROUTES;

/// A block of this filter with these routes.
fn block(filter: &str, routes: &str) -> String {
    format!(r#"{{{filter}, "routes": [{routes}]}}"#)
}

/// A route for `/a` with this config.
fn route(config: &str) -> String {
    format!(r#"{{"name": "a", "match": {{"path": {{"prefix": "/a"}}}}, "config": {config}}}"#)
}

/// The problems of a route's config, with paths from it.
#[track_caller]
fn check_config(filter: &str, config: &str, expected: &str) {
    let expected =
        if expected.is_empty() { String::new() } else { format!("filters[0].routes[0].config{expected}") };
    check_blocks(&[&block(filter, &route(config))], &expected);
}

fn jwt() -> &'static str {
    JWT.strip_prefix('{').and_then(|block| block.strip_suffix('}')).unwrap_or_default()
}

#[test]
fn a_route_has_a_config_of_the_block_s_filter() {
    check_config(r#""fault": {}"#, r#"{"rules": []}"#, "");
    check_config(
        r#""fault": {}"#,
        r#"{"limits": []}"#,
        ".limits: unknown field, expected one of `mode`, `client_ip`, \
        `decision_log`, `cors_preflight`, `expires_at`, `max_active`, `stack`, `exclude`, `budget`, `marker`, `cohort`, \
        `trigger`, `rules`",
    );
    check_config(r#""rateLimit": {}"#, r#"{"limits": []}"#, "");
    check_config(
        r#""rate_limit": {}"#,
        r#"{"$schema": "x"}"#,
        "[\"$schema\"]: unknown field, expected one of `mode`, \
        `client_ip`, `decision_log`, `cors_preflight`, `limits`, `reject`, `response_headers`, `on_error`, `capacity`",
    );
    for filter in ["\"trace_context\": {}", "\"rate_limit\": {}", "\"canary\": {}", "\"fault\": {}", jwt()] {
        check_config(filter, r#"{"mode": "off"}"#, "");
    }
}

#[test]
fn what_owns_state_is_the_block_s() {
    let refused = "found it in a route, expected it in the block's own config: it is the same for all routes";
    for (filter, fields) in [
        ("\"trace_context\": {}", &["correlate"][..]),
        (jwt(), &["providers", "token_cache", "max_token_bytes", "in_vm_share", "export"]),
        ("\"rate_limit\": {}", &["capacity"]),
        ("\"canary\": {}", &["output", "trusted_override", "trustedOverride"]),
        ("\"fault\": {}", &["expires_at", "max_active", "maxActive", "budget", "marker", "trigger"]),
    ] {
        for field in fields {
            check_config(filter, &format!(r#"{{"{field}": null}}"#), &format!(".{field}: {refused}"));
        }
    }
}

/// A rule on a route names the block's providers.
#[test]
fn a_route_has_the_block_s_fields() {
    let rule = |provider: &str| {
        format!(r#"{{"rules": [{{"name": "r", "action": "allow", "providers": ["{provider}"]}}]}}"#)
    };
    check_config(jwt(), &rule("p"), "");
    check_config(jwt(), &rule("q"), ".rules[0].providers[0]: found `q`, expected the name of a provider");
}

#[test]
fn all_problems_of_block_and_routes_come_at_once() {
    check_blocks(
        &[&block(
            r#""fault": {"stack": 1, "marker": 2}"#,
            &format!("{}, {}", route(r#"{"stack": 3}"#), r#"{"name": "b"}"#),
        )],
        "filters[0].fault.stack: found 1, expected true or false\n\
         filters[0].fault.marker: found 2, expected an object\n\
         filters[0].routes[0].config.stack: found 3, expected true or false\n\
         filters[0].routes[1].match: missing\n\
         filters[0].routes[1].config: missing",
    );
}

#[test]
fn routes_have_names_of_their_own_and_a_match_that_tests_something() {
    check_blocks(
        &[&block(r#""fault": {}"#, &format!("{}, {}", route("{}"), route("{}")))],
        "filters[0].routes[1].name: found `a`, expected a name that no other route has",
    );
    check_blocks(
        &[&block(r#""fault": {}"#, r#"{"name": "a", "match": {}, "config": {}}"#)],
        "filters[0].routes[0].match: found an object, expected at least one part: this match holds always",
    );
    let routes = |number: usize| {
        let route =
            |index| format!(r#"{{"name": "r{index}", "match": {{"methods": ["GET"]}}, "config": {{}}}}"#);
        block(r#""fault": {}"#, &(0..number).map(route).collect::<Vec<_>>().join(", "))
    };
    check_blocks(&[&routes(MAX_ROUTES)], "");
    check_blocks(&[&routes(MAX_ROUTES + 1)], "filters[0].routes: found 33 routes, expected at most 32");
    check_blocks(
        &[r#"{"fault": {}, "routes": null}"#],
        "filters[0].routes: found null, expected a value; leave the field out for no restriction",
    );
}

/// Clients could choose their route by a header that the filter removes behind it.
#[test]
fn a_match_reads_no_header_that_the_filter_removes() {
    let problem = "filters[0].routes[0].match: found a header that the filter removes, expected another: clients could \
                   choose the route";
    for (filter, header) in [
        (r#""canary": {"output": {"header": "x-variant"}}"#, "x-variant"),
        (
            r#""canary": {"trusted_override": {"header": "x-force", "match": {"client_ip": ["10.0.0.0/8"]}}}"#,
            "x-force",
        ),
        (r#""fault": {"trigger": {"secret": "a-long-secret"}}"#, "x_fault"),
    ] {
        let route = |header: &str| {
            format!(
                r#"{{"name": "r", "match": {{"headers": [{{"name": "{header}", "present": true}}]}}, "config": {{}}}}"#
            )
        };
        check_blocks(&[&block(filter, &route(header))], problem);
        check_blocks(&[&block(filter, &route("x-other"))], "");
    }
}

/// Nothing is verified before the routes of the first block that verifies tokens are tried.
#[test]
fn routes_read_claims_behind_verification() {
    let claims = r#"{"claims": [{"claim": "sub", "present": true}]}"#;
    let by_claims = format!(r#"{{"name": "a", "match": {claims}, "config": {{}}}}"#);
    let in_front = "filters[0].fault: found claims in front of the first `jwt_authz`, expected this block behind it: \
                    no token is verified before";
    let first = "filters[0].routes: found claims in a match of the first `jwt_authz`, expected a match without claims: \
                 its routes are chosen before a token is verified";
    let fault = block(r#""fault": {}"#, &by_claims);
    check_blocks(&[&fault], "");
    check_blocks(&[JWT, &fault], "");
    check_blocks(&[&fault, JWT], in_front);
    check_blocks(&[&block(jwt(), &by_claims)], first);
    check_blocks(&[JWT, &block(&format!(r#""name": "again", {}"#, jwt()), &by_claims)], "");
    let rules = format!(
        r#"{{"rules": [{{"name": "r", "match": {claims}, "abort": {{"percentage": 1, "status": 503}}}}]}}"#
    );
    check_blocks(&[&block(r#""fault": {}"#, &route(&rules)), JWT], in_front);
}
