//! Faults on routes: places, requests in flight, the budget and the trigger are the block's.

use super::{request, routed, status};
use crate::blocks::suite;
use mesh_host::testing::Fate;
use serde_json::{Value, json};

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
    assert!((1..=60).contains(&faulted), "{faulted}");
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
