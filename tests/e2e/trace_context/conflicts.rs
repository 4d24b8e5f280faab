//! Requests with several contexts.

use super::{FORMATS, TRACEPARENT, metric, setup, traces};
use e2e::get;
use mesh_filters::http::{Protocol, send};
use serde_json::json;

#[tokio::test]
async fn conflicts_are_removed_and_counted() {
    let gateway = setup(json!({"extract": FORMATS, "inject": ["w3c", "b3-multi"]})).start().await;
    let send_both = async |headers: &[(&str, &str)], expected: &[&str]| {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let answer = send(gateway.address, protocol, get("/", headers)).await.unwrap();
            assert_eq!(traces(&answer.text()), expected, "{headers:?}");
        }
    };
    let other = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
    let multi = [
        "x-b3-sampled: 1",
        "x-b3-spanid: 00f067aa0ba902b7",
        "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
    ];
    let line = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    send_both(&[("b3", other), TRACEPARENT], &[&[line], &multi[..]].concat()).await;
    // The same trace: another span of it, its lower half, another decision.
    for same in ["4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-1", "a3ce929d0e0e4736-b7ad6b7169203331-0"]
    {
        let kept = format!("b3: {same}");
        send_both(&[("b3", same), TRACEPARENT], &[&[&*kept, line], &multi[..]].concat()).await;
    }
    // A format that is written says the trace that is used.
    let stale = [
        ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
        ("x-b3-spanid", "b7ad6b7169203331"),
        ("x-b3-flags", "1"),
    ];
    send_both(&[&stale[..], &[TRACEPARENT]].concat(), &[&[line], &multi[..]].concat()).await;
    assert_eq!(metric(&gateway, "format=.=b3;.;conflict").await, 2);
    assert_eq!(metric(&gateway, "format=.=b3-multi;.;conflict").await, 2);
    gateway.assert_no_trap().await;
}
