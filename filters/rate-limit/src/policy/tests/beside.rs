//! Several configs of a block that decide on a request together.

mod laws;

use super::super::{Outcome, answer};
use super::simulation::{Arrival, Simulation, Step, block, decide_beside};
use mesh_policy::headers::Headers;
use mesh_policy::time::Nanos;
use mesh_testkit::records::Alone;

/// `own`, `other`: the configs. `requests`: headers, each with what is expected of both configs together: `+`, or the
/// refusal's details, and the counters.
#[track_caller]
fn check(own: &str, other: &str, requests: &[(&str, &str)]) {
    let simulation = Simulation::of_block(&[own, other]);
    check_in(&simulation, requests);
}

#[track_caller]
fn check_in(simulation: &Simulation, requests: &[(&str, &str)]) {
    for (index, (headers, expected)) in requests.iter().enumerate() {
        let request = Arrival { beside: vec![1], ..super::request(headers) };
        let decision = simulation.arrive(&request);
        assert_eq!(simulation.told(&decision), *expected, "request {index}: {headers}");
    }
}

/// A config with a limit of one request a day and more fields.
fn once(fields: &str) -> String {
    format!(r#"{{"limits": [{{"name": "l", "rate": {{"requests": 1, "per": "1d"}}{fields}}}]}}"#)
}

/// A config with one more field.
fn with(field: &str, config: &str) -> String {
    config.replacen('{', &format!("{{{field}, "), 1)
}

#[test]
fn a_limit_that_both_have_charges_once() {
    check(&once(""), &once(""), &[("", "+ 0 allowed"), ("", "rate_limited{l} 0 denied")]);
}

#[test]
fn a_limit_that_one_has_is_charged() {
    let nothing = r#"{"limits": []}"#;
    check(nothing, &once(""), &[("", "+ 0 allowed"), ("", "rate_limited{l} 0 denied")]);
    check(&once(""), nothing, &[("", "+ 0 allowed"), ("", "rate_limited{l} 0 denied")]);
}

#[test]
fn a_limit_charges_what_it_matches_in_one_config() {
    let post = once(r#", "match": {"methods": ["POST"]}"#);
    let get = once(r#", "match": {"methods": ["GET"]}"#);
    check(
        &get,
        &post,
        &[
            (":method: PUT", "+"),
            (":method: POST", "+ 1 allowed"),
            (":method: GET", "rate_limited{l} 0 denied"),
        ],
    );
}

#[test]
fn an_enforced_limit_is_enforced_whatever_the_other_config_says() {
    let expected = [("", "+ 0 allowed"), ("", "rate_limited{l} 0 denied")];
    for lenient in [r#", "mode": "shadow""#, r#", "enforce_percentage": 0"#] {
        check(&once(lenient), &once(""), &expected);
        check(&once(""), &once(lenient), &expected);
    }
    let shadow = with(r#""mode": "shadow""#, &once(""));
    check(&shadow, &once(""), &expected);
    check(&once(""), &shadow, &expected);
    check(&shadow, &shadow, &[("", "+ 0 allowed"), ("", "+ 0 shadow_denied")]);
    let off = once(r#", "mode": "off""#);
    check(&off, &once(""), &[("", "+ 1 allowed"), ("", "rate_limited{l} 1 denied")]);
}

#[test]
fn a_missing_key_is_counted_once_and_judged_by_both() {
    let limit = |on_missing_key: &str| {
        once(&format!(r#", "key": [{{"header": "k"}}], "on_missing_key": "{on_missing_key}""#))
    };
    let denied = "rate_limit_key_missing{l} 0 key_missing, 0 denied";
    let shared = ["+ 0 key_missing, 0 allowed", "rate_limited{l} 0 key_missing, 0 denied"];
    for (own, other, expected) in [
        ("skip", "skip", ["+ 0 key_missing"; 2]),
        ("skip", "deny", [denied; 2]),
        ("deny", "deny", [denied; 2]),
        ("shared", "deny", [denied; 2]),
        ("skip", "shared", shared),
        ("shared", "shared", shared),
    ] {
        check(&limit(own), &limit(other), &expected.map(|expected| ("", expected)));
        check(&limit(other), &limit(own), &expected.map(|expected| ("", expected)));
    }
    let shadow = limit("deny").replace("\"on_", "\"mode\": \"shadow\", \"on_");
    check(&limit("deny"), &shadow, &[("", denied)]);
    check(&shadow, &limit("deny"), &[("", denied)]);
}

/// Configs may find the client's address in different places. Each address is charged, and each one once.
#[test]
fn a_limit_may_have_two_buckets_for_a_request() {
    let by_address = once(r#", "key": ["client_ip"]"#);
    let behind_a_proxy = with(r#""client_ip": {"trusted_hops": 1}"#, &by_address);
    let simulation = Simulation::of_block(&[&by_address, &behind_a_proxy, &behind_a_proxy]);
    let all = Arrival { beside: vec![1, 2], ..super::request("x-forwarded-for: 192.0.2.1") };
    // Requests of the simulation have no peer, so the first config has no address.
    assert_eq!(simulation.told(&simulation.arrive(&all)), "+ 0 key_missing, 0 allowed");
}

#[test]
fn what_finds_no_slot_is_refused_if_one_config_says_so() {
    use crate::config::Overflow::{Allow, Deny, Share};
    for (one, other, expected) in
        [(Deny, Allow, Deny), (Deny, Share, Deny), (Share, Allow, Share), (Allow, Allow, Allow)]
    {
        assert_eq!((one.stricter(other), other.stricter(one)), (expected, expected));
    }
}

#[test]
fn a_bucket_that_cannot_be_read_is_judged_by_the_configs_that_have_it() {
    let strict = |config: String| with(r#""on_error": "deny""#, &config);
    let denied = "rate_limit_error{l} 0 error";
    let other = r#"{"on_error": "deny", "limits": []}"#.to_owned();
    let shadow = strict(once(r#", "mode": "shadow""#));
    for (own, beside, expected) in [
        (once(""), once(""), "+ 0 error"),
        (once(""), strict(once("")), denied),
        (strict(once("")), once(""), denied),
        // Neither would refuse the request by itself.
        (once(""), other, "+ 0 error"),
        (once(""), shadow, "+ 0 error"),
    ] {
        let simulation = Simulation::of_block(&[&own, &beside]);
        simulation.script([Step::Fail]);
        check_in(&simulation, &[("", expected)]);
    }
}

/// The limit's config decides how a refusal looks. If both have the limit, that is the first.
#[test]
fn a_refusal_is_that_of_a_config_with_the_limit() {
    let config = |status: u16, limits: &[&str]| {
        let limits = limits
            .iter()
            .map(|name| format!(r#"{{"name": "{name}", "rate": {{"requests": 1, "per": "1d"}}}}"#));
        let limits = limits.collect::<Vec<_>>().join(", ");
        format!(r#"{{"reject": {{"status": {status}}}, "response_headers": [], "limits": [{limits}]}}"#)
    };
    for (own, other, expected) in [
        (&["a"][..], &["b"][..], (429, "rate_limited{a}")),
        (&[], &["b"], (503, "rate_limited{b}")),
        (&["a", "b"], &["b", "a"], (429, "rate_limited{a}")),
        (&[], &["b", "a"], (503, "rate_limited{b}")),
    ] {
        let policies = block(&[config(429, own), config(503, other)]);
        let mut store = Alone { now: Nanos(1), ..Alone::default() };
        let mut verdict = || {
            let (decision, _) = decide_beside(&policies[0], &[&policies[1]], &Headers::EMPTY, &mut store);
            policies[0].verdict(&[&policies[1]], decision)
        };
        verdict();
        let refusal = verdict().verdict.refusal.unwrap();
        assert!(refusal.is_final, "the mode of another config is not the request's");
        let reply = refusal.into_reply(false);
        assert_eq!((reply.status, reply.details.as_str()), expected, "{own:?} {other:?}");
    }
}

/// Each policy counts for its own limits.
#[test]
fn counts_are_those_of_the_limits_configs() {
    let limits = |names: [&str; 2]| {
        let limits =
            names.map(|name| format!(r#"{{"name": "{name}", "rate": {{"requests": 9, "per": "1d"}}}}"#));
        format!(r#"{{"limits": [{}]}}"#, limits.join(", "))
    };
    let policies = block(&[limits(["a", "b"]), limits(["b", "c"]), limits(["d", "c"])]);
    let others = [&policies[1], &policies[2]];
    let (decision, _) = decide_beside(&policies[0], &others, &Headers::EMPTY, &mut Alone::default());
    let together = policies[0].verdict(&others, decision);
    let own: Vec<_> = together.verdict.counts.iter().map(|count| count.labels).collect();
    let others: Vec<_> = together.counts.iter().map(|(other, count)| (*other, count.labels)).collect();
    assert_eq!((own, others), (vec![0, 1], vec![(0, 1), (1, 0)]));
}

/// The block's own config and its routes' share the count of first requests.
#[test]
fn a_limit_by_claims_is_noticed_once_in_a_block() {
    let by_claim = once(r#", "key": [{"claim": "sub"}]"#);
    let simulation = Simulation::of_block(&[&by_claim, &by_claim, &by_claim]);
    let noticed = (0..300).filter(|request| {
        let arrival = Arrival { policy: request % 3, beside: vec![(request + 1) % 3], ..super::request("") };
        !simulation.arrive(&arrival).without_claims.is_empty()
    });
    assert_eq!(noticed.collect::<Vec<_>>(), [99]);
}

impl Simulation {
    /// A decision of all policies: `+` or the refusal's details, and the counters.
    fn told(&self, decision: &super::Decision) -> String {
        let limits: Vec<_> = self.policies().iter().flat_map(|policy| &policy.config().limits).collect();
        let outcome = match &decision.outcome {
            Outcome::Admitted(_) => "+".to_owned(),
            Outcome::Refused(denial) => {
                let limit = denial.limit.map(|limit| limits[limit]);
                answer::refusal(self.config(), limit, denial).into_reply(false).details
            }
        };
        let counted = decision.tallies.iter().map(|(limit, metric)| {
            format!("{limit} {}", mesh_policy::metric::Metric::definition(*metric).name)
        });
        format!("{outcome} {}", counted.collect::<Vec<_>>().join(", ")).trim_end().to_owned()
    }
}
