//! A message that waits holds its body and its trailers, in both modes of the proxy.

use bytes::Bytes;
use e2e::{Gateway, Plugin, Setup, chunked, eventually, header_map};
use mesh_filters::http::{HeaderValue, Parts, Protocol, Request, Response, send};
use mesh_filters::module::PROBE;
use serde_json::json;

/// Setups with `allow_on_headers_stop_iteration` off and on.
fn setups() -> [Setup; 2] {
    let plugin = Plugin::new(PROBE, json!({}));
    [plugin.clone(), plugin.stop_iteration()].map(|plugin| Setup::default().plugins(&[plugin]).trailers())
}

/// No body, and `body` in one part and in several.
fn bodies() -> [Vec<Bytes>; 3] {
    [vec![], vec![Bytes::from("body")], ["b", "od", "y"].map(Bytes::from).to_vec()]
}

fn request(act: &str, headers: &[(&str, &str)], body: Parts) -> Request<Parts> {
    let builder = headers.iter().fold(Request::post("/").header("x-probe", act), |builder, (name, value)| {
        builder.header(*name, *value)
    });
    builder.body(body).unwrap()
}

async fn http2(gateway: &Gateway, request: Request<Parts>) -> Response {
    send(gateway.address, Protocol::Http2, request).await.unwrap()
}

/// The bytes of the same request over HTTP/1.
fn http1(act: &str, body: &[Bytes], trailers: &[(&str, &str)]) -> Vec<u8> {
    chunked(&[("x-probe", act)], body, trailers)
}

/// Body and trailers, as the upstream reports them.
fn behind_headers(text: &str) -> &str {
    text.split_once("\n\n").unwrap().1
}

#[tokio::test]
async fn a_paused_request_holds_its_body_and_its_trailers() {
    for setup in setups() {
        let gateway = setup.start().await;
        // Not even the headers of these may reach the upstream.
        for act in ["pause-then-reply", "reply"] {
            for parts in bodies() {
                let raw = http1(act, &parts, &[("x-end", "1")]);
                let body = Parts::new(parts).trailers(header_map(&[("x-end", "1")]));
                let answer = http2(&gateway, request(act, &[], body)).await;
                assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()), "{act}");
                let answer = gateway.send_raw(&raw).await;
                assert!(answer.starts_with("HTTP/1.1 418"), "{act}: {answer}");
            }
        }
        assert_eq!(gateway.upstream.begun(), 0);
        for (act, wake) in [("pause", "deadline"), ("pause-twice", "deadline"), ("notify", "notified")] {
            for parts in bodies() {
                let expected =
                    format!("{}\n\nx-end: 1\nx-end: 2\n", if parts.is_empty() { "" } else { "body" });
                let raw = http1(act, &parts, &[("x-end", "1"), ("x-end", "2")]);
                let body = Parts::new(parts).trailers(header_map(&[("x-end", "1"), ("x-end", "2")]));
                let answer = http2(&gateway, request(act, &[], body)).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.header("x-probe-wake").as_deref()),
                    (200, Some(wake))
                );
                assert!(answer.text().contains("x-mark: came-through"));
                assert_eq!(behind_headers(&answer.text()), expected, "{act}");
                let answer = gateway.send_raw(&raw).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{act}: {answer}");
                assert!(answer.contains(&format!("x-probe-wake: {wake}")), "{act}: {answer}");
                assert!(answer.contains("\nx-end: 1\nx-end: 2\n"), "{act}: {answer}");
            }
        }
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn a_paused_response_holds_its_body_and_its_trailers() {
    for setup in setups() {
        let gateway = setup.start().await;
        let trailers = [("te", "trailers"), ("x-trailer", "x-end=1"), ("x-trailer", "x-end=2")];
        let whole = Parts::from(Bytes::from("body"));
        for headers in [&[][..], &trailers[..]] {
            let answer = http2(&gateway, request("pause-response", headers, whole.clone())).await;
            // The header is added at the end of the wait: a response that was released early lacks it.
            assert_eq!(answer.header("x-probe-wake").as_deref(), Some("deadline"));
            assert!(answer.text().ends_with("\n\nbody"), "{}", answer.text());
            let ends: Vec<_> = answer.trailers.get_all("x-end").iter().collect();
            assert_eq!(ends, ["1", "2"][..headers.len().min(2)].to_vec());
            for act in ["pause-response-then-reply", "reply-to-response"] {
                let answer = http2(&gateway, request(act, headers, whole.clone())).await;
                assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()), "{act}");
                assert!(answer.trailers.is_empty());
            }
        }
        // The response of a local reply can wait, too.
        let answer = http2(&gateway, request("reply, pause-response", &[], whole.clone())).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()));
        assert_eq!(answer.header("x-probe-wake").as_deref(), Some("deadline"));
        let raw =
            chunked(&[("x-probe", "pause-response"), ("te", "trailers"), ("x-trailer", "x-end=1")], &[], &[]);
        let answer = gateway.send_raw(&raw).await;
        assert!(answer.contains("x-probe-wake: deadline"), "{answer}");
        assert!(answer.contains("\r\n0\r\nx-end: 1\r\n"), "{answer}");
        gateway.assert_no_trap().await;
    }
}

