//! A proxy whose calls fail.

use canary::policy::Policy;
use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy, Stream};

type CanaryProxy = Proxy<PolicyFilter<Policy>>;

const MODES: [&str; 3] = ["enforce", "shadow", "off"];

/// Every host function that the filter may call on a request.
const FUNCTIONS: [&str; 17] = [
    "add_header_map_value",
    "call_foreign_function",
    "clock_time_get",
    "get_header_map_pairs",
    "get_header_map_value",
    "get_log_level",
    "get_property",
    "get_shared_data",
    "increment_metric",
    "log",
    "random_get",
    "record_metric",
    "remove_header_map_value",
    "replace_header_map_value",
    "set_property",
    "set_shared_data",
    "set_tick_period_milliseconds",
];

/// All parts of a config: new users get a cookie, and a split that everybody passes has a rollout and a guard.
fn everything(mode: &str, on_error: &str) -> String {
    format!(
        r#"{{"mode": "{mode}", "on_error": "{on_error}", "default": "v1", "decision_log": "all",
            "output": {{"header": "x-mesh-variant", "filter_state": "variant", "response_header": "x-served"}},
            "trusted_override": {{"header": "x-force", "match": {{"client_ip": ["192.0.2.0/24"]}}}},
            "split": {{"name": "s", "sticky": [{{"cookie": "uid"}}], "assign_cookie": {{"name": "uid"}},
                "variants": [{{"name": "v1", "weight": 0}}, {{"name": "v2", "weight": 1}}, {{"name": "v3", "weight": 1}}]}},
            "rollout": {{"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{{"percentage": 100}}]}},
            "guard": {{"variant": "v2", "baseline": "v1", "max_error_percentage": 5}}}}"#
    )
}

const OWN: [(&str, &str); 3] = [("x-mesh-variant", "v9"), ("x_mesh_variant", "v9"), ("x-force", "v9")];

fn start(config: &str) -> CanaryProxy {
    let proxy = Proxy::start(config);
    proxy.host().add_foreign("clear_route_cache", |_| Ok(Vec::new()));
    proxy
}

/// Whether nothing is left of what the client has sent in the place of the filter.
fn is_clean(headers: &[(String, String)]) -> bool {
    headers.iter().all(|(_, value)| value != "v9")
}

fn reply(stream: &Stream<'_, PolicyFilter<Policy>>) -> Option<(u16, String)> {
    stream.reply().map(|reply| (reply.status, reply.details))
}

#[test]
fn whatever_fails_a_client_s_own_header_never_goes_on() {
    for function in FUNCTIONS {
        for mode in MODES {
            for on_error in ["allow", "deny"] {
                let proxy = start(&everything(mode, on_error));
                proxy.host().fail(function);
                let headers: Vec<_> =
                    [(":method", "GET"), (":path", "/")].iter().chain(&OWN).copied().collect();
                let stream = proxy.open(&headers);
                match stream.fate() {
                    Fate::Continued => assert!(is_clean(&stream.request_headers()), "{function} {mode}"),
                    Fate::Replied => assert_eq!(
                        reply(&stream),
                        Some((503, "canary_error".to_owned())),
                        "{function} {mode}"
                    ),
                    fate => panic!("{fate:?} {function} {mode}"),
                }
                if stream.fate() == Fate::Continued {
                    if stream.trailers(&OWN) {
                        assert!(is_clean(&stream.request_trailers()), "{function} {mode}");
                    } else {
                        assert_eq!(
                            reply(&stream),
                            Some((503, "canary_error".to_owned())),
                            "{function} {mode}"
                        );
                    }
                }
                if stream.reply().is_none() {
                    stream.respond(&[(":status", "503")]);
                }
                stream.end();
                proxy.advance(std::time::Duration::from_secs(3));
            }
        }
    }
}

/// Functions without which a request is not decided on, whatever its own headers are.
#[test]
fn a_request_that_cannot_be_cleaned_is_refused_in_every_mode() {
    for mode in MODES {
        for on_error in ["allow", "deny"] {
            for (function, own, is_refused) in [
                ("get_header_map_pairs", &[][..], true),
                ("get_header_map_pairs", &OWN[..], true),
                ("remove_header_map_value", &[], false),
                ("remove_header_map_value", &OWN, true),
            ] {
                let config = format!(
                    r#"{{"mode": "{mode}", "on_error": "{on_error}", "trusted_override": {{"header": "x-force", "match": {{}}}}}}"#
                );
                let proxy = start(&config);
                proxy.host().fail(function);
                let stream = proxy.request(&[&[(":path", "/")], own].concat());
                let expected = is_refused.then(|| (503, "canary_error".to_owned()));
                assert_eq!(reply(&stream), expected, "{function} {mode} {on_error}");
                assert_eq!(
                    stream.filter_state("canary_decision").as_deref(),
                    is_refused.then_some("canary_error")
                );
                assert_eq!(proxy.host().metric("mesh_filters.canary.failed"), i64::from(is_refused));
                stream.end();
            }
        }
    }
}

