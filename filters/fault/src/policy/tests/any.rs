//! Any config, any request and any response.

use super::super::Answer;
use mesh_policy::time::Nanos;
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

pub(super) fn config() -> impl Strategy<Value = String> {
    (top(), prop::collection::vec(rule(), 0..4)).prop_map(|(top, rules)| {
        super::with_rules(&top, &rules.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

pub(super) fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
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
pub(super) struct Arrived {
    details: Vec<u8>,
    status: Vec<u8>,
    content_length: Option<Vec<u8>>,
    is_marked: bool,
    ends: bool,
    began: u64,
    now: u64,
}

impl Arrived {
    pub(super) fn answer(&self) -> Answer<'_> {
        Answer {
            details: &self.details,
            status: &self.status,
            content_length: self.content_length.as_deref(),
            is_marked: self.is_marked,
            ends: self.ends,
            began: Nanos(self.began),
            now: Nanos(self.now),
        }
    }
}

pub(super) fn arrived() -> impl Strategy<Value = Arrived> {
    let details = prop_oneof![
        2 => Just(b"via_upstream".to_vec()),
        1 => Just(b"direct_response".to_vec()),
        1 => any::<Vec<u8>>(),
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
pub(super) fn lacking() -> impl Strategy<Value = [bool; 3]> {
    prop_oneof![3 => Just([false; 3]), 1 => any::<[bool; 3]>()]
}
