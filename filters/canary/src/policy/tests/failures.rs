//! A proxy that fails to provide what a decision needs.

use super::gateway::Host;
use super::{Gateway, label, written};
use mesh_policy::headers::HeaderName;
use mesh_policy::metric::Metric as _;

/// Two variants of equal weight, by user.
const SPLIT: &str = r#""split": {"name": "s", "sticky": [{"header": "user"}],
    "variants": [{"name": "v2", "weight": 1}, {"name": "v3", "weight": 1}]}"#;
const ROLLOUT: &str =
    r#""rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 10}]}"#;
const GUARD: &str = r#""guard": {"variant": "v2", "max_error_percentage": 5}"#;

/// What becomes of a request whose proxy fails: under `on_error: allow` and `deny`, each enforced and in shadow.
#[track_caller]
fn check_failure(parts: &str, headers: &str, fail: fn(&mut Host)) {
    for (top, label_expected, variant, is_refused) in [
        ("", "error:v1", "v1", false),
        (r#""mode": "shadow", "#, "error:v1", "-", false),
        (r#""on_error": "deny", "#, "canary_error", "-", true),
        (r#""on_error": "deny", "mode": "shadow", "#, "canary_error", "-", true),
    ] {
        let gateway = Gateway::new(&format!(r#"{{{top}"default": "v1", {parts}}}"#));
        fail(&mut gateway.host.borrow_mut());
        let verdict = gateway.decide(headers);
        assert_eq!(label(&verdict), label_expected, "{top}{headers}");
        assert_eq!(written(&verdict, "x-mesh-variant"), variant, "{top}{headers}");
        assert_eq!(verdict.refusal.is_some(), is_refused, "{top}{headers}");
        assert_eq!(gateway.counted(&verdict), ["failed"], "{top}{headers}");
        assert!(verdict.observation.is_none() && verdict.response.is_empty());
        match &verdict.refusal {
            // Only enforced, as nothing is left that a client has sent.
            Some(refusal) => assert!(!refusal.is_final && refusal.reason.class.status == 503),
            None => assert!(verdict.decision.as_ref().unwrap().is_notable),
        }
    }
}

/// The request gets a variant of the split, although something fails.
#[track_caller]
fn check_no_failure(parts: &str, headers: &str, fail: fn(&mut Host)) {
    let gateway = Gateway::new(&format!(r#"{{"default": "v1", {parts}}}"#));
    fail(&mut gateway.host.borrow_mut());
    let label = label(&gateway.decide(headers));
    assert!(label.starts_with("split{s}:"), "{label}");
}

const fn no_random(host: &mut Host) {
    host.has_random = false;
}

const fn no_clock(host: &mut Host) {
    host.has_clock = false;
}

const fn no_wall_clock(host: &mut Host) {
    host.has_wall_clock = false;
}

const fn no_store(host: &mut Host) {
    host.has_store = false;
}

const fn nothing(host: &mut Host) {
    (host.has_random, host.has_clock, host.has_wall_clock, host.has_store) = (false, false, false, false);
}

#[test]
fn a_user_without_identity_needs_a_random_number() {
    check_failure(SPLIT, "a: 1", no_random);
    check_no_failure(SPLIT, "user: alice", nothing);
    let cookie =
        SPLIT.replace(r#"[{"header": "user"}]"#, r#"[{"cookie": "c"}], "assign_cookie": {"name": "c"}"#);
    check_failure(&cookie, "a: 1", no_random);
    check_no_failure(&cookie, "cookie: c=1", nothing);
}

#[test]
fn a_rollout_needs_the_wall_clock() {
    let parts = format!("{SPLIT}, {ROLLOUT}");
    check_failure(&parts, "user: alice", no_wall_clock);
    check_no_failure(&parts, "user: alice", no_clock);
    check_no_failure(&parts, "user: alice", no_store);
}

#[test]
fn a_guard_needs_its_clock_and_its_state() {
    // In shadow there is no guard, as nothing is observed.
    for fail in [no_clock as fn(&mut Host), no_store] {
        let gateway = Gateway::new(&format!(r#"{{"default": "v1", {SPLIT}, {GUARD}}}"#));
        fail(&mut gateway.host.borrow_mut());
        assert_eq!(label(&gateway.decide("user: alice")), "error:v1");
        let gateway = Gateway::new(&format!(r#"{{"default": "v1", "on_error": "deny", {SPLIT}, {GUARD}}}"#));
        fail(&mut gateway.host.borrow_mut());
        assert_eq!(label(&gateway.decide("user: alice")), "canary_error");
    }
    let off = GUARD.replace("{\"variant\"", "{\"mode\": \"off\", \"variant\"");
    check_no_failure(&format!("{SPLIT}, {off}"), "user: alice", nothing);
}

/// It takes nothing out, so its state decides on no request.
#[test]
fn a_guard_in_shadow_needs_no_state() {
    let shadow = GUARD.replace("{\"variant\"", "{\"mode\": \"shadow\", \"variant\"");
    check_no_failure(&format!("{SPLIT}, {shadow}"), "user: alice", no_store);
}

/// The state was read within the last second.
#[test]
fn a_state_that_is_known_is_not_read() {
    let gateway = Gateway::new(&format!(r#"{{"default": "v1", {SPLIT}, {GUARD}}}"#));
    assert!(label(&gateway.decide("user: alice")).starts_with("split{s}:"));
    gateway.host.borrow_mut().has_store = false;
    assert!(label(&gateway.decide("user: alice")).starts_with("split{s}:"));
    gateway.pass(super::gateway::SECOND);
    assert_eq!(label(&gateway.decide("user: alice")), "error:v1");
    gateway.host.borrow_mut().has_store = true;
    assert!(label(&gateway.decide("user: alice")).starts_with("split{s}:"));
}

#[test]
fn a_part_in_shadow_that_fails_is_passed_over() {
    let parts =
        format!("{}, {ROLLOUT}", SPLIT.replace(r#""name": "s","#, r#""name": "s", "mode": "shadow","#));
    for fail in [no_random as fn(&mut Host), no_wall_clock] {
        let gateway = Gateway::new(&format!(r#"{{"default": "v1", {parts}}}"#));
        fail(&mut gateway.host.borrow_mut());
        let verdict = gateway.decide("a: 1");
        assert_eq!(
            (label(&verdict), written(&verdict, "x-mesh-variant")),
            ("default:v1".into(), "v1".into())
        );
    }
}

#[test]
fn what_decides_before_the_split_needs_nothing() {
    let parts = format!(
        r#"{SPLIT}, {ROLLOUT}, {GUARD}, "trusted_override": {{"header": "o", "match": {{}}}},
            "rules": [{{"name": "r", "match": {{"headers": [{{"name": "a", "present": true}}]}}, "variant": "v4"}}]"#
    );
    let gateway = Gateway::new(&format!("{{{parts}}}"));
    nothing(&mut gateway.host.borrow_mut());
    assert_eq!(label(&gateway.decide("a: 1")), "rule{r}:v4");
    assert_eq!(label(&gateway.decide("o: v2")), "override:v2");
    assert_eq!(gateway.host.borrow().asked, [0; 4]);
}

#[test]
fn a_request_that_cannot_be_read_is_what_on_error_says() {
    use mesh_policy::policy::{Part, Policy as _};
    for (on_error, part, is_refused, is_final) in [
        ("allow", Part::Headers, false, false),
        ("deny", Part::Headers, true, false),
        // A client may have sent what only the filter may set.
        ("allow", Part::OwnHeaders, true, true),
        ("deny", Part::OwnHeaders, true, true),
        ("allow", Part::Trailers, true, true),
        ("deny", Part::Trailers, true, true),
    ] {
        let gateway = Gateway::new(&format!(r#"{{"default": "v1", "on_error": "{on_error}"}}"#));
        let verdict = gateway.policy.unreadable(part);
        let refusal = verdict.refusal.as_ref().map(|refusal| refusal.is_final);
        assert_eq!(refusal, is_refused.then_some(is_final), "{on_error} {part:?}");
        let variant = if is_refused { "-" } else { "v1" };
        assert_eq!(written(&verdict, "x-mesh-variant"), variant, "{on_error} {part:?}");
        assert_eq!(verdict.counts.len(), 1);
        assert_eq!(verdict.counts[0].metric.definition().name, "failed");
    }
}

/// A variant may have been written before the proxy failed.
#[test]
fn without_a_default_what_was_written_is_taken_back() {
    use mesh_policy::effects::Edit;
    use mesh_policy::policy::{Part, Policy as _};
    let verdict = |mode: &str| {
        let gateway = Gateway::new(&format!(
            r#"{{"mode": "{mode}", "output": {{"header": "h", "filter_state": "f", "response_header": "r"}}}}"#
        ));
        let verdict = gateway.policy.unreadable(Part::Headers);
        let state = verdict.filter_state.map(|(key, value)| (key.to_owned(), value.to_owned()));
        (verdict.request, state, verdict.response)
    };
    let removed = |name: &'static str| vec![Edit::Remove(HeaderName::from_static(name))];
    assert_eq!(verdict("enforce"), (removed("h"), Some(("f".to_owned(), String::new())), removed("r")));
    assert_eq!(verdict("shadow"), (vec![], None, vec![]));
}
