mod beside;
mod keys;
mod laws;
mod pushes;
mod quota;
mod scripts;
pub(super) mod simulation;

use super::{Decision, Denial, Metric, Outcome, Policy, Reason, answer};
use mesh_policy::effects::{Edit, GrpcStatus};
use mesh_policy::facts::{Attribute, Facts};
use mesh_policy::hash::Key;
use mesh_policy::headers::Headers;
use mesh_policy::refusal::Refusal;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Snapshot, Store, StoreError, Version, Written};
use mesh_policy::time::Nanos;
use serde_json::json;
use simulation::{Arrival, Simulation, Step, of};

/// Requests as header lists (`name: value; name: value`), each with the expected `+` or response code details.
#[track_caller]
fn check(limit: &str, requests: &[(&str, &str)]) {
    let simulation = Simulation::new(&[&format!(r#"{{"limits": [{limit}]}}"#)]);
    for (index, (headers, expected)) in requests.iter().enumerate() {
        let decision = simulation.arrive(&request(headers));
        assert_eq!(word(&simulation, &decision), *expected, "request {index}: {headers}");
    }
}

fn request(headers: &str) -> Arrival {
    let pairs = headers.split("; ").filter_map(|header| header.split_once(": "));
    Arrival {
        policy: 0,
        beside: Vec::new(),
        headers: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

fn word(simulation: &Simulation, decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Admitted(_) => "+".to_owned(),
        Outcome::Refused(denial) => refusal_of(simulation, denial).into_reply(false).details,
    }
}

fn refusal_of<'a>(simulation: &'a Simulation, denial: &Denial) -> Refusal<'a> {
    let config = simulation.config();
    answer::refusal(config, denial.limit.map(|limit| &config.limits[limit]), denial)
}

const ONCE: &str = r#""rate": {"requests": 1, "per": "1d"}"#;
const NO: &str = "rate_limited{l}";

#[track_caller]
fn check_key(key: &str, requests: &[(&str, &str)]) {
    check(&format!(r#"{{"name": "l", "key": {key}, {ONCE}}}"#), requests);
}

#[test]
fn without_a_key_all_requests_share_a_bucket() {
    check(&format!(r#"{{"name": "l", {ONCE}}}"#), &[("a: 1", "+"), ("a: 2", NO)]);
}

#[test]
fn each_key_has_a_bucket() {
    check_key(r#"[{"header": "a"}]"#, &[("a: 1", "+"), ("a: 2", "+"), ("a: 1", NO)]);
    check_key(r#"["path"]"#, &[(":path: /x/../a", "+"), (":path: /a?q", NO), (":path: /b", "+")]);
    check_key(r#"["method"]"#, &[(":method: GET", "+"), (":method: POST", "+"), (":method: GET", NO)]);
    check_key(r#"["host"]"#, &[(":authority: A.example:80", "+"), (":authority: a.example", NO)]);
    check_key(
        r#"[{"cookie": "s"}]"#,
        &[("cookie: s=1; x: y", "+"), ("cookie: t=2;s=1", NO), ("cookie: s=2", "+")],
    );
    check_key(
        r#"[{"query": "q"}]"#,
        &[(":path: /?q=%61", "+"), (":path: /b?q=a", NO), (":path: /?q=b", "+")],
    );
}

#[test]
fn parts_are_not_run_together() {
    check_key(
        r#"[{"header": "a"}, {"header": "b"}]"#,
        &[("a: 12; b: 3", "+"), ("a: 1; b: 23", "+"), ("a: 12; b: 3", NO)],
    );
}

#[test]
fn what_is_sent_twice_makes_no_keys() {
    check_key(
        r#"[{"header": "a"}]"#,
        &[("a: 1", "+"), ("a: 1; a: 2", "+"), ("a: 1; a: 3", NO), ("a: 4; a: 1", NO), ("a: 2", "+")],
    );
    check_key(r#"[{"query": "q"}]"#, &[(":path: /?q=1&q=2", "+"), (":path: /?q=1&q=3", NO)]);
}

#[test]
fn a_request_without_the_key() {
    let limit = |on_missing_key| {
        format!(
            r#"{{"name": "l", "key": [{{"header": "a"}}], {ONCE}, "on_missing_key": "{on_missing_key}"}}"#
        )
    };
    check(&limit("skip"), &[("b: 1", "+"), ("b: 1", "+")]);
    check(&limit("deny"), &[("b: 1", "rate_limit_key_missing{l}"), ("a: 1", "+")]);
    check(&limit("shared"), &[("b: 1", "+"), ("b: 2", NO), ("a: 1", "+"), ("a: ", "+")]);
}

#[test]
fn a_missing_key_is_counted_whatever_becomes_of_the_request() {
    for (on_missing_key, mode, expected) in [
        ("skip", "enforce", &[Metric::KeyMissing][..]),
        ("deny", "enforce", &[Metric::KeyMissing, Metric::Denied]),
        ("deny", "shadow", &[Metric::KeyMissing, Metric::ShadowDenied]),
        ("shared", "enforce", &[Metric::KeyMissing, Metric::Allowed]),
        ("shared", "shadow", &[Metric::KeyMissing, Metric::Allowed]),
        ("skip", "off", &[]),
    ] {
        let simulation = Simulation::new(&[format!(
            r#"{{"limits": [{{"name": "l", "key": [{{"header": "a"}}, {{"header": "b"}}], {ONCE},
                "on_missing_key": "{on_missing_key}", "mode": "{mode}"}}]}}"#
        )]);
        // Two missing parts are counted once.
        let tallies: Vec<Metric> =
            simulation.arrive(&request("c: 1")).tallies.into_iter().map(|(_, tally)| tally).collect();
        assert_eq!(tallies, expected, "{on_missing_key} {mode}");
        assert!(!simulation.arrive(&request("a: 1; b: 2")).tallies.contains(&(0, Metric::KeyMissing)));
    }
}

#[test]
fn a_limit_by_claims_that_sees_none_is_noticed_once() {
    let claim = r#"{"claim": "sub", "present": true}"#;
    let simulation = Simulation::new(&[format!(
        r#"{{"limits": [
            {{"name": "key", "key": [{{"claim": "sub"}}], {ONCE}, "match": {{"headers": [{{"name": "a", "present": true}}]}}}},
            {{"name": "match", {ONCE}, "match": {{"not": {{"claims": [{claim}]}}}}}},
            {{"name": "both", "key": [{{"claim": "sub"}}], {ONCE}, "match": {{"claims": [{claim}]}}}},
            {{"name": "neither", "key": [{{"header": "a"}}], {ONCE}}},
            {{"name": "off", "key": [{{"claim": "sub"}}], {ONCE}, "mode": "off"}}]}}"#
    )]);
    // If the match does not test claims, only requests that match count as requests of the limit.
    for _ in 1..100 {
        assert_eq!(simulation.arrive(&request("b: 1")).without_claims, Vec::<usize>::new());
    }
    assert_eq!(simulation.arrive(&request("b: 1")).without_claims, [1, 2]);
    for _ in 1..100 {
        assert_eq!(simulation.arrive(&request("a: 1")).without_claims, Vec::<usize>::new());
    }
    assert_eq!(simulation.arrive(&request("a: 1")).without_claims, [0]);
    assert_eq!(simulation.arrive(&request("a: 1")).without_claims, Vec::<usize>::new());
}

#[test]
fn a_limit_by_claims_that_sees_some_is_not_noticed() {
    let config = format!(r#"{{"limits": [{{"name": "l", "key": [{{"claim": "sub"}}], {ONCE}}}]}}"#);
    let config = crate::config::parse(config.as_bytes()).unwrap();
    let policy = Policy::new(config, &Scope::default(), Key::new([0; 16]), Nanos(0));
    let mut store = Shared::default();
    let (claims, headers) = (json!({"another": 1}), Headers::EMPTY);
    for request in 0..300 {
        let facts = Facts { claims: (request == 99).then_some(&claims), ..facts(&headers) };
        assert!(policy.decision(&facts, || 0, &mut store).without_claims.is_empty());
    }
}

#[test]
fn a_limit_counts_what_it_matches() {
    let limit = format!(r#"{{"name": "l", "match": {{"path": {{"prefix": "/api/"}}}}, {ONCE}}}"#);
    check(&limit, &[(":path: /", "+"), (":path: /api/a", "+"), (":path: /", "+"), (":path: /x/../api/", NO)]);
}

#[test]
fn a_key_with_a_quota_of_its_own() {
    let limit = format!(
        r#"{{"name": "l", "key": [{{"header": "a"}}, "method"], {ONCE},
            "overrides": [{{"key": ["gold", "GET"], "rate": {{"requests": 3, "per": "1d"}}}}]}}"#
    );
    let gold = "a: gold; :method: GET";
    check(
        &limit,
        &[
            (gold, "+"),
            (gold, "+"),
            (gold, "+"),
            (gold, NO),
            ("a: gold; :method: PUT", "+"),
            ("a: gold; :method: PUT", NO),
        ],
    );
}

#[test]
fn a_request_costs_what_its_header_says_within_bounds() {
    let limit = r#"{"name": "l", "rate": {"requests": 10, "per": "1d"}, "cost": {"header": "c", "default": 2, "min": 2, "max": 5}}"#;
    // The cost of a request is seen in the tokens left.
    let left = |header: &'static str| {
        let simulation = Simulation::new(&[&format!(r#"{{"limits": [{limit}]}}"#)]);
        match simulation.arrive(&request(header)).outcome {
            Outcome::Admitted(Some(standing)) => standing.remaining(),
            _ => panic!("{header}"),
        }
    };
    for (header, cost) in [
        ("x: y", 2),
        ("c: 3", 3),
        ("c: 1", 2),
        ("c: 0", 2),
        ("c:  4 ", 4),
        ("c: 9", 5),
        ("c: -1", 5),
        ("c: 2.5", 5),
        ("c: ", 5),
        ("c: x", 5),
        ("c: 99999999999999999999999", 5),
        ("c: 2; c: 2", 5),
        ("c: +2", 5),
    ] {
        assert_eq!(left(header), 10 - cost, "{header}");
    }
}

#[test]
fn several_limits_are_charged_all_or_none() {
    let simulation = Simulation::new(&[r#"{"limits": [
        {"name": "all", "rate": {"requests": 3, "per": "1d"}},
        {"name": "each", "key": [{"header": "k"}], "rate": {"requests": 1, "per": "1d"}}]}"#]);
    let tallies = |key| simulation.arrive(&of(key)).tallies;
    assert_eq!(tallies("a"), [(0, Metric::Allowed), (1, Metric::Allowed)]);
    // A request that `each` refuses is not charged to `all`.
    for _ in 0..9 {
        assert_eq!(tallies("a"), [(1, Metric::Denied)]);
    }
    assert_eq!(tallies("b"), [(0, Metric::Allowed), (1, Metric::Allowed)]);
    assert_eq!(tallies("c"), [(0, Metric::Allowed), (1, Metric::Allowed)]);
    assert_eq!(tallies("d"), [(0, Metric::Denied)]);
}

#[test]
fn what_was_taken_is_given_back_when_a_later_limit_refuses_at_the_last_moment() {
    let simulation = Simulation::new(&[r#"{"limits": [
        {"name": "all", "rate": {"requests": 2, "per": "1d"}},
        {"name": "each", "key": [{"header": "k"}], "rate": {"requests": 1, "per": "1d"}}]}"#]);
    // Two reads and the first write; before the second write another worker takes the client's last token. A read is two
    // host calls, the record and the clock.
    let calls = std::iter::repeat_n(Step::Nothing, 5).chain([Step::Act(of("a"))]);
    simulation.script(calls);
    let decision = simulation.arrive(&of("a"));
    assert_eq!(decision.tallies, [(1, Metric::Denied), (0, Metric::GivenBack)]);
    // `all` has one of two tokens left.
    assert!(matches!(simulation.arrive(&of("b")).outcome, Outcome::Admitted(_)));
    assert!(matches!(simulation.arrive(&of("c")).outcome, Outcome::Refused(_)));
}

#[test]
fn of_several_refusals_the_longest_wait_is_told() {
    let simulation = Simulation::new(&[r#"{"limits": [
        {"name": "short", "rate": {"requests": 1, "per": "1m"}},
        {"name": "long", "rate": {"requests": 1, "per": "1h"}}]}"#]);
    simulation.arrive(&of("a"));
    let decision = simulation.arrive(&of("a"));
    assert_eq!(word(&simulation, &decision), "rate_limited{long}");
    assert_eq!(decision.tallies, [(0, Metric::Denied), (1, Metric::Denied)]);
}

#[test]
fn of_several_admissions_the_smallest_share_is_told() {
    let simulation = Simulation::new(&[r#"{"limits": [
        {"name": "wide", "rate": {"requests": 100, "per": "1m"}},
        {"name": "tight", "rate": {"requests": 4, "per": "1m"}},
        {"name": "middle", "rate": {"requests": 50, "per": "1m"}}]}"#]);
    let Outcome::Admitted(Some(standing)) = simulation.arrive(&of("a")).outcome else { panic!() };
    assert_eq!((standing.limit, standing.burst(), standing.remaining()), (1, 4, 3));
}

#[test]
fn a_shadow_limit_is_charged_by_itself_and_refuses_nobody() {
    let shadow = r#"{"name": "s", "rate": {"requests": 1, "per": "1d"}, "mode": "shadow"}"#;
    let simulation = Simulation::new(&[&format!(r#"{{"limits": [{shadow}, {{"name": "e", {ONCE}}}]}}"#)]);
    assert_eq!(simulation.arrive(&of("a")).tallies, [(1, Metric::Allowed), (0, Metric::Allowed)]);
    let decision = simulation.arrive(&of("a"));
    assert_eq!(decision.tallies, [(1, Metric::Denied), (0, Metric::ShadowDenied)]);
    // The standing of a shadow limit is not shown.
    let alone = Simulation::new(&[&format!(r#"{{"limits": [{shadow}]}}"#)]);
    assert!(matches!(alone.arrive(&of("a")).outcome, Outcome::Admitted(None)));
}

#[test]
fn of_the_filter_s_and_the_limit_s_mode_the_more_lenient_holds() {
    for (filter, limit, expected) in [
        ("enforce", "enforce", Some(Metric::Denied)),
        ("shadow", "enforce", Some(Metric::ShadowDenied)),
        ("enforce", "shadow", Some(Metric::ShadowDenied)),
        ("off", "enforce", None),
        ("shadow", "off", None),
    ] {
        let config =
            format!(r#"{{"mode": "{filter}", "limits": [{{"name": "l", {ONCE}, "mode": "{limit}"}}]}}"#);
        let simulation = Simulation::new(&[&config]);
        simulation.arrive(&of("a"));
        let tally = simulation.arrive(&of("a")).tallies.first().map(|(_, tally)| *tally);
        assert_eq!(tally, expected, "{filter} {limit}");
    }
}

#[test]
fn only_a_share_of_refusals_bites() {
    // The simulation's rolls are always 0, so only 0 % is never enforced.
    for (percentage, tally) in
        [("0", Metric::ShadowDenied), ("0.0001", Metric::Denied), ("100", Metric::Denied)]
    {
        let config =
            format!(r#"{{"limits": [{{"name": "l", {ONCE}, "enforce_percentage": {percentage}}}]}}"#);
        let simulation = Simulation::new(&[&config]);
        simulation.arrive(&of("a"));
        assert_eq!(simulation.arrive(&of("a")).tallies, [(0, tally)], "{percentage}");
    }
}

#[test]
fn on_error_says_what_becomes_of_a_request_that_cannot_be_judged() {
    for (on_error, expected) in [("allow", "+"), ("deny", "rate_limit_error{l}")] {
        let config = format!(r#"{{"on_error": "{on_error}", "limits": [{{"name": "l", {ONCE}}}]}}"#);
        let simulation = Simulation::new(&[&config]);
        for failure in [
            vec![Step::Fail],
            vec![Step::Nothing, Step::Fail],
            vec![Step::Nothing, Step::Nothing, Step::Fail],
        ] {
            simulation.script(failure);
            let decision = simulation.arrive(&of("a"));
            assert_eq!(word(&simulation, &decision), expected);
            assert_eq!(decision.tallies, [(0, Metric::Error)]);
        }
    }
}

/// A store in which another worker is always faster.
struct Contended(u32);

impl Store for Contended {
    fn read(&mut self, _: &[u8]) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { value: None, version: Version::Absent, now: Nanos(0) })
    }

    fn write(&mut self, _: &[u8], _: &[u8], _: Version) -> Result<Written, StoreError> {
        self.0 += 1;
        Ok(Written::Conflict)
    }
}

#[test]
fn contention_has_a_bound() {
    let config =
        crate::config::parse(format!(r#"{{"limits": [{{"name": "l", {ONCE}}}]}}"#).as_bytes()).unwrap();
    let policy = Policy::new(config, &Scope::default(), Key::new([0; 16]), Nanos(0));
    let mut store = Contended(0);
    let decision = policy.decision(&facts(&Headers::EMPTY), || 0, &mut store);
    assert_eq!((decision.tallies, store.0), (vec![(0, Metric::Error)], super::ledger::TRIES));
}

fn facts(headers: &Headers) -> Facts<'_> {
    Facts::of(headers)
}

#[test]
fn keys_from_outside_the_headers() {
    let config = crate::config::parse(
        format!(r#"{{"limits": [{{"name": "l", {ONCE}, "key":
            ["client_ip", "principal", {{"claim": "a.b"}}, {{"attribute": "source.port"}}, {{"constant": "c"}}]}}]}}"#)
        .as_bytes(),
    )
    .unwrap();
    let policy = Policy::new(config, &Scope::default(), Key::new([0; 16]), Nanos(0));
    let needs = &policy.needs;
    assert!(needs.source && needs.principal && needs.claims && !needs.headers);
    assert_eq!(needs.attributes, [["source", "port"]]);
    let claims = [json!({"a": {"b": "x"}}), json!({"a": {"b": "y"}})];
    let attributes = [Attribute { path: vec!["source".into(), "port".into()], value: Some(vec![1]) }];
    let mut store = Shared::default();
    let headers = Headers::EMPTY;
    let mut admitted = |ip: &str, claims| {
        let facts = Facts {
            source: ip.parse().ok(),
            principal: Some(b"spiffe://a"),
            claims: Some(claims),
            attributes: &attributes,
            ..facts(&headers)
        };
        matches!(policy.decision(&facts, || 0, &mut store).outcome, Outcome::Admitted(Some(_)))
    };
    assert!(admitted("2001:db8::1", &claims[0]));
    // Addresses in one /64 are one client.
    assert!(!admitted("2001:db8::2", &claims[0]));
    assert!(admitted("2001:db8:0:1::1", &claims[0]));
    assert!(admitted("2001:db8::1", &claims[1]));
}

/// A minimal store.
#[derive(Default)]
struct Shared(std::collections::HashMap<Vec<u8>, Vec<u8>>);

impl Store for Shared {
    fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
        let value = self.0.get(key).cloned();
        let version = if value.is_some() { Version::Number(1) } else { Version::Absent };
        Ok(Snapshot { value, version, now: Nanos(0) })
    }

    fn write(&mut self, key: &[u8], value: &[u8], _: Version) -> Result<Written, StoreError> {
        self.0.insert(key.to_vec(), value.to_vec());
        Ok(Written::Done)
    }
}

#[test]
fn whoever_comes_first_makes_the_seed() {
    let mut store = Shared::default();
    assert_eq!(super::seed(&mut store, &Scope::of_plugin("p"), [1; 16]), Ok(Key::new([1; 16])));
    assert_eq!(super::seed(&mut store, &Scope::of_plugin("p"), [2; 16]), Ok(Key::new([1; 16])));
    assert_eq!(super::seed(&mut store, &Scope::of_plugin("q"), [2; 16]), Ok(Key::new([2; 16])));
}

/// A refusal that clips a level costs nothing, also if another worker changes the record first.
#[test]
fn a_refusal_that_is_overtaken_costs_nothing() {
    struct Overtaken {
        records: Shared,
        now: u64,
        conflict: bool,
    }
    impl Store for Overtaken {
        fn read(&mut self, key: &[u8]) -> Result<Snapshot, StoreError> {
            Ok(Snapshot { now: Nanos(self.now), ..self.records.read(key)? })
        }

        fn write(&mut self, key: &[u8], value: &[u8], version: Version) -> Result<Written, StoreError> {
            let written = self.records.write(key, value, version);
            if std::mem::take(&mut self.conflict) {
                // The other worker has written the same record, and this one is delayed.
                self.now += 2_000_000_000;
                return Ok(Written::Conflict);
            }
            written
        }
    }
    let policy = |burst: u32, since| {
        let config = format!(
            r#"{{"limits": [{{"name": "l", "rate": {{"requests": 1, "per": "1s"}}, "burst": {burst}}}]}}"#
        );
        Policy::new(
            crate::config::parse(config.as_bytes()).unwrap(),
            &Scope::default(),
            Key::new([7; 16]),
            Nanos(since),
        )
    };
    let (old, new) = (policy(10, 1), policy(2, 2));
    let mut store = Overtaken { records: Shared::default(), now: 1_000_000_000_000, conflict: false };
    let headers = Headers::EMPTY;
    let mut admitted = |policy: &Policy, conflict| {
        store.conflict = conflict;
        matches!(policy.decision(&facts(&headers), || 0, &mut store).outcome, Outcome::Admitted(_))
    };
    for _ in 0..10 {
        assert!(admitted(&old, false));
    }
    assert!(!admitted(&new, true));
    // Two tokens were refilled since, and no request was admitted.
    assert!(admitted(&new, false));
    assert!(admitted(&new, false));
    assert!(!admitted(&new, false));
}

#[test]
fn an_address_that_nobody_asks_for_is_not_missed() {
    let config = format!(r#"{{"client_ip": {{"trusted_hops": 1}}, "limits": [{{"name": "l", {ONCE}}}]}}"#);
    let simulation = Simulation::new(&[&config]);
    assert!(!simulation.arrive(&of("a")).client_ip_fallback);
}

#[test]
fn a_limit_that_fails_lets_the_others_stand() {
    let config = format!(r#"{{"limits": [{{"name": "a", {ONCE}}}, {{"name": "b", {ONCE}}}]}}"#);
    let simulation = Simulation::new(&[&config]);
    // Both reads succeed, then the write of the first limit fails.
    simulation.script(std::iter::repeat_n(Step::Nothing, 4).chain([Step::Fail]));
    let decision = simulation.arrive(&of("x"));
    assert_eq!(decision.tallies, [(0, Metric::Error), (1, Metric::Allowed)]);
    let Outcome::Admitted(Some(standing)) = decision.outcome else { panic!() };
    assert_eq!(standing.limit, 1);
}

/// The reply to the second of two requests.
fn refusal(config: &str, grpc: bool) -> mesh_policy::effects::Reply {
    let simulation = Simulation::new(&[config]);
    simulation.arrive(&of("a"));
    match simulation.arrive(&of("a")).outcome {
        Outcome::Refused(denial) => refusal_of(&simulation, &denial).into_reply(grpc),
        Outcome::Admitted(_) => panic!("admitted"),
    }
}

fn lines<'a>(
    headers: impl IntoIterator<Item = &'a (mesh_policy::headers::HeaderName, mesh_policy::headers::HeaderValue)>,
) -> String {
    let line = |(name, value): &(mesh_policy::headers::HeaderName, mesh_policy::headers::HeaderValue)| {
        format!("{}: {}\n", name.as_str(), String::from_utf8_lossy(value.as_bytes()))
    };
    headers.into_iter().map(line).collect()
}

#[test]
fn a_refusal_tells_everything_but_the_key() {
    let reply = refusal(
        r#"{"limits": [{"name": "l", "key": [{"header": "k"}], "rate": {"requests": 2, "per": "1m"}, "burst": 1}],
            "response_headers": ["ratelimit", "x-ratelimit", "retry-after"]}"#,
        false,
    );
    assert_eq!((reply.status, reply.details.as_str()), (429, "rate_limited{l}"));
    assert_eq!(reply.grpc_status, Some(GrpcStatus::ResourceExhausted));
    assert_eq!(
        lines(&reply.headers),
        "ratelimit-policy: \"l\";q=1;w=30\nratelimit: \"l\";r=0;t=30\nx-ratelimit-limit: 1\n\
         x-ratelimit-remaining: 0\nx-ratelimit-reset: 30\nretry-after: 30\nx-envoy-ratelimited: true\n\
         content-type: application/problem+json\n"
    );
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(problem["violated-policies"], json!(["l"]));
    assert_eq!(problem["status"], 429);
}

/// The reply to a request without the key.
#[track_caller]
fn missing(key: &str, reject: &str, grpc: bool) -> mesh_policy::effects::Reply {
    let simulation = Simulation::new(&[format!(
        r#"{{"limits": [{{"name": "l", "key": [{{"constant": "c"}}, {key}], {ONCE}, "on_missing_key": "deny"}}],
            "reject": {{"body": "slow down", "headers": {{"x-a": "b"}}, {reject}}}}}"#
    )]);
    match simulation.arrive(&Arrival { policy: 0, beside: Vec::new(), headers: Vec::new() }).outcome {
        Outcome::Refused(denial) => refusal_of(&simulation, &denial).into_reply(grpc),
        Outcome::Admitted(_) => panic!("admitted"),
    }
}

#[test]
fn a_request_without_the_key_is_told_what_it_lacks() {
    let reply = missing(r#"{"header": "X-Tenant"}"#, r#""status": 503"#, false);
    assert_eq!((reply.status, reply.details.as_str()), (400, "rate_limit_key_missing{l}"));
    // Without `retry-after`, as waiting does not help, and without the configured body, which is about quotas.
    assert_eq!(lines(&reply.headers), "content-type: application/problem+json\nx-a: b\n");
    assert_eq!(
        String::from_utf8(reply.body).unwrap(),
        r#"{"title":"Bad Request","status":400,"detail":"the request lacks the key of limit l: header x-tenant"}"#
    );
    let reply = missing(r#"{"header": "X-Tenant"}"#, r#""status": 503"#, true);
    assert_eq!(reply.grpc_status, Some(GrpcStatus::InvalidArgument));
    assert_eq!(reply.body, b"the request lacks the key of limit l: header x-tenant");
    assert_eq!(lines(&reply.headers), "x-a: b\n");
}

#[test]
fn every_part_of_a_key_has_a_name() {
    for (part, expected) in [
        (r#""client_ip""#, "client address"),
        (r#"{"cookie": "session"}"#, "cookie session"),
        (r#"{"query": "te\"na\nnt"}"#, "query parameter te\"na\nnt"),
        (r#""host""#, "host"),
        (r#"{"claim": "realm_access.roles"}"#, "claim realm_access.roles"),
        (r#"{"claim": ["https://x.example/tenant"]}"#, "claim https://x.example/tenant"),
        (r#""principal""#, "client certificate"),
        (r#"{"attribute": "xds.route_name"}"#, "attribute xds.route_name"),
    ] {
        let reply = missing(part, r#""missing_key_status": 599"#, false);
        let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        // 599 has no reason phrase.
        let detail = format!("the request lacks the key of limit l: {expected}");
        assert_eq!(problem, json!({"status": 599, "detail": detail}), "{part}");
    }
}

#[test]
fn a_refusal_can_be_made_to_look_otherwise() {
    let reply = refusal(
        r#"{"limits": [{"name": "l", "rate": {"requests": 1, "per": "1m"}}], "response_headers": [],
            "reject": {"status": 503, "body": "slow down", "content_type": "text/html", "headers": {"X-A": "b"}}}"#,
        false,
    );
    assert_eq!((reply.status, reply.body.as_slice()), (503, &b"slow down"[..]));
    assert_eq!(lines(&reply.headers), "x-envoy-ratelimited: true\ncontent-type: text/html\nx-a: b\n");
}

#[test]
fn a_grpc_request_is_told_in_a_message() {
    let reply = refusal(r#"{"limits": [{"name": "l", "rate": {"requests": 1, "per": "1m"}}]}"#, true);
    assert_eq!(reply.body, b"rate limit l exceeded");
    assert!(!lines(&reply.headers).contains("content-type"));
}

#[test]
fn an_admission_sets_the_headers_it_is_asked_for() {
    let simulation = Simulation::new(&[
        r#"{"limits": [{"name": "l", "rate": {"requests": 100, "per": "1s"}, "burst": 5}]}"#,
    ]);
    let Outcome::Admitted(Some(standing)) = simulation.arrive(&of("a")).outcome else { panic!() };
    let edits: Vec<_> = answer::response_edits(simulation.config(), "l", &standing)
        .into_iter()
        .map(|edit| match edit {
            Edit::Set(name, value) => (name, value),
            other => panic!("{other:?}"),
        })
        .collect();
    // The five tokens are refilled in 50 ms; windows are rounded up to seconds.
    assert_eq!(lines(&edits), "ratelimit-policy: \"l\";q=5;w=1\nratelimit: \"l\";r=4;t=1\n");
}

#[test]
fn a_decision_is_explained_in_a_word_if_there_is_something_to_explain() {
    let word = |config: &str| {
        let simulation = Simulation::new(&[config]);
        simulation.arrive(&of("a"));
        simulation.explain(&simulation.arrive(&of("a")))
    };
    assert_eq!(
        word(&format!(r#"{{"limits": [{{"name": "l", {ONCE}}}]}}"#)).as_deref(),
        Some("rate_limited{l}")
    );
    assert_eq!(
        word(&format!(r#"{{"mode": "shadow", "limits": [{{"name": "l", {ONCE}}}]}}"#)).as_deref(),
        Some("shadow_denied{l}")
    );
    assert_eq!(word(r#"{"limits": []}"#), None);
    let denial = Denial { limit: None, reason: Reason::Error };
    let simulation = Simulation::new(&[r#"{"limits": []}"#]);
    let reply = refusal_of(&simulation, &denial).into_reply(false);
    assert_eq!(reply.details, "rate_limit_error{}");
}
