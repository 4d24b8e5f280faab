//! Several filters in one chain.

use crate::blocks::{
    authorization, canary, fault, header, jwt_authz, named, rate_limit, send, status, suite,
};
use mesh_host::testing::{Fate, Proxy};
use serde_json::{Value, json};
use suite::filter::SuiteFilter;

/// The block in front decides.
#[test]
fn requests_pass_the_blocks_in_the_config_s_order() {
    let limit = rate_limit(&json!({"constant": "all"}));
    let faulted = [("x-fault", "1")];
    let limit_first = suite(&[limit.clone(), fault(418)]);
    assert_eq!([0; 2].map(|_| status(&limit_first, "/", &faulted)), [418, 429]);
    drop(limit_first);
    let fault_first = suite(&[fault(418), limit]);
    assert_eq!([0; 2].map(|_| status(&fault_first, "/", &faulted)), [418, 418]);
    assert_eq!([0; 2].map(|_| status(&fault_first, "/", &[])), [0, 429]);
}

#[test]
fn one_request_passes_all_five() {
    let proxy = suite(&[
        json!({"trace_context": {"generate": {"when_missing": true}}}),
        jwt_authz(),
        rate_limit(&json!({"claim": "sub"})),
        canary("alice"),
        fault(503),
    ]);
    let stream = send(&proxy, &[("authorization", &authorization("alice"))]);
    assert_eq!(stream.fate(), Fate::Continued);
    assert!(header(&stream, "traceparent").is_some());
    assert_eq!(header(&stream, "x-variant").as_deref(), Some("v2"));
    stream.respond(&[(":status", "200")]);
    assert!(stream.response_headers().iter().any(|(name, _)| name == "ratelimit"));
    stream.end();
    for metric in [
        "trace_context.generated",
        "jwt_authz.allowed",
        "rate_limit.limit=.=l;.;allowed",
        "canary.kind=.=rule;.;name=.=r;.;decisions",
    ] {
        let all = proxy.host().metrics();
        assert_eq!(proxy.host().metric(&format!("mesh_filters.{metric}")), 1, "{metric} {all:#?}");
    }
}

/// A block in front has read it, and one in between has changed it.
#[test]
fn an_attribute_is_what_it_says_at_a_block_s_turn() {
    let by_variant = |on_missing_key: &str| {
        json!({"rate_limit": {"limits": [{
            "name": "l", "key": [{"attribute": ["filter_state", "wasm.variant"]}], "on_missing_key": on_missing_key,
            "rate": {"requests": 1, "per": "1h"},
        }]}})
    };
    let steering = json!({"canary": {"output": {"filter_state": "variant"}, "default": "v1"}});
    let proxy = suite(&[by_variant("skip"), steering, named(by_variant("deny"), "behind")]);
    assert_eq!([0; 2].map(|_| status(&proxy, "/", &[])), [0, 429]);
}

