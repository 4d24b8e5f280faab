//! Properties of any config and any request.

use super::super::{Answer, Cause, Metric, Untouched};
use super::Gateway;
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;
use mesh_policy::metric::Metric as _;
use mesh_policy::policy::Policy as _;
use mesh_policy::time::Nanos;
use mesh_testkit::cases;
use proptest::prelude::*;

/// Matches that hold, do not hold or are undecided.
fn matches() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{}",
        r#"{"headers": [{"name": "h0", "present": true}]}"#,
        r#"{"headers": [{"name": "h1", "exact": "1"}]}"#,
        r#"{"headers": [{"name": "h2", "present": false}]}"#,
        r#"{"path": {"prefix": "/a/"}}"#,
        r#"{"not": {"path": {"prefix": "/a/"}}}"#,
        r#"{"methods": ["GET"], "headers": [{"name": "h0", "suffix": "1"}]}"#,
    ])
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("enforce"), 2 => Just("shadow"), 1 => Just("off")]
}

fn percentage() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["0", "0.0001", "50", "99.9999", "100"])
}

fn wait() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#""fixed": "1s""#,
        r#""distribution": {"uniform": {"min": "0s", "max": "5m"}}, "max": "1ms""#,
        r#""distribution": {"lognormal": {"median": "1ms", "p99": "5m"}}"#,
        r#""distribution": {"quantiles": {"p0": "0s", "p50": "1s", "p100": "1s"}}"#,
    ])
}