/// The proxy slows the sender down instead of refusing the request.
#[tokio::test]
async fn a_body_larger_than_the_buffer_waits() {
    const SIZE: usize = 4 << 20;
    for setup in setups() {
        let gateway = setup.buffer_limit(16 << 10).start().await;
        let large: Vec<_> = (0..SIZE >> 14).map(|_| Bytes::from(vec![b'x'; 1 << 14])).collect();
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let body = Parts::new(large.clone()).trailers(header_map(&[("x-end", "1")]));
            let request = request("pause", &[("trailer", "x-end")], body);
            let answer = send(gateway.address, protocol, request).await.unwrap();
            assert_eq!(answer.status, 200, "{protocol:?}");
            let text = answer.text();
            assert_eq!(behind_headers(&text).len(), SIZE + "\n\nx-end: 1\n".len(), "{protocol:?}");
            let size = SIZE.to_string();
            let request = self::request("pause-response", &[("x-size", &size)], Parts::default());
            let answer = send(gateway.address, protocol, request).await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, SIZE), "{protocol:?}");
            assert_eq!(answer.header("x-probe-wake").as_deref(), Some("deadline"), "{protocol:?}");
        }
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn a_client_may_leave_while_its_trailers_wait() {
    for setup in setups() {
        let gateway = setup.workers(1).start().await;
        for act in ["pause", "wait", "pause-then-reply", "pause-response"] {
            for parts in bodies() {
                let body = Parts::new(parts).trailers(header_map(&[("x-end", "1")]));
                let sending = send(gateway.address, Protocol::Http2, request(act, &[], body));
                let gone = tokio::time::timeout(std::time::Duration::from_millis(20), sending).await;
                drop(gone);
            }
        }
        eventually("all clients gone", || async {
            gateway.stat("http.gateway.downstream_cx_active").await == 0
        })
        .await;
        let body = Parts::new([Bytes::from("body")]).trailers(header_map(&[("x-end", "1")]));
        assert_eq!(http2(&gateway, request("pause", &[], body)).await.status, 200);
        gateway.assert_no_trap().await;
    }
}

/// Without trailers the last part ends the body. With trailers no part does, and the filter must still see the
/// end.
#[tokio::test]
async fn a_body_is_seen_to_its_end_before_trailers_go_on() {
    for setup in setups() {
        let gateway = setup.start().await;
        for act in ["request-body", "pause, request-body"] {
            for parts in [vec!["hello"], vec!["h", "e", "llo"]] {
                let parts: Vec<_> = parts.into_iter().map(Bytes::from).collect();
                for (trailers, expected) in [(&[][..], "HELLO"), (&[("x-end", "1")], "HELLO\n\nx-end: 1\n")] {
                    let body = Parts::new(parts.clone()).trailers(header_map(trailers));
                    let answer = http2(&gateway, request(act, &[], body)).await;
                    assert_eq!(behind_headers(&answer.text()), expected, "{act}");
                }
                let answer = gateway.send_raw(&http1(act, &parts, &[("x-end", "1")])).await;
                assert!(answer.contains("\n\nHELLO\n\nx-end: 1\n"), "{answer}");
            }
            // Without a body.
            let body = Parts::default().trailers(header_map(&[("x-end", "1")]));
            let answer = http2(&gateway, request(act, &[], body)).await;
            assert_eq!(behind_headers(&answer.text()), "\n\nx-end: 1\n");
        }
        for act in ["response-body", "pause-response, response-body"] {
            let headers = [("te", "trailers"), ("x-trailer", "x-end=1")];
            let whole = Parts::from(Bytes::from("hello"));
            let answer = http2(&gateway, request(act, &headers, whole)).await;
            assert!(answer.text().starts_with("POST /\nHOST: "), "{act}: {}", answer.text());
            assert_eq!(answer.trailers, header_map(&[("x-end", "1")]));
        }
        gateway.assert_no_trap().await;
    }
}

