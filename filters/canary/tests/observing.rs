//! Outcomes of requests, and what follows of them.

use canary::policy::Policy;
use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy, Stream};
use std::time::Duration;

type CanaryProxy = Proxy<PolicyFilter<Policy>>;
type CanaryStream<'a> = Stream<'a, PolicyFilter<Policy>>;

const SECOND: Duration = Duration::from_secs(1);
const BLINK: Duration = Duration::from_millis(1);

/// By user, among v1, v2 and v3.
const SPLIT: &str = r#""split": {"name": "s", "sticky": [{"header": "user"}],
    "variants": [{"name": "v1", "weight": 1}, {"name": "v2", "weight": 1}, {"name": "v3", "weight": 1}]}"#;
const GUARD: &str = r#""guard": {"variant": "v2", "baseline": "v1", "max_error_percentage": 50, "min_requests": 10,
    "window": "10s", "hold": "1m"}"#;

fn start(parts: &str) -> CanaryProxy {
    Proxy::start(&format!("{{{parts}}}"))
}

/// A request, and the variant that the upstream is told.
fn request<'a>(proxy: &'a CanaryProxy, headers: &[(&str, &str)]) -> (CanaryStream<'a>, String) {
    let all: Vec<_> = [(":method", "GET"), (":path", "/")].iter().chain(headers).copied().collect();
    let stream = proxy.request(&all);
    assert_eq!(stream.fate(), Fate::Continued);
    let headers = stream.request_headers();
    let told = headers.into_iter().find(|(name, _)| name == "x-mesh-variant").map(|(_, value)| value);
    (stream, told.unwrap_or_default())
}

/// A request of the user `alice`, whose variant is told.
const ALICE: &[(&str, &str)] = &[("user", "alice")];
const GRPC: &[(&str, &str)] = &[("user", "alice"), ("content-type", "application/grpc")];

fn metric(proxy: &CanaryProxy, variant: &str, name: &str) -> i64 {
    proxy.host().metric(&format!("mesh_filters.canary.split=.=s;.;variant=.={variant};.;{name}"))
}

fn of_split(proxy: &CanaryProxy, name: &str) -> i64 {
    proxy.host().metric(&format!("mesh_filters.canary.split=.=s;.;{name}"))
}

