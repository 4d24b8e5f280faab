//! Laws of all configs and requests.

use super::any::{config, hop, request};
use super::gateway::sent_on;
use super::*;
use crate::context::Decision;
use crate::format::{self, Read};
use mesh_policy::effects::Edit;
use mesh_policy::headers::Headers;
use proptest::prelude::*;

fn values(headers: &Headers, name: &'static str) -> Vec<Vec<u8>> {
    headers.get(name).map(<[u8]>::to_vec).collect()
}

proptest! {
    #![proptest_config(mesh_testkit::cases(256))]

    /// What is counted has labels, so no count gets lost; and what is sent can be sent.
    #[test]
    fn every_count_has_a_name(
        config in config(),
        mode in prop::sample::select(vec!["enforce", "shadow"]),
        requests in prop::collection::vec(request(), 1..6),
        direction in prop::option::of(0u64..4),
    ) {
        let mut gateway = Gateway::new(&format!(r#"{config}, "mode": "{mode}"}}"#));
        gateway.direction = direction;
        for request in requests {
            let headers = Headers::from_pairs(request);
            let verdict = gateway.decide_on(&headers);
            gateway.counted(&verdict);
            sent_on(&headers, &verdict.request);
            prop_assert!(mode == "enforce" || verdict.request.is_empty() && verdict.response.is_empty());
        }
    }

    /// What the upstream can read names one trace, in the formats that are read or written.
    #[test]
    fn the_upstream_sees_one_trace(config in config(), request in request()) {
        let gateway = Gateway::new(&format!("{config}}}"));
        let headers = Headers::from_pairs(request);
        let verdict = gateway.decide_on(&headers);
        let Some(Edit::Set(_, id)) = verdict.response.first() else { return Ok(()) };
        let id = u128::from_str_radix(std::str::from_utf8(id.as_bytes()).unwrap(), 16).unwrap();
        let sent = sent_on(&headers, &verdict.request);
        let config = gateway.policy.config();
        let formats = config.extract.iter().chain(&config.inject).copied();
        for format in formats.filter(|format| !config.native_tracer.contains(format)) {
            if let Read::Context(found) = format::read(format, &sent) {
                let found = found.trace_id.get();
                // A format that is read completes an id without its upper half.
                let is_short = found >> 64 == 0 || (id >> 64 == 0 && !config.extract.contains(&format));
                prop_assert!(found == id || is_short && found as u64 == id as u64, "{:?} {:x} {:x}", format, found, id);
            }
        }
    }

    /// A decision that may begin a trace of its own passes beside no context, in the formats that are read.
    #[test]
    fn no_decision_begins_a_second_trace(config in config(), request in request()) {
        let gateway = Gateway::new(&format!("{config}}}"));
        let headers = Headers::from_pairs(request);
        let sent = sent_on(&headers, &gateway.decide_on(&headers).request);
        let config = gateway.policy.config();
        let formats = config.extract.iter().filter(|format| !config.native_tracer.contains(format));
        let found: Vec<_> = formats.map(|format| format::read(*format, &sent)).collect();
        for decision in found.iter().filter_map(|read| if let Read::Decision(decision) = read { Some(decision) } else { None }) {
            for other in &found {
                match other {
                    Read::Decision(other) => prop_assert_eq!(decision, other),
                    Read::Context(_) => prop_assert_eq!(*decision, Decision::NotSampled),
                    _ => {}
                }
            }
        }
    }

    /// Each change is a call to the proxy. What is carried is added to what has given way.
    #[test]
    fn a_header_is_changed_once(config in config(), requests in prop::collection::vec(request(), 1..4)) {
        let mut gateway = Gateway::new(&format!("{config}}}"));
        for (index, request) in requests.into_iter().enumerate() {
            gateway.direction = Some(1 + index as u64 % 2);
            let verdict = gateway.decide_on(&Headers::from_pairs(request));
            let name = |edit: &Edit| match edit {
                Edit::Set(name, _) | Edit::Add(name, _) | Edit::Remove(name) => name.clone(),
                Edit::Target(_) | Edit::Status(_) => panic!("{edit:?}"),
            };
            for edit in &verdict.request {
                let others = verdict.request.iter().filter(|other| name(other) == name(edit));
                let others: Vec<_> = others.skip(1).collect();
                prop_assert!(others.iter().all(|other| matches!(other, Edit::Add(..))), "{:?}", others);
            }
        }
    }

    /// W3C Trace Context: while `traceparent` passes unchanged, `tracestate` is not modified. It may be removed as a whole.
    #[test]
    fn tracestate_is_never_modified(config in config(), request in request()) {
        let gateway = Gateway::new(&format!("{config}}}"));
        let headers = Headers::from_pairs(request);
        let verdict = gateway.decide_on(&headers);
        let after = values(&sent_on(&headers, &verdict.request), "tracestate");
        prop_assert!(after.is_empty() || after == values(&headers, "tracestate"));
    }

    /// The next proxy with this config sees the same trace, and nothing invalid.
    #[test]
    fn the_next_hop_sees_the_same_trace(config in hop(), request in request()) {
        let gateway = Gateway::new(&config);
        let headers = Headers::from_pairs(request);
        let first = gateway.decide_on(&headers);
        let second = gateway.decide_on(&sent_on(&headers, &first.request));
        prop_assert_eq!(&first.response, &second.response);
        for count in gateway.counted(&second) {
            prop_assert!(!count.starts_with("invalid") && !count.starts_with("conflict"), "{}", count);
        }
    }

    /// What the second proxy has decided, such as a deferred decision, the third one does not touch.
    #[test]
    fn what_is_written_is_not_written_again(config in hop(), request in request()) {
        let gateway = Gateway::new(&config);
        let headers = Headers::from_pairs(request);
        let first = sent_on(&headers, &gateway.decide_on(&headers).request);
        let second = sent_on(&first, &gateway.decide_on(&first).request);
        prop_assert_eq!(gateway.decide_on(&second).request, [] as [Edit; 0]);
    }

    /// At the boundary nothing that came is left.
    #[test]
    fn strip_leaves_nothing(request in request()) {
        let gateway = Gateway::new(r#"{"boundary": "strip"}"#);
        let headers = Headers::from_pairs(request);
        let sent = sent_on(&headers, &gateway.decide_on(&headers).request);
        for (name, _) in sent.iter() {
            prop_assert!(matches!(name, b"h" | b"x-request-id"), "{:?}", name);
        }
    }
}
