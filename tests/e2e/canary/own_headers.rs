//! A client's own header in the place of the filter's does not reach the upstream: in every mode, on every path, in every
//! spelling, and in trailers.

use super::{HEADER, metric, received, setup, split, with};
use bytes::Bytes;
use e2e::{Gateway, Setup, chunked, get, header_map};
use mesh_filters::http::{Parts, Protocol, Request, send};
use serde_json::{Value, json};

const SPOOFED: [(&str, &str); 9] = [
    ("x-mesh-variant", "v2"),
    ("x-mesh-variant", "v2"),
    ("X-Mesh-Variant", "v2"),
    ("x_mesh_variant", "v2"),
    ("x-mesh_variant", "v2"),
    ("x.mesh.variant", "v2"),
    ("x-force-variant", "v2"),
    ("x_force_variant", "v2"),
    ("x-other", "kept"),
];

const PREFLIGHT: [(&str, &str); 2] =
    [("origin", "https://a.example"), ("access-control-request-method", "PUT")];

/// One path for each kind of decision, and one for none; all of them decide on v1.
fn config(extra: Value) -> Value {
    let config = json!({
        "trusted_override": {"header": "x-force-variant", "match": {"client_ip": ["10.0.0.0/8"]}},
        "rules": [
            {"name": "r", "match": {"path": {"exact": "/rule"}}, "variant": "v1"},
            {"name": "shadow", "match": {"path": {"exact": "/shadow"}}, "variant": "v2", "mode": "shadow"},
        ],
        "split": split("s", [100, 0], json!({"match": {"path": {"exact": "/split"}}})),
    });
    with(config, extra)
}

/// What the upstream has received: nothing of the client's, and the filter's own variant once.
#[track_caller]
fn check(what: &str, text: &str, expected: Option<&str>) {
    let own = expected.map(|variant| (HEADER.to_owned(), variant.to_owned()));
    assert_eq!(received(text, HEADER), own.into_iter().collect::<Vec<_>>(), "{what}: {text}");
    assert_eq!(received(text, "x-force-variant"), [], "{what}: {text}");
    assert!(!received(text, "x-other").is_empty(), "{what}: {text}");
}

/// Sends requests with spoofed headers and trailers in both protocols. Returns their number.
async fn spoof(gateway: &Gateway, path: &str, expected: Option<&str>) -> u64 {
    let whole = |method: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in SPOOFED.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        request
    };
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let requests = [
        ("get", whole("GET", &[])),
        ("post", whole("POST", &[])),
        ("preflight", whole("OPTIONS", &PREFLIGHT)),
        ("grpc", whole("POST", &grpc)),
    ];
    let mut sent = 0;
    for (what, request) in requests {
        let request = request.body(Bytes::new()).unwrap();
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let answer = send(gateway.address, protocol, request.clone()).await.unwrap();
            check(&format!("{what} {path} {protocol:?}"), &answer.text(), expected);
            sent += 1;
        }
    }
    for headers in [&SPOOFED[..], &[("x-other", "kept")]] {
        let body = Parts::from(Bytes::from("body")).trailers(header_map(&SPOOFED));
        let request =
            headers.iter().fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
        let answer = send(gateway.address, Protocol::Http2, request.body(body).unwrap()).await.unwrap();
        check(&format!("trailers {path}"), &answer.text(), expected);
        sent += u64::from(headers.len() > 1);
    }
    // The client's trailers are not announced.
    let raw = String::from_utf8(chunked(&SPOOFED, &[Bytes::from("body")], &SPOOFED)).unwrap();
    let raw = raw.replacen("POST /", &format!("POST {path}"), 1);
    check(&format!("chunked {path}"), &gateway.send_raw(raw.as_bytes()).await, expected);
    sent + 1
}

#[tokio::test]
async fn a_client_cannot_set_the_header() {
    for (mode, default) in [("enforce", Some("v1")), ("enforce", None), ("shadow", Some("v1")), ("off", None)]
    {
        let extra = default.map_or(json!({}), |default| json!({"default": default}));
        let config = config(with(extra, json!({"mode": mode})));
        let gateway = setup(config).trailers().start().await;
        let mut sent = 0;
        for (path, variant) in
            [("/rule", Some("v1")), ("/split", Some("v1")), ("/shadow", default), ("/", default)]
        {
            let written = variant.filter(|_| mode == "enforce");
            sent += spoof(&gateway, path, written).await;
        }
        assert_eq!(metric(&gateway, "header_removed").await, sent, "{mode}");
        let ignored = if mode == "off" { 0 } else { sent };
        assert_eq!(metric(&gateway, "override_ignored").await, ignored, "{mode}");
        gateway.assert_no_trap().await;
    }
}

/// A proxy in which headers cannot be removed does not let them pass.
#[tokio::test]
async fn a_header_that_cannot_be_removed_stops_the_request() {
    let plugin = super::plugin(json!({})).without(&["proxy_remove_header_map_value"]);
    for mode in ["enforce", "shadow", "off"] {
        let config = config(json!({"mode": mode, "default": "v1", "on_error": "allow"}));
        let gateway = Setup::default().plugins(&[plugin.clone().configured(config)]).start().await;
        assert_eq!(gateway.send(get("/", &[])).await.status, 200, "{mode}");
        for spoofed in ["x-mesh-variant", "x_mesh_variant", "x-force-variant"] {
            let answer = gateway.send(get("/", &[(spoofed, "v2")])).await;
            let text = answer.text();
            assert_eq!(answer.status, 503, "{mode}: {text}");
            assert!(text.contains("the variant cannot be chosen"), "{mode}: {text}");
        }
        assert_eq!((gateway.upstream.begun(), metric(&gateway, "failed").await), (1, 3), "{mode}");
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn the_response_header_replaces_the_upstream_s() {
    let output = json!({"header": HEADER, "response_header": "x-served-variant"});
    let lies = [("x-answer", "x-served-variant=v9"), ("x-answer", "x-served-variant=v8")];
    let replaced = [("/rule", &["v1"][..]), ("/split", &["v1"]), ("/", &[])];
    let kept = [("/split", &["v9", "v8"][..])];
    for (mode, expected) in [("enforce", &replaced[..]), ("shadow", &kept), ("off", &kept)] {
        let gateway = setup(config(json!({"output": output, "mode": mode}))).start().await;
        for (path, expected) in expected {
            let answer = gateway.send(get(path, &lies)).await;
            let found: Vec<_> = answer.headers.get_all("x-served-variant").iter().collect();
            assert_eq!(found, *expected, "{mode} {path}");
        }
    }
}
