//! Rules for some attempts of a request, in a cluster's filter chain.

use super::gateway::parsed;
use super::{ALWAYS, Gateway, rules};
use mesh_policy::policy::Policy as _;

const ADDRESS: (&[&str], &[u8]) = (&["upstream", "address"], b"10.0.0.1:80");
const COUNT: &[&str] = &["upstream", "request_attempt_count"];

/// Whether rules for these attempts hold for a request with these attributes.
#[track_caller]
fn check(attempts: &str, attributes: &[(&[&str], &[u8])], expected: bool) {
    let gateway = Gateway::new(&rules(&[&format!(r#""attempts": {attempts}, {ALWAYS}"#)]));
    let decision = gateway.decide_on(&parsed(""), None, attributes);
    assert_eq!(decision.outcome.is_ok(), expected, "{attempts} {attributes:?}");
}

#[track_caller]
fn check_attempt(attempts: &str, attempt: u64, expected: bool) {
    check(attempts, &[ADDRESS, (COUNT, &attempt.to_le_bytes())], expected);
}

#[test]
fn a_rule_is_for_the_attempts_that_it_names() {
    check_attempt("[1]", 1, true);
    check_attempt("[1]", 2, false);
    check_attempt("[1, 3]", 3, true);
    check_attempt("[1, 3]", 2, false);
    check_attempt("[1000]", 1000, true);
    check_attempt("[1]", 0, false);
    check_attempt("[1]", u64::MAX, false);
    // The low half alone would be the first attempt.
    check_attempt("[1]", 1 << 32 | 1, false);
}

#[test]
fn outside_of_a_cluster_s_chain_no_attempt_is_known() {
    check("[1]", &[(COUNT, &1u64.to_le_bytes())], false);
    check("[1]", &[ADDRESS], false);
    check("[1]", &[], false);
    check("[1]", &[ADDRESS, (COUNT, &[1])], false);
    check("[1]", &[ADDRESS, (COUNT, &[])], false);
}

#[test]
fn attributes_are_fetched_only_for_a_rule_that_asks() {
    let needs = |fields: &str| {
        let gateway = Gateway::new(&rules(&[&format!("{fields}{ALWAYS}")]));
        gateway.policy.needs().attributes.iter().map(|path| path.join(".")).collect::<Vec<_>>()
    };
    assert_eq!(needs(r#""attempts": [1], "#), ["upstream.address", "upstream.request_attempt_count"]);
    assert_eq!(needs(""), Vec::<String>::new());
}
