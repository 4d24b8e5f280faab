//! Traces on routes.

use super::{request, routed};
use crate::blocks::{header, suite};
use mesh_host::testing::Proxy;
use serde_json::{Value, json};
use suite::filter::SuiteFilter;

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

/// By default the formats that a config writes are carried, and on another route they would not be found.
#[test]
fn what_is_carried_is_the_same_on_all_routes() {
    const PROBLEM: &str =
        "filters[0].routes[0].config.inject: found other formats than in the block's own config";
    let problems = |correlate: &Value, route: &Value| {
        let own = json!({"trace_context": {"inject": ["w3c", "b3"], "correlate": correlate}});
        let config = json!({"filters": [routed(own, &[("/a", route.clone())])]});
        let configured = Proxy::<SuiteFilter>::new().configure(&config.to_string());
        configured.err().unwrap_or_default().join("\n")
    };
    let by_default = json!({"by": "x-request-id"});
    for route in [json!({}), json!({"inject": ["b3"]}), json!({"inject": ["b3"], "mode": "shadow"})] {
        assert!(problems(&by_default, &route).contains(PROBLEM), "{route}");
    }
    for (correlate, route) in [
        (&by_default, json!({"inject": ["b3", "w3c"]})),
        (&by_default, json!({"mode": "off"})),
        (&by_default, json!({"boundary": "strip"})),
        (&json!({"by": "x-request-id", "carry": ["b3"]}), json!({})),
        (&json!(null), json!({})),
    ] {
        assert_eq!(problems(correlate, &route), "", "{correlate} {route}");
    }
}