/// Nothing is exported to other plugins, and what others say does not count.
#[test]
fn claims_come_straight_from_the_block_that_verified_them() {
    let proxy = suite(&[jwt_authz(), rate_limit(&json!({"claim": "sub"})), canary("alice")]);
    proxy.host().set_property(&["filter_state", "wasm.jwt_claims"], r#"{"sub": "alice"}"#);
    let variant = |headers: &[(&str, &str)]| {
        let stream = send(&proxy, headers);
        let seen = (stream.reply().map(|reply| reply.status), header(&stream, "x-variant"));
        stream.end();
        seen
    };
    let v1 = (None, Some("v1".to_owned()));
    assert_eq!(variant(&[("authorization", &authorization("alice"))]), (None, Some("v2".to_owned())));
    assert_eq!(variant(&[("authorization", &authorization("bob"))]), v1);
    assert_eq!(variant(&[("authorization", &authorization("alice"))]).0, Some(429));
    // Without a token there is no `sub`, so the limit is skipped.
    assert_eq!([0; 3].map(|_| variant(&[])), [0; 3].map(|_| v1.clone()));
}

#[test]
fn without_a_block_that_verifies_claims_are_another_plugin_s() {
    let proxy = suite(&[canary("alice")]);
    proxy.host().set_property(&["filter_state", "wasm.jwt_claims"], r#"{"sub": "alice"}"#);
    let stream = send(&proxy, &[]);
    assert_eq!(header(&stream, "x-variant").as_deref(), Some("v2"));
    stream.end();
}

#[test]
fn blocks_of_one_filter_have_buckets_of_their_own() {
    let limit = rate_limit(&json!({"header": "x-key"}));
    let proxy = suite(&[limit.clone(), named(limit, "by-user")]);
    let key = [("x-key", "k")];
    assert_eq!(status(&proxy, "/", &key), 0);
    // Refused by the first one, so the second one is not charged.
    assert_eq!(status(&proxy, "/", &key), 429);
    let counted = |name: &str| proxy.host().metric(&format!("mesh_filters.rate_limit.{name}"));
    let of_first = ["allowed", "denied"].map(|name| counted(&format!("limit=.=l;.;{name}")));
    let of_second =
        ["allowed", "denied"].map(|name| counted(&format!("block=.=by-user;.;limit=.=l;.;{name}")));
    assert_eq!((of_first, of_second), ([1, 1], [1, 0]));
}

/// The records of the block with the filter's name are those of the module alone.
#[test]
fn a_push_that_names_a_block_begins_with_full_buckets() {
    let limit = rate_limit(&json!({"constant": "all"}));
    let proxy = suite(std::slice::from_ref(&limit));
    assert_eq!([0; 2].map(|_| status(&proxy, "/", &[])), [0, 429]);
    let push = |blocks: &[Value]| proxy.configure(&json!({"filters": blocks}).to_string()).unwrap();
    push(&[named(limit.clone(), "other")]);
    assert_eq!([0; 2].map(|_| status(&proxy, "/", &[])), [0, 429]);
    push(&[fault(503), named(limit, "rate-limit")]);
    assert_eq!(status(&proxy, "/", &[]), 429);
}

#[test]
fn a_named_block_has_filter_state_of_its_own() {
    let mut limit = rate_limit(&json!({"header": "x-key"}));
    limit["rate_limit"]["decision_log"] = json!("all");
    let proxy = suite(&[limit.clone(), named(limit, "by-user.v2")]);
    let stream = send(&proxy, &[("x-key", "k")]);
    for key in ["rate_limit_decision", "by_user_v2_decision"] {
        assert_eq!(stream.filter_state(key).as_deref(), Some("allowed{l}"), "{key}");
    }
    stream.end();
}

#[test]
fn the_most_lenient_mode_holds() {
    const MODES: [&str; 3] = ["enforce", "shadow", "off"];
    for index in 0..27 {
        let [suite, filter, rule] = [index / 9, index / 3 % 3, index % 3].map(|mode| MODES[mode]);
        let mut block = fault(503);
        block["fault"]["mode"] = json!(filter);
        block["fault"]["rules"][0]["mode"] = json!(rule);
        let proxy = Proxy::start(&json!({"mode": suite, "filters": [block]}).to_string());
        let modes = [suite, filter, rule];
        let expected = if modes == ["enforce"; 3] { 503 } else { 0 };
        assert_eq!(status(&proxy, "/", &[("x-fault", "1")]), expected, "{modes:?}");
        let is_counted = modes.contains(&"shadow") && !modes.contains(&"off");
        let counted = proxy.host().metric("mesh_filters.fault.rule=.=r;.;kind=.=abort;.;shadow");
        assert_eq!(counted, i64::from(is_counted), "{modes:?}");
    }
}

/// The proxy has no random numbers: no block that needs some can be built.
#[test]
fn problems_of_building_have_the_block_s_path() {
    let proxy = Proxy::<SuiteFilter>::new();
    proxy.host().fail("random_get");
    let limit = rate_limit(&json!({"constant": "all"}));
    let config = json!({"filters": [canary("alice"), limit, fault(503)]}).to_string();
    let log = proxy.configure(&config).unwrap_err().join("\n");
    assert!(log.contains("config: filters[1].rate_limit: the proxy gives no random numbers"), "{log}");
    assert!(log.contains("config: filters[2].fault: the proxy gives no random numbers"), "{log}");
    assert!(!log.contains("filters[0]"), "{log}");
}

#[test]
fn the_first_config_of_the_project_s_readme_is_valid() {
    let readme = include_str!("../../../../README.md");
    let (_, behind) = readme.split_once("```json").unwrap();
    let (config, _) = behind.split_once("```").unwrap();
    drop(Proxy::<SuiteFilter>::start(config));
    let broken = config.replace("rate_limit", "ratelimit");
    assert!(Proxy::<SuiteFilter>::new().configure(&broken).is_err());
}