/// The fields of a rule, without its name.
fn rule() -> impl Strategy<Value = String> {
    let delay = (percentage(), wait())
        .prop_map(|(percentage, wait)| format!(r#""delay": {{"percentage": {percentage}, {wait}}}"#));
    let abort =
        (percentage(), prop::sample::select(vec!["503", "204", "200"])).prop_map(|(percentage, status)| {
            format!(r#""abort": {{"percentage": {percentage}, "status": {status}}}"#)
        });
    let change = prop::sample::select(vec![
        r#""status": 204"#,
        r#""status": 502, "remove_headers": ["etag"]"#,
        r#""delay": {"fixed": "1s", "counted_from": "request"}"#,
        r#""delay": {"distribution": {"exponential": {"mean": "1s"}}}, "truncate_body": 0"#,
        r#""truncate_body": 100"#,
    ]);
    let response = (percentage(), change)
        .prop_map(|(percentage, change)| format!(r#""response": {{"percentage": {percentage}, {change}}}"#));
    let throttle = percentage().prop_map(|percentage| {
        format!(r#""throttle": {{"percentage": {percentage}, "bytes_per_second": 1}}"#)
    });
    let in_flight = prop::option::weighted(0.2, Just(r#""in_flight": {"at_least": 2}"#.to_owned()));
    let attempts = prop::option::weighted(0.1, Just(r#""attempts": [1]"#.to_owned()));
    let faults = prop::sample::subsequence(vec![0, 1, 2, 3], 1..=4);
    (matches(), mode(), faults, (delay, abort, response, throttle), in_flight, attempts).prop_map(
        |(matches, mode, faults, (delay, abort, response, throttle), in_flight, attempts)| {
            let all = [delay, abort, response, throttle];
            let mut fields = vec![format!(r#""match": {matches}, "mode": "{mode}""#)];
            fields.extend(faults.into_iter().map(|fault: usize| all[fault].clone()));
            fields.extend(in_flight);
            fields.extend(attempts);
            fields.join(", ")
        },
    )
}

/// What a config has besides its rules.
fn top() -> impl Strategy<Value = String> {
    let parts = vec![
        r#""expires_at": "2026-11-21T00:00:01Z""#,
        r#""budget": {"percentage": 50, "window": "1s"}"#,
        r#""exclude": {"headers": [{"name": "h3", "present": true}]}"#,
        r#""cohort": {"by": [{"header": "h1"}]}"#,
        r#""trigger": {"secret": "12345678"}"#,
        r#""marker": {"request_header": "", "response_header": "r"}"#,
        r#""stack": true"#,
        r#""client_ip": {"trusted_hops": 2}"#,
        r#""decision_log": "all""#,
    ];
    let parts = prop::sample::subsequence(parts, 0..=4);
    (mode(), parts).prop_map(|(mode, parts)| {
        let parts: String = parts.iter().map(|part| format!(", {part}")).collect();
        format!(r#", "mode": "{mode}"{parts}"#)
    })
}

fn config() -> impl Strategy<Value = String> {
    (top(), prop::collection::vec(rule(), 0..4)).prop_map(|(top, rules)| {
        super::with_rules(&top, &rules.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let own = prop::sample::select(vec!["delay=1s", "abort=503", "delay=9s,abort=204", "abort=99"]);
    let header = prop_oneof![
        4 => (0u8..4, prop::sample::select(vec!["", "1", "2"])).prop_map(|(index, value)| (format!("h{index}"), value.into())),
        1 => any::<Vec<u8>>().prop_map(|value| ("h1".to_owned(), value)),
        1 => any::<Vec<u8>>().prop_map(|value| ("x-fault".to_owned(), value)),
        2 => own.prop_map(|value| ("x-fault".to_owned(), value.into())),
        2 => Just(("x-fault-key".to_owned(), b"12345678".to_vec())),
        1 => Just(("x_fault".to_owned(), b"abort=503".to_vec())),
        1 => Just(("x-mesh-fault".to_owned(), b"other".to_vec())),
        1 => any::<Vec<u8>>().prop_map(|value| ("x-forwarded-for".to_owned(), value)),
    ];
    let path = prop::sample::select(vec!["/", "/a/b", "/b/../a/"]);
    let method = prop::sample::select(vec!["GET", "CONNECT", "put"]);
    (path, method, prop::collection::vec(header, 0..6)).prop_map(|(path, method, mut headers)| {
        headers.push((":path".to_owned(), path.into()));
        headers.push((":method".to_owned(), method.into()));
        headers
    })
}

/// A response, with times of its own.
#[derive(Clone, Debug)]
struct Arrived {
    details: Option<Vec<u8>>,
    status: Vec<u8>,
    content_length: Option<Vec<u8>>,
    is_marked: bool,
    ends: bool,
    began: u64,
    now: u64,
}

impl Arrived {
    fn answer(&self) -> Answer<'_> {
        Answer {
            details: self.details.as_deref(),
            is_upstream: false,
            status: &self.status,
            content_length: self.content_length.as_deref(),
            is_marked: self.is_marked,
            ends: self.ends,
            began: Nanos(self.began),
            now: Nanos(self.now),
        }
    }
}

fn arrived() -> impl Strategy<Value = Arrived> {
    let details = prop_oneof![
        2 => Just(Some(b"via_upstream".to_vec())),
        1 => Just(Some(b"direct_response".to_vec())),
        1 => any::<Option<Vec<u8>>>(),
    ];
    let status = prop_oneof![4 => Just(b"200".to_vec()), 1 => Just(b"101".to_vec()), 1 => any::<Vec<u8>>()];
    let length = prop_oneof![
        Just(Some(b"100".to_vec())),
        any::<u64>().prop_map(|length| Some(length.to_string().into_bytes())),
        any::<Option<Vec<u8>>>(),
    ];
    let is_marked = prop::bool::weighted(0.2);
    (details, status, length, is_marked, any::<bool>(), any::<[u64; 2]>()).prop_map(
        |(details, status, content_length, is_marked, ends, [began, now])| Arrived {
            details,
            status,
            content_length,
            is_marked,
            ends,
            began,
            now,
        },
    )
}

/// What a proxy lacks: random numbers, clock, wall clock.
fn lacking() -> impl Strategy<Value = [bool; 3]> {
    prop_oneof![3 => Just([false; 3]), 1 => any::<[bool; 3]>()]
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Everything that can be counted has a metric with the names of its rule and kind, and is counted only for a request that
    /// it happens to.
    #[test]
    fn every_count_has_its_metric(
        config in config(),
        requests in prop::collection::vec((request(), prop::option::of(0u64..4), any::<bool>()), 1..6),
        seed: u64,
        lacking in lacking(),
    ) {
        let gateway = Gateway::random(&config, seed);
        {
            let host = &mut *gateway.host.borrow_mut();
            (host.has_random, host.has_clock, host.has_wall_clock) = (!lacking[0], !lacking[1], !lacking[2]);
        }
        for (headers, in_flight, is_upstream) in requests {
            let headers = Headers::from_pairs(headers);
            let attributes: &[(&[&str], &[u8])] = &[
                (&["upstream", "address"], b"10.0.0.1:80"),
                (&["upstream", "request_attempt_count"], &[1, 0, 0, 0, 0, 0, 0, 0]),
            ];
            let decision = gateway.decide_on(&headers, in_flight, if is_upstream { attributes } else { &[] });
            if gateway.policy.settings().mode == mesh_policy::mode::Mode::Off {
                // The host layer asks for no decision.
                continue;
            }
            let noted = gateway.counted(&gateway.policy.noted(&decision));
            for shadow in &decision.shadow {
                let Cause::Rule(index) = shadow.cause else { panic!("only rules can be in shadow") };
                let name = &gateway.policy.config().rules[index].name;
                for kind in shadow.kinds().iter() {
                    let expected = format!("shadow {name} {}", kind.name());
                    prop_assert!(noted.contains(&expected), "{} in {:?}", expected, noted);
                }
            }
            prop_assert!(noted.iter().all(|count| !count.starts_with("faults")), "{:?}", noted);
            let is_failed = noted.contains(&"failed".to_owned());
            prop_assert_eq!(is_failed, decision.outcome == Err(Untouched::Failed));
            prop_assert!(!is_failed || lacking != [false; 3]);
            let Some(fault) = gateway.policy.enforced(&decision) else { continue };
            prop_assert!(!fault.kinds().is_empty());
            let proceeding = gateway.policy.proceed(&fault, is_upstream);
            prop_assert_eq!(proceeding.refusal.is_some(), fault.is_aborted);
            let aborts = gateway.counted(&proceeding);
            prop_assert_eq!(aborts.len(), usize::from(fault.is_aborted));
            // All kinds of a fault can be counted; a place is only asked for what waits.
            gateway.policy.counted(Metric::Faults, fault.cause, fault.kinds()).for_each(|count| _ = gateway.name(count));
            if fault.delay.is_some() {
                let delayed = gateway.counted(&gateway.policy.delayed(&decision, &fault));
                prop_assert_eq!(delayed.len(), noted.len() + 1);
                gateway.counted(&gateway.policy.overflow(fault.cause));
            }
        }
    }

    /// A response is faulted or left alone as a whole, and what is counted has its metric.
    #[test]
    fn a_response_is_changed_or_left_alone(
        config in config(),
        headers in request(),
        seed: u64,
        arrived in arrived(),
    ) {
        let gateway = Gateway::random(&config, seed);
        let decision = gateway.decide_on(&Headers::from_pairs(headers), Some(2), &[]);
        let Some(fault) = gateway.policy.enforced(&decision) else { return Ok(()) };
        let answer = arrived.answer();
        let course = gateway.policy.course(&fault, &answer);
        gateway.policy.counted(Metric::Faults, fault.cause, course.kinds).for_each(|count| _ = gateway.name(count));
        prop_assert!(course.kinds.iter().all(|kind| fault.kinds().contains(kind)));
        if course.kinds.is_empty() {
            prop_assert!(course.edits.is_empty() && !course.holds() && course.max_bytes.is_none());
        } else {
            let is_upstream_s = matches!(answer.details, None | Some(b"via_upstream" | b"direct_response"));
            prop_assert!(is_upstream_s && answer.status != b"101" && (!answer.is_marked || gateway.policy.config().stack));
            let marker = gateway.policy.config().marker.response_header.as_ref();
            let marks = course.edits.iter().filter(|edit| matches!(edit, Edit::Add(name, _) if Some(name) == marker));
            prop_assert_eq!(marks.count(), usize::from(marker.is_some() && fault.delay.is_none()));
        }
        prop_assert!(course.until.is_none_or(|until| until > answer.now));
        if course.holds() {
            gateway.counted(&gateway.policy.overflow(fault.cause));
        }
    }

    /// A request that has none of the headers that the rules ask for passes untouched, and leaves nothing behind.
    #[test]
    fn a_request_that_is_not_looked_at_would_have_passed(config in config(), headers in request(), seed: u64) {
        let gateway = Gateway::random(&config, seed);
        let Some(probes) = gateway.policy.probes() else { return Ok(()) };
        let headers = Headers::from_pairs(headers);
        if probes.iter().any(|probe| headers.first(probe.as_str()).is_some()) {
            return Ok(());
        }
        let decision = gateway.decide_on(&headers, Some(2), &[]);
        prop_assert!(matches!(decision.outcome, Err(Untouched::NoRule | Untouched::Excluded)), "{:?}", decision);
        let noted = gateway.policy.noted(&decision);
        prop_assert!(noted.decision.is_some_and(|decision| !decision.is_notable));
        prop_assert!(noted.counts.iter().all(|count| count.metric == Metric::ClientIpFallback), "{:?}", noted.counts);
        prop_assert_eq!(gateway.host.borrow().asked, [0; 3]);
    }

    /// Each label value has a place of its own, and every metric that is counted by label has one for each rule.
    #[test]
    fn labels_are_unique(config in config()) {
        let gateway = Gateway::new(&config);
        for metric in Metric::ALL {
            let values = gateway.policy.label_values(*metric);
            let defined: Vec<_> = values.iter().flatten().collect();
            let unique: std::collections::BTreeSet<_> = defined.iter().collect();
            prop_assert_eq!(unique.len(), defined.len());
            let labels = metric.definition().labels.len();
            prop_assert!(defined.iter().all(|value| value.len() == labels));
        }
    }

    /// Who is in stays in as the percentage grows, for every kind.
    #[test]
    fn a_cohort_is_monotone(user: String, salt in "[a-z]{0,4}", one in 0u32..=1_000_000, other in 0u32..=1_000_000) {
        let kinds = |parts: u32| {
            let percentage = format!("{}.{:04}", parts / 10_000, parts % 10_000);
            let gateway = Gateway::new(&format!(
                r#"{{"cohort": {{"by": [{{"header": "user"}}], "salt": "{salt}"}}, "rules": [{{"name": "r",
                    "delay": {{"percentage": {percentage}, "distribution": {{"exponential": {{"mean": "1s"}}}}}},
                    "response": {{"percentage": {percentage}, "status": 502}},
                    "throttle": {{"percentage": {percentage}, "bytes_per_second": 1}}}}]}}"#
            ));
            let decision = gateway.decide_on(&Headers::from_pairs([("user", &user)]), None, &[]);
            decision.outcome.ok()
        };
        let (less, more) = (kinds(one.min(other)), kinds(one.max(other)));
        if let Some(less) = less {
            let more = more.unwrap();
            prop_assert!(less.kinds().iter().all(|kind| more.kinds().contains(kind)));
            prop_assert!(less.delay.is_none() || less.delay == more.delay);
        }
    }
}