#[test]
fn trailers_that_cannot_be_cleaned_are_refused_in_every_mode() {
    for mode in MODES {
        for function in ["get_header_map_pairs", "remove_header_map_value"] {
            let proxy = start(&format!(r#"{{"mode": "{mode}"}}"#));
            let stream = proxy.open(&[(":path", "/")]);
            proxy.host().fail(function);
            assert!(!stream.trailers(&OWN[..1]), "{function} {mode}");
            assert_eq!(reply(&stream), Some((503, "canary_error".to_owned())), "{function} {mode}");
            stream.end();
        }
    }
}

/// What becomes of a request under `on_error: allow`: the variant that the upstream is told, or `-`, and the label in the
/// access log. Under `deny`, whether it is refused.
#[track_caller]
fn check(function: &'static str, parts: &str, variant: &str, label: &str, is_refused: bool) {
    for (on_error, is_refused) in [("allow", false), ("deny", is_refused)] {
        let proxy = start(&format!(
            r#"{{"on_error": "{on_error}", "default": "v1", "decision_log": "all", {parts}}}"#
        ));
        proxy.host().fail(function);
        let stream = proxy.request(&[(":method", "GET"), (":path", "/"), ("user", "alice")]);
        if is_refused {
            assert_eq!(reply(&stream), Some((503, "canary_error".to_owned())), "{function}");
            assert_eq!(stream.filter_state("canary_decision").as_deref(), Some("canary_error"));
        } else {
            assert_eq!(stream.fate(), Fate::Continued, "{function}");
            let headers = stream.request_headers();
            let told =
                headers.iter().find(|(name, _)| name == "x-mesh-variant").map(|(_, value)| value.as_str());
            assert_eq!(told.unwrap_or("-"), variant, "{function}");
            assert_eq!(stream.filter_state("canary_decision").as_deref().unwrap_or("-"), label, "{function}");
        }
        stream.end();
    }
}

const SPLIT: &str =
    r#""split": {"name": "s", "variants": [{"name": "v1", "weight": 0}, {"name": "v2", "weight": 1}]}"#;
const BY_USER: &str = r#""split": {"name": "s", "sticky": [{"header": "user"}],
    "variants": [{"name": "v1", "weight": 0}, {"name": "v2", "weight": 1}]}"#;
const ROLLOUT: &str =
    r#""rollout": {"variant": "v2", "start": "2026-11-20T10:00:00Z", "steps": [{"percentage": 100}]}"#;
const GUARD: &str = r#""guard": {"variant": "v2", "max_error_percentage": 5}"#;

#[test]
fn other_failures_are_what_on_error_says() {
    check("random_get", SPLIT, "v1", "error:v1", true);
    check("random_get", BY_USER, "v2", "split{s}:v2", false);
    let both = BY_USER.replace(r#""weight": 0"#, r#""weight": 1"#);
    check("clock_time_get", &format!("{both}, {ROLLOUT}"), "v1", "error:v1", true);
    check("clock_time_get", &format!("{BY_USER}, {GUARD}"), "v1", "error:v1", true);
    check("clock_time_get", BY_USER, "v2", "split{s}:v2", false);
    let by_network = r#""rules": [{"name": "r", "match": {"client_ip": ["192.0.2.0/24"]}, "variant": "v2"}]"#;
    check("get_property", by_network, "v1", "error:v1", true);
    check("increment_metric", BY_USER, "v2", "split{s}:v2", false);
    // What only the access log reads changes nothing.
    check("set_property", BY_USER, "v2", "-", false);
}

/// The variant cannot be written, so that nobody is told one.
#[test]
fn a_variant_that_cannot_be_written_is_a_failure() {
    check("replace_header_map_value", BY_USER, "-", "error:v1", true);
    for (on_error, refusal) in [("allow", None), ("deny", Some((503, "canary_error".to_owned())))] {
        let proxy = start(&format!(
            r#"{{"on_error": "{on_error}", "default": "v1", {BY_USER}, "output": {{"filter_state": "variant"}}}}"#
        ));
        proxy.host().fail("set_property");
        let stream = proxy.request(&[(":path", "/"), ("user", "alice")]);
        assert_eq!((reply(&stream), stream.filter_state("variant")), (refusal, None), "{on_error}");
        stream.end();
    }
}

/// The route would follow the filter state, and the log would not say so.
#[test]
fn without_a_default_a_failure_leaves_no_variant_behind() {
    let output = r#""output": {"header": "x-mesh-variant", "filter_state": "variant"}"#;
    for function in ["replace_header_map_value", "set_property"] {
        let proxy = start(&format!(r#"{{{BY_USER}, {output}}}"#));
        proxy.host().fail(function);
        let stream = proxy.request(&[(":path", "/"), ("user", "alice")]);
        assert_eq!(stream.fate(), Fate::Continued);
        let headers = stream.request_headers();
        let told = headers.iter().find(|(name, _)| name == "x-mesh-variant");
        assert_eq!(
            (told, stream.filter_state("variant").filter(|state| !state.is_empty())),
            (None, None),
            "{function}"
        );
        stream.end();
    }
}

/// The worker has looked at the state when the config began; a second later it looks again.
#[test]
fn a_state_that_cannot_be_read_is_what_on_error_says() {
    for (on_error, expected) in [("allow", "v1"), ("deny", "503")] {
        let proxy = start(&format!(r#"{{"on_error": "{on_error}", "default": "v1", {BY_USER}, {GUARD}}}"#));
        let told = || {
            let stream = proxy.request(&[(":path", "/"), ("user", "alice")]);
            let headers = stream.request_headers();
            let told = headers.into_iter().find(|(name, _)| name == "x-mesh-variant").map(|(_, value)| value);
            let told = stream.reply().map_or_else(|| told.unwrap(), |reply| reply.status.to_string());
            stream.end();
            told
        };
        assert_eq!(told(), "v2");
        proxy.host().fail("get_shared_data");
        assert_eq!(told(), "v2");
        proxy.advance(std::time::Duration::from_secs(1));
        assert_eq!(told(), expected);
        proxy.host().repair("get_shared_data");
        assert_eq!(told(), "v2");
    }
}

/// In shadow nothing is refused, whatever `on_error` says.
#[test]
fn in_shadow_a_failure_is_only_recorded() {
    for (on_error, label) in [("allow", "error:v1"), ("deny", "shadow_denied")] {
        let proxy =
            start(&format!(r#"{{"mode": "shadow", "on_error": "{on_error}", "default": "v1", {SPLIT}}}"#));
        proxy.host().fail("random_get");
        let stream = proxy.request(&[(":path", "/")]);
        assert_eq!(stream.fate(), Fate::Continued, "{on_error}");
        assert_eq!(stream.edits(), Vec::<String>::new());
        assert_eq!(stream.filter_state("canary_decision").as_deref(), Some(label));
        stream.end();
    }
}

/// The proxy may lack the function, or a plugin may not be allowed to call it.
#[test]
fn without_clear_route_cache_an_edit_clears_it() {
    let config = format!(r#"{{"output": {{"filter_state": "variant"}}, {BY_USER}}}"#);
    let proxy = start(&config);
    let stream = proxy.request(&[(":path", "/"), ("user", "alice")]);
    assert_eq!(
        (stream.edits(), stream.filter_state("variant").as_deref()),
        (Vec::<String>::new(), Some("v2"))
    );
    stream.end();
    for is_allowed in [true, false] {
        let proxy = Proxy::<PolicyFilter<Policy>>::start(&config);
        if is_allowed {
            proxy.host().fail("call_foreign_function");
        }
        let stream = proxy.request(&[(":path", "/"), ("user", "alice")]);
        assert_eq!(stream.fate(), Fate::Continued);
        assert_eq!(stream.edits(), ["add x-mesh-filters-route-again", "remove x-mesh-filters-route-again"]);
        assert_eq!(stream.request_headers().len(), 2);
        assert_eq!(stream.filter_state("variant").as_deref(), Some("v2"));
        stream.end();
    }
}

/// The response goes on as it is.
#[test]
fn a_response_that_cannot_be_changed_goes_on() {
    let proxy = start(&everything("enforce", "deny"));
    let stream = proxy.request(&[(":path", "/")]);
    for function in ["add_header_map_value", "remove_header_map_value", "get_header_map_value"] {
        proxy.host().fail(function);
    }
    stream.respond(&[(":status", "200"), ("x-served", "v9")]);
    assert_eq!((stream.fate(), stream.response_waits()), (Fate::Continued, false));
    assert_eq!(stream.response_headers().len(), 2);
    stream.end();
}

/// A config is accepted where a metric cannot be defined, or a guard's state cannot be written yet.
#[test]
fn a_config_starts_in_a_proxy_that_fails() {
    for function in [
        "define_metric",
        "get_shared_data",
        "set_shared_data",
        "record_metric",
        "clock_time_get",
        "random_get",
    ] {
        let proxy = Proxy::<PolicyFilter<Policy>>::new();
        proxy.host().fail(function);
        proxy.configure(&everything("enforce", "allow")).unwrap_or_else(|log| panic!("{function} {log:?}"));
        proxy.host().repair(function);
        let stream = proxy.request(&[(":path", "/"), ("cookie", "uid=1")]);
        assert_eq!(stream.filter_state("canary_decision").as_deref(), Some("split{s}:v2"), "{function}");
        stream.end();
    }
}
