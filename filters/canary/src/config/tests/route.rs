//! Configs of a block's routes.

use super::super::{Config, parse};
use mesh_policy::routes::RouteConfig as _;

fn read(config: &str) -> Config {
    parse(config.as_bytes()).unwrap_or_else(|problems| panic!("{config}\n{problems}"))
}

/// `expected`: the paths of what the last route may not have, one per line.
#[track_caller]
fn check(own: &str, routes: &[&str], expected: &str) {
    let own = read(own);
    let mut before = vec![own.clone()];
    let mut found = Vec::new();
    for route in routes {
        let mut route = read(route);
        found = route.complete(&own).err().unwrap_or_default();
        found.extend(before.iter().flat_map(|other| route.misfits(other)));
        before.push(route);
    }
    let paths: Vec<_> = found.iter().map(|misfit| misfit.path.as_str()).collect();
    assert_eq!(paths.join("\n"), expected, "{routes:?}");
}

/// A split `s` of v1 and v2 with these fields more.
fn split(fields: &str) -> String {
    format!(
        r#"{{"name": "s", "variants": [{{"name": "v1", "weight": 9}}, {{"name": "v2", "weight": 1}}]{fields}}}"#
    )
}

/// A config with only this split, in its short form, and these fields more.
fn short(fields: &str, top: &str) -> String {
    format!(r#"{{"split": {}{top}}}"#, split(fields))
}

const GUARD: &str = r#", "guard": {"variant": "v2", "max_error_percentage": 5}"#;
const ROLLOUT: &str =
    r#", "rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 10}]}"#;
const STICKY: &str = r#", "sticky": [{"header": "user"}]"#;
const COOKIE: &str = r#", "sticky": [{"cookie": "c"}], "assign_cookie": {"name": "c"}"#;

#[test]
fn rollout_and_guard_are_the_block_s() {
    for own in ["", &short("", ""), &short(ROLLOUT, GUARD)] {
        check(own, &[&short(GUARD, "")], "split.guard");
        check(own, &[&short("", GUARD)], "guard");
        check(own, &[&short(ROLLOUT, "")], "split.rollout");
        check(own, &[&short("", ROLLOUT)], "rollout");
        check(own, &[&short(GUARD, ROLLOUT)], "rollout\nsplit.guard");
        let renamed = split(&format!("{ROLLOUT}{GUARD}")).replace(r#""name": "s""#, r#""name": "other""#);
        let several = format!(r#"{{"splits": [{}, {renamed}]}}"#, split(""));
        check(own, &[&several], "splits[1].rollout\nsplits[1].guard");
    }
}

#[test]
fn the_message_says_where_they_belong() {
    let mut route = read(&short(GUARD, ""));
    let misfits = route.complete(&read("")).unwrap_err();
    assert_eq!(
        misfits[0].message,
        "found it in a route, expected it in the block's own config, at its split of this name: it is the same for \
         all routes"
    );
}

#[test]
fn a_route_has_those_of_the_block_s_split() {
    let own = read(&short(ROLLOUT, GUARD));
    let mut route = read(&format!(
        r#"{{"splits": [{}, {}]}}"#,
        split("").replace(r#""name": "s""#, r#""name": "other""#),
        split("")
    ));
    route.complete(&own).unwrap();
    let [other, same] = route.splits.0.as_slice() else { panic!("two splits") };
    assert!(other.rollout.is_none() && other.guard.is_none());
    assert_eq!(same.rollout, own.splits.0[0].rollout);
    assert_eq!(same.guard, own.splits.0[0].guard);
    assert!(same.rollout.is_some() && same.guard.is_some());
}

#[test]
fn splits_of_one_name_agree_in_what_makes_the_cohort() {
    let own = short(STICKY, "");
    check(&own, &[&short(STICKY, "")], "");
    check(&own, &[&short(r#", "sticky": [{"header": "User"}]"#, "")], "");
    check(&own, &[&short("", "")], "split.sticky");
    check(&own, &[&short(r#", "sticky": [{"header": "user"}, "path"]"#, "")], "split.sticky");
    check(&own, &[&short(r#", "sticky": [{"cookie": "user"}]"#, "")], "split.sticky");
    check(&own, &[&short(STICKY, "").replace('9', "8")], "split.variants[0]");
    check(&own, &[&short(STICKY, "").replace("v1", "v3")], "split.variants[0]");
    let third = short(STICKY, "").replace(r#""weight": 1}"#, r#""weight": 1}, {"name": "v3", "weight": 0}"#);
    check(&own, &[&third], "split.variants");
    check(
        &own,
        &[&format!(r#"{{"splits": [{}]}}"#, split("").replace('9', "8"))],
        "splits[0].sticky\nsplits[0].variants[0]",
    );
}

#[test]
fn splits_of_other_names_and_what_chooses_requests_may_differ() {
    let own = short(STICKY, "");
    check(&own, &[&short("", "").replace(r#""name": "s""#, r#""name": "t""#)], "");
    check(
        &own,
        &[&short(&format!(r#"{STICKY}, "mode": "shadow", "match": {{"methods": ["GET"]}}"#), "")],
        "",
    );
    check(&own, &[&short(STICKY, r#", "mode": "off", "default": "v2", "on_error": "deny""#)], "");
    check(&own, &[r#"{"mode": "off"}"#, ""], "");
}

/// Also where the block's own config has no such split.
#[test]
fn routes_agree_with_each_other() {
    check("", &[&short(STICKY, ""), &short(STICKY, "")], "");
    check("", &[&short(STICKY, ""), "", &short("", "")], "split.sticky");
}

#[test]
fn a_cookie_has_one_scope() {
    let another = COOKIE.replace(r#""name": "c"}"#, r#""name": "c", "path": "/a"}"#);
    check(&short(COOKIE, ""), &[&short(COOKIE, "")], "");
    check(&short(COOKIE, ""), &[&short(&another, "")], "split.assign_cookie");
    // It is read, and who has none yet has no identity.
    check(&short(COOKIE, ""), &[&short(r#", "sticky": [{"cookie": "c"}]"#, "")], "");
}

#[test]
fn an_address_as_identity_is_found_in_one_place() {
    const HOPS: &str = r#", "client_ip": {"trusted_hops": 1}"#;
    let by_address = r#", "sticky": ["client_ip"]"#;
    check(&short(by_address, HOPS), &[&short(by_address, HOPS)], "");
    check(&short(by_address, HOPS), &[&short(by_address, "")], "client_ip");
    check(&short(STICKY, HOPS), &[&short(STICKY, "")], "");
}
