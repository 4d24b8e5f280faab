//! Laws of all configs and requests.

use super::any::{config, hop, request};
use super::gateway::sent_on;
use super::*;
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
