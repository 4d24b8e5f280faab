//! Request trailers do not release a paused request, and cannot be used to smuggle headers in.

use super::{bearer, config, inline, plugin, provider, remote, with};
use bytes::Bytes;
use e2e::{
    Algorithm, Behaviour, Gateway, Key, KeyServer, Setup, Token, chunked, eventually, header_map, key_set,
};
use mesh_filters::http::{HeaderMap, HeaderValue, Parts, Protocol, Request, send};
use serde_json::{Value, json};

/// A setup for each mode of the plugin.
fn setups(config: &Value) -> [Setup; 2] {
    let plugin = plugin(config.clone());
    [plugin.clone(), plugin.stop_iteration()].map(|plugin| Setup::default().plugins(&[plugin]).trailers())
}

fn request(headers: &[(&str, &str)], trailers: HeaderMap) -> Request<Parts> {
    let builder =
        headers.iter().fold(Request::post("/"), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Parts::new(["bo", "dy"].map(Bytes::from)).trailers(trailers)).unwrap()
}

fn good() -> Token {
    Token::good(Algorithm::Rs256)
}

/// A config with a header that only the filter may set, and with `x-token` as another place for tokens.
fn claiming(jwks: Value, extra: Value) -> Value {
    let fields = json!({
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"header": "x-token"}, {"cookie": "token"}],
        "claims_to_headers": [{"claim": "sub", "header": "x-jwt-sub"}],
    });
    provider(jwks, with(fields, extra))
}

#[tokio::test]
async fn a_request_that_waits_for_keys_is_not_released_by_its_trailers() {
    let config = config(claiming(remote(json!({"wait": "30s", "timeout": "30s"})), json!({})), json!({}));
    for setup in setups(&config) {
        let mut server = KeyServer::start().await;
        server.serve(&key_set(&[("a", Key::RSA_A)]));
        server.behave(Behaviour::Held).await;
        let gateway = setup.workers(1).cluster("jwks", server.address()).start().await;
        let forged = bearer(&good().key(&Key::RSA_B).sign());
        let token = bearer(&good().sign());
        let trailers = [("x-end", "1"), ("x-jwt-sub", "admin")];
        let over_http2 = async |token: &str| {
            let request = request(&[("authorization", token)], header_map(&trailers));
            let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
            (answer.status.as_u16(), answer.text())
        };
        let over_http1 = async |token: &str| {
            let parts = ["bo", "dy"].map(Bytes::from);
            let answer = gateway.send_raw(&chunked(&[("authorization", token)], &parts, &trailers)).await;
            (answer[9..12].parse().unwrap(), answer)
        };
        let release = async {
            eventually("all wait", || async { gateway.stat("http.gateway.downstream_rq_active").await == 4 })
                .await;
            assert_eq!((gateway.upstream.begun(), server.fetches()), (0, 1));
            server.behave(Behaviour::Serve).await;
        };
        let (refused2, refused1, passed2, passed1, ()) = tokio::join!(
            over_http2(&forged),
            over_http1(&forged),
            over_http2(&token),
            over_http1(&token),
            release
        );
        for (status, text) in [refused2, refused1] {
            assert_eq!(status, 401, "{text}");
        }
        for (status, text) in [passed2, passed1] {
            assert_eq!(status, 200, "{text}");
            assert!(text.contains("\n\nbody\n\nx-end: 1\n"), "{text}");
            assert_eq!(text.matches("x-jwt-sub: ").collect::<Vec<_>>().len(), 1, "{text}");
            assert!(text.contains("x-jwt-sub: user-1\n"), "{text}");
        }
        assert_eq!(gateway.upstream.begun(), 2);
        gateway.assert_no_trap().await;
    }
}

