//! Traces on routes.

use super::{request, routed};
use crate::blocks::{header, suite};
use serde_json::json;

#[test]
fn a_route_has_formats_of_its_own() {
    let own = json!({"trace_context": {"generate": {"when_missing": true}}});
    let routes = [
        ("/b3", json!({"generate": {"when_missing": true}, "inject": ["b3"]})),
        ("/off", json!({"mode": "off"})),
    ];
    let proxy = suite(&[routed(own, &routes)]);
    for (target, expected) in [("/", [true, false]), ("/b3", [false, true]), ("/off", [false, false])] {
        let stream = proxy.request(&request(target, &[]));
        let written = ["traceparent", "b3"].map(|name| header(&stream, name).is_some());
        assert_eq!(written, expected, "{target}");
        stream.end();
    }
}

/// A call that goes out on one route finds what came in on another.
#[test]
fn all_routes_correlate_with_each_other() {
    let own = json!({"trace_context": {
        "generate": {"when_missing": false}, "correlate": {"by": "x-request-id", "carry": ["x-tenant"]},
    }});
    let proxy = suite(&[routed(own, &[("/a", json!({})), ("/b", json!({}))])]);
    let mut id = 0;
    for inbound in ["/", "/a", "/b"] {
        for outbound in ["/", "/a", "/b"] {
            id += 1;
            let request_id = format!("00000000-0000-4000-8000-{id:012}");
            let by_id = ("x-request-id", request_id.as_str());
            proxy.host().set_property(&["xds", "listener_direction"], "\u{1}\0\0\0\0\0\0\0");
            let outer = proxy.request(&request(inbound, &[by_id, ("x-tenant", "t")]));
            proxy.host().set_property(&["xds", "listener_direction"], "\u{2}\0\0\0\0\0\0\0");
            let inner = proxy.request(&request(outbound, &[by_id]));
            assert_eq!(header(&inner, "x-tenant").as_deref(), Some("t"), "{inbound} {outbound}");
            inner.end();
            outer.end();
        }
    }
}