/// Whether a request with these headers is counted as an error, once `act` has brought it to its end. With a guard and
/// without.
#[track_caller]
fn check(headers: &[(&str, &str)], act: impl Fn(&CanaryProxy, CanaryStream<'_>), is_error: bool) {
    for parts in [SPLIT.to_owned(), format!("{SPLIT}, {GUARD}")] {
        let proxy = start(&parts);
        let (stream, variant) = request(&proxy, headers);
        act(&proxy, stream);
        proxy.advance(SECOND);
        let counted = (metric(&proxy, &variant, "requests"), metric(&proxy, &variant, "errors"));
        assert_eq!(counted, (1, i64::from(is_error)));
    }
}

fn respond(status: &'static str) -> impl Fn(&CanaryProxy, CanaryStream<'_>) {
    move |_, stream| {
        stream.respond(&[(":status", status)]);
        stream.end();
    }
}

#[test]
fn a_status_of_5xx_is_an_error() {
    for status in ["500", "502", "503", "599"] {
        check(ALICE, respond(status), true);
    }
    for status in ["200", "304", "404", "429", "499"] {
        check(ALICE, respond(status), false);
    }
}

/// Its status is in the headers where there is no message.
#[test]
fn a_grpc_status_in_headers() {
    for (status, is_error) in
        [("0", false), ("2", true), ("5", false), ("14", true), ("16", false), ("x", false)]
    {
        check(
            GRPC,
            move |_, stream| {
                stream.respond(&[(":status", "200"), ("grpc-status", status)]);
                stream.end();
            },
            is_error,
        );
    }
    check(GRPC, respond("503"), true);
}

#[test]
fn a_grpc_status_in_trailers() {
    for (status, is_error) in
        [("0", false), ("4", true), ("7", false), ("12", true), ("13", true), ("15", true)]
    {
        check(
            GRPC,
            move |_, stream| {
                stream.respond(&[(":status", "200")]);
                assert!(stream.response_body(b"message", false));
                assert!(stream.response_trailers(&[("grpc-status", status)]));
                stream.end();
            },
            is_error,
        );
    }
}

/// A call that takes longer than a window is judged when its status is known.
#[test]
fn a_grpc_status_that_comes_late_is_judged() {
    let proxy = start(&format!("{SPLIT}, {GUARD}"));
    let users: Vec<_> = (0..200).map(|user| user.to_string()).filter(|user| gets_v2(user)).take(20).collect();
    let of = |user: &String| {
        let (stream, told) =
            request(&proxy, &[("user", user.as_str()), ("content-type", "application/grpc")]);
        assert_eq!(told, "v2");
        stream.respond(&[(":status", "200")]);
        stream
    };
    let streams: Vec<_> = users.iter().map(of).collect();
    proxy.advance(SECOND * 30);
    for stream in streams {
        stream.response_trailers(&[("grpc-status", "14")]);
        stream.end();
    }
    proxy.advance(SECOND);
    assert_eq!((of_split(&proxy, "tripped"), metric(&proxy, "v2", "errors")), (1, 20));
}

#[test]
fn a_grpc_request_without_a_status_is_no_error() {
    check(GRPC, respond("200"), false);
    check(
        GRPC,
        |_, stream| {
            stream.respond(&[(":status", "200")]);
            stream.response_trailers(&[("x-other", "14")]);
            stream.end();
        },
        false,
    );
}

/// The header of another protocol is its own business.
#[test]
fn only_a_grpc_request_has_a_grpc_status() {
    check(
        ALICE,
        |_, stream| {
            stream.respond(&[(":status", "200"), ("grpc-status", "14")]);
            stream.response_trailers(&[("grpc-status", "14")]);
            stream.end();
        },
        false,
    );
}

#[test]
fn a_client_that_leaves_is_counted_and_no_error() {
    check(ALICE, |_, stream| stream.end(), false);
    check(GRPC, |_, stream| stream.end(), false);
}

#[test]
fn an_injected_fault_is_no_error() {
    for (details, is_error) in [
        ("fault_filter_abort", false),
        ("fault_abort{chaos}", false),
        ("via_upstream", true),
        ("default", true),
    ] {
        check(
            ALICE,
            move |proxy, stream| {
                proxy.host().set_property(&["response", "code_details"], details);
                stream.respond(&[(":status", "503")]);
                stream.end();
            },
            is_error,
        );
        check(
            GRPC,
            move |proxy, stream| {
                proxy.host().set_property(&["response", "code_details"], details);
                stream.respond(&[(":status", "200"), ("grpc-status", "14")]);
                stream.end();
            },
            is_error,
        );
    }
}

/// The details cost a call, which only an error needs.
#[test]
fn the_details_of_a_success_are_not_asked_for() {
    let proxy = start(SPLIT);
    let (stream, _) = request(&proxy, ALICE);
    proxy.host().reset_counts();
    stream.respond(&[(":status", "200")]);
    assert!(!proxy.host().counts().contains("get_property"));
    stream.end();
    let (stream, _) = request(&proxy, ALICE);
    stream.respond(&[(":status", "503")]);
    assert!(proxy.host().counts().contains("1 get_property"));
    stream.end();
}

#[test]
fn the_timer_runs_only_while_there_is_something_to_report() {
    for parts in [SPLIT.to_owned(), format!("{SPLIT}, {GUARD}")] {
        let proxy = start(&parts);
        assert_eq!(proxy.host().timer(), None);
        let (stream, _) = request(&proxy, ALICE);
        assert_eq!(proxy.host().timer(), None);
        stream.respond(&[(":status", "200")]);
        assert_eq!(proxy.host().timer(), Some(SECOND));
        stream.end();
        proxy.advance(SECOND);
        assert_eq!(proxy.host().timer(), None);
    }
}

/// A client that leaves starts it as well, and so do trailers.
#[test]
fn the_timer_runs_for_every_outcome() {
    let proxy = start(SPLIT);
    request(&proxy, ALICE).0.end();
    assert_eq!(proxy.host().timer(), Some(SECOND));
    proxy.advance(SECOND);
    let (stream, _) = request(&proxy, GRPC);
    stream.respond(&[(":status", "200")]);
    assert_eq!(proxy.host().timer(), None);
    stream.response_trailers(&[("grpc-status", "0")]);
    assert_eq!(proxy.host().timer(), Some(SECOND));
    stream.end();
}

#[test]
fn nothing_is_observed_that_no_split_decided() {
    let rule = r#""rules": [{"name": "r", "match": {"headers": [{"name": "a", "present": true}]}, "variant": "v2"}]"#;
    for parts in [
        format!("{rule}, {SPLIT}"),
        format!(r#""mode": "shadow", {SPLIT}"#),
        format!(r#""mode": "off", {SPLIT}"#),
    ] {
        let proxy = start(&parts);
        let (stream, _) = request(&proxy, &[("user", "alice"), ("a", "1")]);
        proxy.host().reset_counts();
        stream.respond(&[(":status", "503")]);
        stream.end();
        assert_eq!((proxy.host().counts().as_str(), proxy.host().timer()), ("", None), "{parts}");
    }
}

/// Many requests are one call for each counter, and no call where there is nothing to add.
#[test]
fn counters_are_increased_in_bulk() {
    let proxy = start(SPLIT);
    // The first outcome makes the filter look for the state of an earlier guard, once.
    let (stream, _) = request(&proxy, ALICE);
    stream.end();
    proxy.advance(SECOND);
    let mut variants = Vec::new();
    for status in ["200", "200", "503", "200"] {
        let (stream, variant) = request(&proxy, ALICE);
        stream.respond(&[(":status", status)]);
        stream.end();
        variants.push(variant);
    }
    proxy.host().reset_counts();
    proxy.advance(SECOND);
    assert_eq!(
        proxy.host().counts(),
        "tick: 1 clock_time_get, 2 increment_metric, 1 set_tick_period_milliseconds\n"
    );
    assert_eq!((metric(&proxy, &variants[0], "requests"), metric(&proxy, &variants[0], "errors")), (5, 1));
}

/// Otherwise a push would lose what was counted since the last second.
#[test]
fn a_config_that_is_removed_reports_first() {
    let proxy = start(&format!("{SPLIT}, {GUARD}"));
    let (stream, variant) = request(&proxy, ALICE);
    stream.respond(&[(":status", "503")]);
    stream.end();
    proxy.configure(&format!("{{{SPLIT}, {GUARD}}}")).unwrap();
    assert_eq!(metric(&proxy, &variant, "requests"), 0);
    proxy.remove_previous_config();
    assert_eq!((metric(&proxy, &variant, "requests"), metric(&proxy, &variant, "errors")), (1, 1));
}

/// Twenty requests of users who get v2, with a status. Returns what they are told.
fn canaries(proxy: &CanaryProxy, status: &str) -> Vec<String> {
    let users: Vec<_> = (0..200).map(|user| user.to_string()).filter(|user| gets_v2(user)).take(20).collect();
    let told = |user: &String| {
        let (stream, told) = request(proxy, &[("user", user)]);
        let log = stream.filter_state("canary_decision");
        assert_eq!(log.as_deref(), (told == "v1").then_some("fallback{s}:v1"));
        stream.respond(&[(":status", status)]);
        stream.end();
        told
    };
    users.iter().map(told).collect()
}

/// Whether the split gives a user v2.
fn gets_v2(user: &str) -> bool {
    use canary::assignment::Assigner;
    let assigner = Assigner::new("s", ["v1", "v2", "v3"].into_iter());
    assigner.choose(&[1.0; 3], user.as_bytes()) == Some(1)
}

#[test]
fn a_variant_that_fails_is_off_and_returns() {
    let proxy = start(&format!("{SPLIT}, {GUARD}"));
    let [all_v2, all_v1] = ["v2", "v1"].map(|variant| vec![variant.to_owned(); 20]);
    assert_eq!(canaries(&proxy, "503"), all_v2);
    proxy.advance(SECOND - BLINK);
    assert_eq!(of_split(&proxy, "tripped"), 0);
    proxy.advance(BLINK);
    assert_eq!((of_split(&proxy, "tripped"), of_split(&proxy, "trips")), (1, 1));
    let warnings = |proxy: &CanaryProxy| {
        proxy.host().log().into_iter().filter(|line| line.starts_with("warn")).collect::<Vec<_>>()
    };
    let [warning] = warnings(&proxy).try_into().unwrap();
    assert!(
        warning.ends_with("split s: v2 is off, v1 takes its requests: errors 100.0 % of 20 requests, allowed 50 %; trip 1 of 3, off for 1m"),
        "{warning}"
    );
    // Whatever they do where they fell back to.
    assert_eq!(canaries(&proxy, "503"), all_v1);
    proxy.advance(SECOND * 30);
    assert_eq!(canaries(&proxy, "200"), all_v1);
    proxy.advance(SECOND * 30 - BLINK);
    assert_eq!((canaries(&proxy, "200"), of_split(&proxy, "tripped")), (all_v1, 1));
    proxy.advance(BLINK);
    assert_eq!(of_split(&proxy, "tripped"), 0);
    assert_eq!(canaries(&proxy, "200"), all_v2);
    assert_eq!((warnings(&proxy).len(), of_split(&proxy, "trips")), (1, 1));
}

/// The gauge shows the return although nobody sends a request.
#[test]
fn a_variant_returns_without_traffic() {
    let proxy = start(&format!("{SPLIT}, {GUARD}"));
    canaries(&proxy, "503");
    proxy.advance(SECOND);
    assert_eq!((of_split(&proxy, "tripped"), proxy.host().timer()), (1, Some(SECOND * 60)));
    proxy.advance(SECOND * 60);
    assert_eq!((of_split(&proxy, "tripped"), proxy.host().timer()), (0, None));
}

/// A push that changes neither rollout nor guard keeps the state; another starts anew.
#[test]
fn a_push_of_another_guard_clears_a_trip() {
    let proxy = start(&format!("{SPLIT}, {GUARD}"));
    canaries(&proxy, "503");
    proxy.advance(SECOND);
    let [all_v2, all_v1] = ["v2", "v1"].map(|variant| vec![variant.to_owned(); 20]);
    proxy.advance(SECOND);
    proxy.configure(&format!(r#"{{"default": "v1", {SPLIT}, {GUARD}}}"#).replace("10s", "10000ms")).unwrap();
    assert_eq!((canaries(&proxy, "200"), of_split(&proxy, "tripped")), (all_v1, 1));
    proxy.advance(SECOND);
    proxy.configure(&format!("{{{SPLIT}, {}}}", GUARD.replace("10s", "20s"))).unwrap();
    assert_eq!((canaries(&proxy, "200"), of_split(&proxy, "tripped")), (all_v2, 0));
}

/// A slow variant, by the time to the response headers.
#[test]
fn a_variant_that_is_slow_is_off() {
    let proxy = start(&format!(
        "{SPLIT}, {}",
        GUARD.replace(r#""max_error_percentage": 50"#, r#""max_p95_ratio": 2"#)
    ));
    let respond_after = |is_v2: bool, time: u64| {
        let users = (0..200).map(|user| user.to_string());
        for user in users.filter(|user| gets_v2(user) == is_v2).take(50) {
            let (stream, _) = request(&proxy, &[("user", &user)]);
            proxy.advance(Duration::from_millis(time));
            stream.respond(&[(":status", "200")]);
            stream.end();
        }
    };
    respond_after(false, 20);
    respond_after(true, 30);
    proxy.advance(SECOND);
    assert_eq!(of_split(&proxy, "tripped"), 0);
    respond_after(false, 20);
    respond_after(true, 80);
    proxy.advance(SECOND);
    assert_eq!(of_split(&proxy, "tripped"), 1);
}