#[tokio::test]
async fn trailers_are_read_and_changed() {
    for setup in setups() {
        let gateway = setup.start().await;
        let mut trailers = header_map(&[
            ("x-twice", "a"),
            ("x-gone", "1"),
            ("x-twice", "b"),
            ("x-gone", "2"),
            ("x-end", ""),
        ]);
        trailers.insert("x-raw", HeaderValue::from_bytes(b"\x80\xfe\xff").unwrap());
        let body = Parts::from(Bytes::from("body")).trailers(trailers);
        let answer = http2(&gateway, request("request-trailers", &[], body)).await;
        let upstream = answer.body.windows(6).position(|bytes| bytes == b"\n\nbody").unwrap();
        let mut lines: Vec<_> = answer.body[upstream + 8..].split(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [&b""[..], b"x-count: Ok(6)", b"x-end: ", b"x-raw: \x80\xfe\xff", b"x-twice: once"]
        );
        let wanted = ["x-twice=a", "x-twice=b", "x-gone=1", "x-end=1"].map(|trailer| ("x-trailer", trailer));
        let headers = [&wanted[..], &[("te", "trailers")]].concat();
        let answer = http2(&gateway, request("response-trailers", &headers, Parts::default())).await;
        assert_eq!(answer.trailers, header_map(&[("x-end", "1"), ("x-twice", "once"), ("x-count", "Ok(4)")]));
        gateway.assert_no_trap().await;
    }
}

/// The upstream may have seen a part of the request, but not its end.
async fn assert_broken(gateway: &Gateway) {
    eventually("the request breaks off", || async {
        let upstream = &gateway.upstream;
        gateway.stat("cluster.upstream.upstream_rq_active").await == 0
            && upstream.begun() == upstream.broken()
    })
    .await;
}

/// Headers and body have continued; the trailers, and with them the end of the request, do not.
#[tokio::test]
async fn trailers_that_are_refused_do_not_go_on() {
    for setup in setups() {
        let gateway = setup.clone().start().await;
        for parts in bodies() {
            let act = "reply-to-request-trailers";
            let raw = http1(act, &parts, &[("x-end", "1")]);
            let body = Parts::new(parts).trailers(header_map(&[("x-end", "1")]));
            let answer = http2(&gateway, request(act, &[], body)).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot".to_owned()));
            assert_broken(&gateway).await;
            let answer = gateway.send_raw(&raw).await;
            assert!(answer.starts_with("HTTP/1.1 418"), "{answer}");
            assert_broken(&gateway).await;
        }
        // A module that traps refuses the request, too. The proxy reloads it for later requests, so each request
        // here has a proxy of its own.
        for parts in bodies() {
            let gateway = setup.clone().start().await;
            let body = Parts::new(parts).trailers(header_map(&[("x-end", "1")]));
            let answer = http2(&gateway, request("trap-in-request-trailers", &[], body)).await;
            assert_eq!(answer.status, 503);
            assert_broken(&gateway).await;
            assert!(gateway.envoy.log().contains("proxy_on_request_trailers"));
        }
        let gateway = setup.start().await;
        let headers = [("te", "trailers"), ("x-trailer", "x-end=1")];
        let request = request("reply-to-response-trailers", &headers, Parts::default());
        // The client has the headers already: the response is reset, or (Envoy 1.36) ends without trailers.
        let sent = send(gateway.address, Protocol::Http2, request).await;
        assert!(sent.as_ref().map_or(true, |answer| answer.trailers.is_empty()), "{sent:?}");
        gateway.assert_no_trap().await;
    }
}

/// A stream whose local reply fails is closed: nothing waits for the reply.
#[tokio::test]
async fn a_request_that_cannot_be_answered_breaks_off() {
    for plugin in [Plugin::new(PROBE, json!({})), Plugin::new(PROBE, json!({})).stop_iteration()] {
        let plugin = plugin.without(&["proxy_send_local_response"]);
        let gateway = Setup::default().plugins(&[plugin]).trailers().start().await;
        for act in ["reply", "pause-then-reply", "reply-to-request-trailers"] {
            let body = Parts::from(Bytes::from("body")).trailers(header_map(&[("x-end", "1")]));
            assert!(send(gateway.address, Protocol::Http2, request(act, &[], body)).await.is_err(), "{act}");
            let answer = gateway.send_raw(&http1(act, &[], &[("x-end", "1")])).await;
            assert_eq!(answer, "", "{act}");
        }
        eventually("nothing waits", || async {
            gateway.stat("http.gateway.downstream_rq_active").await == 0
        })
        .await;
        assert_eq!(gateway.upstream.whole(), 0);
        gateway.assert_no_trap().await;
    }
}