/// In every mode, with and without a token, and for requests that are not decided on.
#[tokio::test]
async fn nobody_sends_the_filter_s_headers_past_it_in_trailers() {
    let token = good().sign();
    let authorization = bearer(&token);
    let spoofed = [
        ("x-jwt-sub", "admin"),
        ("x-jwt-sub", "root"),
        ("X-JWT-Sub", "admin"),
        ("x_jwt_sub", "admin"),
        ("x-jwt_sub", "admin"),
        ("x-end", "1"),
    ];
    let tokens = [
        ("authorization", &*authorization),
        ("x-token", &*token),
        ("x_token", &*token),
        ("cookie", &*format!("token={token}")),
    ];
    let all = [&spoofed[..], &tokens].concat();
    let open = json!({"rules": [{"name": "open", "action": "allow", "token": "none"}]});
    let shadow = json!({"mode": "shadow"});
    let signed = [("authorization", &*authorization)];
    for (what, top, extra, headers, decides) in [
        ("a good token", json!({}), json!({}), &signed[..], true),
        ("a good token that goes on", json!({}), json!({"forward_token": true}), &signed[..], true),
        ("no token is looked at", open, json!({}), &[], true),
        ("shadow", shadow, json!({}), &[], false),
        ("off", json!({"mode": "off"}), json!({}), &[], false),
    ] {
        let config = config(claiming(inline(&[("a", Key::RSA_A)]), extra), top);
        for setup in setups(&config) {
            let gateway = setup.start().await;
            let http2 = request(headers, header_map(&all));
            let http1 = chunked(headers, &[Bytes::from("body")], &all);
            let answer = send(gateway.address, Protocol::Http2, http2).await.unwrap();
            assert_eq!(answer.status, 200, "{what}");
            for text in [answer.text(), gateway.send_raw(&http1).await] {
                let (_, trailers) = text.rsplit_once("\n\n").unwrap_or_else(|| panic!("{what}: {text}"));
                assert!(trailers.contains("x-end: 1"), "{what}: {text}");
                assert!(!trailers.to_ascii_lowercase().contains("jwt"), "{what}: {text}");
                for (name, value) in tokens {
                    assert_eq!(trailers.contains(&format!("{name}: {value}")), !decides, "{what}: {text}");
                }
            }
            gateway.assert_no_trap().await;
        }
    }
}

#[tokio::test]
async fn trailers_may_be_many_and_hostile() {
    let config = config(claiming(inline(&[("a", Key::RSA_A)]), json!({})), json!({}));
    let authorization = bearer(&good().sign());
    for setup in setups(&config) {
        let gateway = setup.start().await;
        let mut trailers = HeaderMap::new();
        for byte in 0x80..=0xff {
            let raw = HeaderValue::from_bytes(&[byte, b'x', byte]).unwrap();
            for name in ["x-jwt-sub", "x_jwt_sub", "x-token", "authorization", "cookie"] {
                trailers.append(name, raw.clone());
            }
        }
        trailers.append("x-jwt-sub", "y".repeat(50 << 10).parse().unwrap());
        trailers.append("x-raw", HeaderValue::from_bytes(b"\xff\x80").unwrap());
        for number in 0..1000 {
            trailers.append(
                format!("x-{number}").parse::<mesh_filters::http::HeaderName>().unwrap(),
                "y".parse().unwrap(),
            );
        }
        let request = request(&[("authorization", &authorization)], trailers);
        let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
        assert_eq!(answer.status, 200);
        let body = answer.body.windows(6).position(|bytes| bytes == b"\n\nbody").unwrap();
        let mut lines: Vec<_> = answer.body[body + 8..].split(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        let mut expected: Vec<_> = (0..1000).map(|number| format!("x-{number}: y").into_bytes()).collect();
        expected.extend([b"x-raw: \xff\x80".to_vec(), Vec::new()]);
        expected.sort_unstable();
        assert!(lines == expected, "{} lines", lines.len());
        gateway.assert_no_trap().await;
    }
}

async fn unreadable(gateway: &Gateway) -> u64 {
    gateway.metric("jwt_authz.unreadable").await
}

/// If a trailer cannot be removed, neither the trailers nor the end of the request are forwarded.
#[tokio::test]
async fn trailers_that_cannot_be_changed_do_not_go_on() {
    let config = config(claiming(inline(&[("a", Key::RSA_A)]), json!({"forward_token": true})), json!({}));
    let authorization = bearer(&good().sign());
    let headers = [("authorization", &*authorization)];
    for plugin in [plugin(config.clone()), plugin(config).stop_iteration()] {
        let plugin = plugin.without(&["proxy_remove_header_map_value"]);
        let gateway = Setup::default().plugins(&[plugin]).trailers().start().await;
        for (name, turn) in [("x-jwt-sub", 1), ("x_token", 2)] {
            let request = request(&headers, header_map(&[(name, "admin"), ("x-end", "1")]));
            let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
            assert_eq!(answer.status, 503);
            eventually("the request breaks off", || async {
                gateway.stat("cluster.upstream.upstream_rq_active").await == 0
                    && gateway.upstream.begun() == gateway.upstream.broken()
            })
            .await;
            assert_eq!(unreadable(&gateway).await, turn);
        }
        let request = request(&headers, header_map(&[("x-end", "1")]));
        let answer = send(gateway.address, Protocol::Http2, request).await.unwrap();
        assert!(answer.text().ends_with("\n\nbody\n\nx-end: 1\n"), "{}", answer.text());
        gateway.assert_no_trap().await;
    }
}
