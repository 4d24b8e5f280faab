//! Faults on routes: places, requests in flight, the budget and the trigger are the block's.

use super::{request, routed, status};
use crate::blocks::suite;
use mesh_host::testing::{Fate, Stream};
use serde_json::{Value, json};
use std::time::Duration;

fn delaying() -> Value {
    json!({"rules": [{"name": "slow", "delay": {"percentage": 100, "fixed": "1s"}}]})
}

fn aborting(percentage: u32) -> Value {
    json!({"rules": [{"name": "down", "abort": {"percentage": percentage, "status": 503}}]})
}

#[test]
fn all_routes_share_the_places() {
    let mut own = delaying();
    own["max_active"] = json!(2);
    let proxy = suite(&[routed(json!({"fault": own}), &[("/a", delaying())])]);
    let fate = |target| {
        let stream = proxy.request(&request(target, &[]));
        (stream.fate(), stream)
    };
    let streams = ["/a", "/", "/a", "/"].map(fate);
    let fates = streams.each_ref().map(|(fate, _)| *fate);
    assert_eq!(fates, [Fate::Waiting, Fate::Waiting, Fate::Continued, Fate::Continued]);
    assert_eq!(proxy.host().metric("mesh_filters.fault.active"), 2);
    for (_, stream) in streams {
        stream.end();
    }
    assert_eq!(proxy.host().metric("mesh_filters.fault.active"), 0);
}

/// A rule of one route counts the requests of all.
#[test]
fn all_routes_share_the_requests_in_flight() {
    let mut under_load = aborting(100);
    under_load["rules"][0]["in_flight"] = json!({"at_least": 2});
    let proxy = suite(&[routed(json!({"fault": {}}), &[("/a", under_load)])]);
    let others = ["/", "/b"].map(|target| proxy.request(&request(target, &[])));
    assert_eq!(status(&proxy, "/a", &[]), 503);
    for other in others {
        other.end();
        assert_eq!(status(&proxy, "/a", &[]), 0);
    }
}

#[test]
fn all_routes_share_the_budget() {
    let mut own = aborting(100);
    own["budget"] = json!({"percentage": 10});
    let proxy = suite(&[routed(json!({"fault": own}), &[("/a", aborting(100)), ("/b", json!({}))])]);
    let faulted = (0..600).filter(|index| status(&proxy, ["/", "/a", "/b"][index % 3], &[]) == 503).count();
    // A tenth of all. The last request is `/b`'s, which nothing faults. With a budget each, it would be a tenth of 400.
    assert_eq!(faulted, 59);
}

#[test]
fn the_trigger_s_headers_are_removed_on_every_route() {
    let trigger = json!({"secret": "a-long-secret"});
    let routes =
        [("/a", json!({})), ("/off", json!({"mode": "off"})), ("/shadow", json!({"mode": "shadow"}))];
    let proxy = suite(&[routed(json!({"fault": {"trigger": trigger}}), &routes)]);
    for target in ["/", "/a", "/off", "/shadow"] {
        let sent = [("x-fault", "abort=418"), ("x-fault-key", "wrong"), ("x_fault", "abort=418")];
        let stream = proxy.request(&request(target, &sent));
        assert_eq!(stream.fate(), Fate::Continued);
        let left: Vec<_> =
            stream.request_headers().into_iter().filter(|(name, _)| !name.starts_with(':')).collect();
        assert_eq!(left, [], "{target}");
        stream.end();
    }
    let asked = [("x-fault", "abort=418"), ("x-fault-key", "a-long-secret")];
    let answers = ["/", "/a", "/off", "/shadow"].map(|target| status(&proxy, target, &asked));
    assert_eq!(answers, [418, 418, 0, 0]);
}

/// Rules of one name add up.
#[test]
fn routes_share_the_counters() {
    let proxy = suite(&[routed(json!({"fault": aborting(100)}), &[("/a", aborting(100))])]);
    assert_eq!(["/", "/a", "/a"].map(|target| status(&proxy, target, &[])), [503; 3]);
    assert_eq!(proxy.host().metric("mesh_filters.fault.rule=.=down;.;kind=.=abort;.;faults"), 3);
}

/// What a route in shadow would have done takes nothing of the budget of those that do it.
#[test]
fn a_route_in_shadow_spends_no_budget() {
    let rules = json!([{"name": "down", "abort": {"percentage": 100, "status": 503}}]);
    let faulted = |own: &str, route: &str| {
        let own = json!({"mode": own, "budget": {"percentage": 50}, "rules": rules});
        let block = json!({"fault": own, "routes": [
            {"name": "a", "match": {"path": {"prefix": "/a"}}, "config": {"mode": route, "rules": rules}},
        ]});
        let proxy = suite(&[block]);
        let is_faulted = |path: &str| {
            let stream = proxy.request(&request(path, &[]));
            let is_faulted = stream.fate() == Fate::Replied;
            stream.end();
            is_faulted
        };
        (0..200).filter(|index| is_faulted(["/", "/a", "/a", "/a"][index % 4])).count()
    };
    assert_eq!(["off", "shadow", "enforce"].map(|route| faulted("enforce", route)), [25, 25, 100]);
    assert_eq!(["off", "shadow", "enforce"].map(|route| faulted("shadow", route)), [0, 0, 75]);
}

/// Requests of several routes that wait over a push, and are reset.
#[test]
fn nothing_is_held_for_requests_that_were_reset() {
    let delayed = json!({"rules": [
        {"name": "slow", "delay": {"percentage": 100, "fixed": "5s"}},
        {"name": "busy", "in_flight": {"at_least": 1000}, "abort": {"percentage": 100, "status": 503}},
    ]});
    let block = |own: &Value| {
        json!({"fault": own, "routes": [
            {"name": "a", "match": {"path": {"prefix": "/a/"}}, "config": delayed},
            {"name": "b", "match": {"path": {"prefix": "/b"}}, "config": {"mode": "off"}},
        ]})
    };
    let proxy = suite(&[block(&json!({}))]);
    let gauges = || {
        ["active", "plugin=.=test;.;in_flight"]
            .map(|name| proxy.host().metric(&format!("mesh_filters.fault.{name}")))
    };
    let before = ["/", "/a/", "/b", "/a%2fb"].map(|path| proxy.request(&request(path, &[])));
    assert_eq!(gauges(), [1, 4], "{:#?}", proxy.host().metrics());
    proxy.configure(&json!({"filters": [block(&delayed)]}).to_string()).unwrap();
    let after = ["/", "/a/", "/b"].map(|path| proxy.request(&request(path, &[])));
    assert_eq!(gauges(), [3, 7]);
    before.into_iter().for_each(Stream::end);
    proxy.remove_previous_config();
    assert_eq!(gauges(), [2, 3]);
    proxy.configure(&json!({"filters": [{"fault": {}}]}).to_string()).unwrap();
    after.into_iter().for_each(Stream::end);
    proxy.advance(Duration::from_secs(9));
    assert_eq!(gauges(), [0, 0]);
}
