//! A proxy that fails.

use super::{FORMATS, logged, metric, plugin, traces};
use e2e::{Setup, get};
use serde_json::json;

/// A proxy that does not hand over headers, or change them: requests pass. What was changed before the failure stays so.
#[tokio::test]
async fn a_failing_proxy_lets_requests_pass() {
    let config =
        |boundary: &str| json!({"boundary": boundary, "extract": FORMATS, "inject": ["w3c", "b3-multi"]});
    let sent = [("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"), ("tracestate", "a=1")];
    let untouched = ["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", "tracestate: a=1"];
    for (taken, boundary, expected) in [
        ("proxy_get_header_map_pairs", "continue", &untouched[..]),
        ("proxy_get_header_map_pairs", "restart", &untouched),
        ("proxy_get_header_map_pairs", "strip", &untouched),
        ("proxy_replace_header_map_value", "continue", &untouched[..1]),
        ("proxy_replace_header_map_value", "restart", &[]),
        ("proxy_remove_header_map_value", "continue", &untouched),
        ("proxy_remove_header_map_value", "restart", &untouched),
        ("proxy_remove_header_map_value", "strip", &untouched),
    ] {
        let what = format!("{taken} {boundary}");
        let failing = plugin(json!({})).without(&[taken]).configured(config(boundary));
        let gateway = Setup::default().plugins(&[failing]).workers(1).start().await;
        let answer = gateway.send(get("/a", &sent)).await;
        assert_eq!((answer.status.as_u16(), traces(&answer.text())), (200, expected.to_vec()), "{what}");
        assert_eq!(metric(&gateway, "failed").await, 1, "{what}");
        assert_eq!(logged(&gateway, "/a").await.decision, "error", "{what}");
        gateway.assert_no_trap().await;
    }
}
