//! What is counted and recorded.

use super::super::{Cause, Decision, Untouched};
use super::gateway::label;
use super::{ALWAYS, Gateway, with_rules};
use mesh_policy::policy::{Part, Policy as _};

const BY_A: &str = r#""match": {"headers": [{"name": "a", "present": true}]}"#;
const THREE: &str = r#""delay": {"percentage": 100, "fixed": "1s"}, "response": {"percentage": 100, "status": 502},
    "throttle": {"percentage": 100, "bytes_per_second": 1}"#;

/// The label of a request before anything happens, whether it is notable, and what is counted.
#[track_caller]
fn check(config: &str, headers: &str, expected: &str, is_notable: bool, counted: &[&str]) {
    let gateway = Gateway::new(config);
    let decision = gateway.decide(headers);
    check_noted(&gateway, &decision, expected, is_notable, counted);
}

#[track_caller]
fn check_noted(gateway: &Gateway, decision: &Decision, expected: &str, is_notable: bool, counted: &[&str]) {
    let noted = gateway.policy.noted(decision);
    assert_eq!(label(&noted), expected);
    assert_eq!(noted.decision.as_ref().unwrap().is_notable, is_notable, "{expected}");
    assert_eq!(gateway.counted(&noted), counted, "{expected}");
    assert!(noted.refusal.is_none() && noted.request.is_empty() && noted.response.is_empty());
}

#[test]
fn requests_that_pass_untouched() {
    check("", "", "passed", false, &[]);
    check(&with_rules("", &[r#""abort": {"percentage": 0, "status": 503}"#]), "", "passed{a}", false, &[]);
    let excluded = with_rules(r#", "exclude": {"methods": ["PUT"]}"#, &[ALWAYS]);
    check(&excluded, ":method: PUT", "excluded", false, &[]);
    check(&with_rules("", &[ALWAYS]), "x-mesh-fault: z", "marked", false, &["marked"]);
    let expired = with_rules(r#", "expires_at": "2000-01-01T00:00:00Z""#, &[ALWAYS]);
    check(&expired, "", "expired", false, &["expired"]);
}

#[test]
fn rules_in_shadow() {
    let shadow = format!(r#""mode": "shadow", {THREE}"#);
    const COUNTED: &[&str] = &["shadow a delay", "shadow a response", "shadow a throttle"];
    check(&with_rules("", &[&shadow]), "", "shadow{a}", true, COUNTED);
    let two = with_rules("", &[&shadow, &format!(r#""mode": "shadow", {ALWAYS}"#)]);
    let counted = [COUNTED, &["shadow b abort"]].concat();
    check(&two, "", "shadow{a}", true, &counted);
    // What is enforced comes with its own verdict.
    check(&with_rules("", &[&shadow, ALWAYS]), "", "shadow{a}", true, COUNTED);
    // Another reason is of more interest.
    let budget = with_rules(r#", "budget": {"percentage": 0}"#, &[&shadow, ALWAYS]);
    check(&budget, "", "over_budget{b}", true, &[COUNTED, &["over_budget b"]].concat());
}

#[test]
fn a_filter_in_shadow() {
    let config = |rules: &[&str]| with_rules(r#", "mode": "shadow""#, rules);
    let three = &["shadow a delay", "shadow a response", "shadow a throttle"];
    check(&config(&[THREE]), "", "shadow{a}", true, three);
    let both = config(&[&format!(r#""mode": "shadow", {ALWAYS}"#), ALWAYS]);
    check(&both, "", "shadow{a}", true, &["shadow a abort", "shadow b abort"]);
    let trigger = with_rules(r#", "mode": "shadow", "trigger": {"secret": "12345678"}"#, &[ALWAYS]);
    check(
        &trigger,
        "x-fault: delay=1s,abort=503; x-fault-key: 12345678",
        "shadow{trigger}",
        true,
        &["shadow trigger delay", "shadow trigger abort"],
    );
}

#[test]
fn requests_without_a_place() {
    for cause in ["rule", "trigger"] {
        let top = r#", "trigger": {"secret": "12345678"}"#;
        let gateway = Gateway::new(&with_rules(top, &[&format!("{BY_A}, {THREE}"), THREE]));
        let (cause, name) = match cause {
            "rule" => (Cause::Rule(1), "b"),
            _ => (Cause::Trigger { status: None }, "trigger"),
        };
        let decision = Decision { outcome: Err(Untouched::NoPlace(cause)), ..Decision::default() };
        let counted = format!("overflow {name}");
        check_noted(&gateway, &decision, &format!("overflow{{{name}}}"), true, &[&counted]);
        let overflow = gateway.policy.overflow(cause);
        assert_eq!(
            (label(&overflow), gateway.counted(&overflow)),
            (format!("overflow{{{name}}}"), vec![counted])
        );
    }
}

#[test]
fn failures() {
    let gateway = Gateway::new(&with_rules("", &[ALWAYS]));
    let decision = Decision { outcome: Err(Untouched::Failed), ..Decision::default() };
    check_noted(&gateway, &decision, "error", true, &["failed"]);
    for part in [Part::Headers, Part::OwnHeaders, Part::Trailers] {
        let verdict = gateway.policy.unreadable(part);
        assert_eq!(
            (label(&verdict).as_str(), gateway.counted(&verdict)),
            ("error", vec!["failed".to_owned()])
        );
        // Nothing happens then.
        assert!(verdict.refusal.is_none() && verdict.request.is_empty() && verdict.response.is_empty());
    }
}

#[test]
fn what_is_wrong_with_a_request_is_counted_with_its_decision() {
    let top = r#", "client_ip": {"trusted_hops": 2}, "trigger": {"secret": "12345678"}"#;
    let by_ip = format!(r#""match": {{"client_ip": ["192.0.2.0/24"]}}, {ALWAYS}"#);
    check(
        &with_rules(top, &[&by_ip]),
        "x-fault: abort=503",
        "passed",
        false,
        &["trigger_ignored", "client_ip_fallback"],
    );
}

#[test]
fn a_request_that_begins_to_wait() {
    let shadow = format!(r#""mode": "shadow", {ALWAYS}"#);
    let gateway = Gateway::new(&with_rules("", &[&shadow, THREE]));
    let decision = gateway.decide("");
    let delayed = gateway.policy.delayed(&decision, &decision.outcome.unwrap());
    assert_eq!(label(&delayed), "delay{b}");
    assert!(delayed.decision.as_ref().unwrap().is_notable);
    // The response has counts of its own, once it comes.
    assert_eq!(gateway.counted(&delayed), ["shadow a abort", "faults b delay"]);
}

#[test]
fn labels_of_faults_have_the_order_in_which_they_happen() {
    let gateway = Gateway::new(&with_rules("", &[THREE]));
    let fault = gateway.decide("").outcome.unwrap();
    assert_eq!(gateway.policy.label(fault.cause, fault.kinds()), "delay{a}+response{a}+throttle{a}");
}
