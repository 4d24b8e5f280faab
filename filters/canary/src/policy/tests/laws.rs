//! Properties of any config and any request.

use super::super::Policy;
use super::Gateway;
use super::any::{config, lacking, request};
use super::gateway::{Told, label};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderValue, Headers};
use mesh_policy::outcome::{Outcome, Timing};
use mesh_policy::policy::Decide as _;
use mesh_policy::verdict::Verdict;
use proptest::prelude::*;
use std::time::Duration;

fn gateway(config: &str, mode: &str, lacking: [bool; 4], seed: u64) -> Gateway {
    let gateway = Gateway::new(&format!(r#"{config}, "mode": "{mode}"}}"#));
    gateway.seed(seed);
    {
        let host = &mut *gateway.host.borrow_mut();
        [host.has_random, host.has_clock, host.has_wall_clock, host.has_store] =
            lacking.map(|is_lacking| !is_lacking);
    }
    gateway
}

/// All requests that a guard counts fail, or a part of them, so that some guards trip; then time passes.
fn suffer(gateway: &Gateway, failures: u8, seconds: u64) {
    let began = gateway.host.borrow().clock();
    for subject in 0..gateway.policy.subjects.len() {
        for outcome in 0..20 {
            let timing = Some(Timing { began, took: Duration::ZERO, known_at: began });
            gateway.policy.observe(&Outcome { subject, timing, is_error: outcome < failures });
        }
    }
    gateway.tick();
    gateway.pass(Duration::from_secs(seconds));
}

/// Whether nothing becomes of the request but counters and the log.
fn changes_nothing(verdict: &Told<'_>) -> bool {
    let Verdict {
        refusal,
        filter_state,
        logged,
        request,
        response,
        claims,
        observation,
        counts: _,
        decision: _,
        warnings: _,
    } = verdict;
    refusal.as_ref().is_none_or(|refusal| !refusal.is_final)
        && filter_state.is_none()
        && logged.is_none()
        && request.is_empty()
        && response.is_empty()
        && claims.is_none()
        && observation.is_none()
}

/// The variants of a config.
fn variants(policy: &Policy) -> Vec<&str> {
    let config = policy.config();
    let of_splits = config.splits.0.iter().flat_map(|split| &split.variants).map(|variant| &variant.name);
    let of_rules = config.rules.iter().map(|rule| &rule.variant);
    config.default.iter().chain(of_rules).chain(of_splits).map(String::as_str).collect()
}

/// What edits set and add, without the cookie.
fn values(edits: &[Edit]) -> Vec<&[u8]> {
    fn value(edit: &Edit) -> Option<&HeaderValue> {
        match edit {
            Edit::Set(name, value) | Edit::Add(name, value) if name.as_str() != "set-cookie" => Some(value),
            _ => None,
        }
    }
    edits.iter().filter_map(value).map(HeaderValue::as_bytes).collect()
}

proptest! {
    #![proptest_config(mesh_testkit::cases(256))]

    #[test]
    fn in_shadow_and_off_nothing_is_changed(
        config in config(),
        requests in prop::collection::vec(request(), 1..5),
        lacking in lacking(),
        seed: u64,
    ) {
        let shadow = gateway(&config, "shadow", lacking, seed);
        let off = gateway(&config, "off", lacking, seed);
        for request in requests {
            let headers = Headers::from_pairs(request);
            prop_assert!(changes_nothing(&shadow.decide_on(&headers)));
            prop_assert!(changes_nothing(&off.pass_by(&headers)));
        }
        prop_assert_eq!(off.host.borrow().asked, [0; 4]);
    }

    /// Also where guards have tripped, and where the proxy fails.
    #[test]
    fn a_variant_is_one_of_the_config_and_written_everywhere_alike(
        config in config(),
        requests in prop::collection::vec(request(), 1..5),
        lacking in lacking(),
        seed: u64,
        failures in 0u8..=20,
        seconds in 0u64..15,
    ) {
        let gateway = gateway(&config, "enforce", [false; 4], seed);
        suffer(&gateway, failures, seconds);
        {
            let host = &mut *gateway.host.borrow_mut();
            (host.has_random, host.has_clock) = (!lacking[0], !lacking[1]);
            (host.has_wall_clock, host.has_store) = (!lacking[2], !lacking[3]);
        }
        for request in requests {
            let headers = Headers::from_pairs(request);
            let decision = gateway.decision_on(&headers);
            let verdict = gateway.decide_on(&headers);
            // Every metric that is counted is defined.
            prop_assert!(!gateway.counted(&verdict).is_empty());
            // An empty state is that of no variant.
            let state = verdict.filter_state.map(|(_, variant)| variant.as_bytes());
            let state = state.filter(|variant| !variant.is_empty());
            let written: Vec<_> =
                values(&verdict.request).into_iter().chain(values(&verdict.response)).chain(state).collect();
            prop_assert!(written.iter().all(|variant| *variant == written[0]));
            if let Some(variant) = written.first() {
                prop_assert!(variants(&gateway.policy).iter().any(|known| known.as_bytes() == *variant));
            }
            let chosen = decision.ok().and_then(|decision| decision.choice.variant);
            prop_assert!(chosen.is_none_or(|variant| variants(&gateway.policy).contains(&variant)));
            prop_assert!(verdict.refusal.is_none() || written.is_empty() && verdict.observation.is_none());
        }
    }

    /// With the same random numbers. A guard does not trip in shadow, as nothing is observed there.
    #[test]
    fn a_filter_in_shadow_decides_as_one_that_is_enforced(
        config in config(),
        requests in prop::collection::vec(request(), 1..5),
        lacking in prop::array::uniform2(any::<bool>()),
        seed: u64,
        seconds in 0u64..30,
    ) {
        let [enforced, shadow] = ["enforce", "shadow"].map(|mode| {
            let gateway = gateway(&config, mode, [lacking[0], false, lacking[1], false], seed);
            gateway.pass(Duration::from_secs(seconds));
            gateway
        });
        for request in requests {
            let headers = Headers::from_pairs(request);
            let [enforced, shadow] = [&enforced, &shadow].map(|gateway| {
                gateway.decision_on(&headers).map(|decision| (decision.choice, decision.shadow, decision.is_override_ignored))
            });
            prop_assert_eq!(enforced, shadow);
        }
    }

    /// Whoever has an identity gets the same variant in all workers.
    #[test]
    fn random_numbers_decide_on_nobody_with_an_identity(
        config in config(),
        request in request(),
        seeds: [u64; 2],
    ) {
        let headers = Headers::from_pairs(request);
        let [one, other] = seeds.map(|seed| {
            let gateway = gateway(&config, "enforce", [false; 4], seed);
            let told = label(&gateway.decide_on(&headers));
            let asked = gateway.host.borrow().asked[0];
            (told, asked)
        });
        prop_assert_eq!(one.1, other.1);
        prop_assert!(one.1 > 0 || one.0 == other.0);
    }

    /// A worker that started elsewhere, at another time and after other requests, agrees.
    #[test]
    fn a_verdict_does_not_depend_on_the_requests_before(
        config in config(),
        before in prop::collection::vec(request(), 0..5),
        request in request(),
        seed: u64,
    ) {
        let headers = Headers::from_pairs(request);
        let [fresh, used] = [0, 1].map(|_| gateway(&config, "enforce", [false; 4], seed));
        for earlier in before {
            used.decide_on(&Headers::from_pairs(earlier));
        }
        used.seed(seed);
        prop_assert_eq!(label(&fresh.decide_on(&headers)), label(&used.decide_on(&headers)));
    }
}
