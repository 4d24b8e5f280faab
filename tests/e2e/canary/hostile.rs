//! Requests that legitimate clients do not send.

use super::{HEADER, assigned, plugin, split, variant};
use bytes::Bytes;
use e2e::{Gateway, Setup, get};
use mesh_filters::http::{Connection, HeaderName, HeaderValue, Protocol, Request, Response};
use serde_json::json;

const WEIGHTS: [u32; 2] = [50, 50];

/// A gateway that reads all parts of a request: matches, identities, forwarded addresses.
async fn gateway() -> Gateway {
    let never = json!({"any": [
        {"path": {"regex": "/never/.*"}},
        {"query": [{"name": "never", "contains": "x"}]},
        {"cookies": [{"name": "never", "present": true}]},
        {"headers": [{"name": "user-agent", "regex": "never.*"}]},
        {"client_ip": ["192.0.2.0/24"]},
    ]});
    let sticky = json!([
        {"header": "x-user-id"}, {"cookie": "uid"}, {"query": "uid"}, {"claim": "sub"},
    ]);
    let config = json!({
        "client_ip": {"trusted_hops": 1},
        "output": {"header": HEADER, "filter_state": "variant", "response_header": "x-served-variant"},
        "trusted_override": {"header": "x-force-variant", "match": {"client_ip": ["192.0.2.0/24"]}},
        "rules": [{"name": "never", "match": never, "variant": "v3"}],
        "split": split("s", WEIGHTS, json!({
            "sticky": sticky, "assign_cookie": {"name": "uid"},
            "guard": {"variant": "v2", "max_error_percentage": 50},
        })),
        "decision_log": "all",
    });
    Setup::default().plugins(&[plugin(config)]).start().await
}

/// Sends a request on a connection of its own, so that both workers are used.
async fn ask(gateway: &Gateway, what: &str, request: Request<Bytes>) -> Response {
    let mut connection = Connection::open(gateway.address, Protocol::Http1).await.unwrap();
    connection.send(request).await.unwrap_or_else(|error| panic!("{what}: {error:#}"))
}

fn raw(path: &str, headers: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = get(path, &[]);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    request
}

/// Identities that cannot be used, and what else may confuse a reader of requests. All get a variant.
fn odd() -> Vec<(String, Request<Bytes>)> {
    let mut odd = Vec::new();
    let mut add = |what: &str, request| odd.push((what.to_owned(), request));
    let long = "x".repeat(60 << 10);
    add("long identity", get("/", &[("x-user-id", &long)]));
    add("long cookie", get("/", &[("cookie", &format!("uid={long}"))]));
    add("long query", get(&format!("/?uid={long}"), &[]));
    add("identity of 1025 bytes", get("/", &[("x-user-id", &long[..1025])]));
    let cookies: String = (0..1000).map(|number| format!("c{number}={number}; ")).collect();
    add("1000 cookies", get("/", &[("cookie", &cookies)]));
    let cookies = vec![("cookie", &b"uid=u"[..]); 1000];
    add("1000 cookie headers", raw("/", &cookies));
    add("1000 identities", raw("/", &vec![("x-user-id", &b"u"[..]); 1000]));
    add("1000 overrides", raw("/", &vec![("x-force-variant", &b"v2"[..]); 1000]));
    add("1000 variants", raw("/", &vec![(HEADER, &b"v2"[..]); 1000]));
    add("empty identities", get("/?uid=", &[("x-user-id", ""), ("cookie", "uid=")]));
    add("identity in spellings", get("/", &[("x_user_id", "u")]));
    for path in
        ["/%", "/%%%2", "/%ff%fe", "/?user=%", "/?&&&=uid&uid", "//..//.//", "/%2e%2e/%2e", "/\\..\\", "/?"]
    {
        add(path, get(path, &[("cookie", ";;=;uid;uid=;uid=\"")]));
    }
    for forwarded in
        ["", ",", ",,,,", "6.6.6.6, ", "not an address", "[::1", "1.2.3.4:99999", "::ffff:1.2.3.4"]
    {
        add(forwarded, get("/", &[("x-forwarded-for", forwarded), ("x-force-variant", "v3")]));
    }
    odd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_get_a_variant_and_do_no_harm() {
    let gateway = gateway().await;
    for (what, request) in odd() {
        let answer = ask(&gateway, &what, request).await;
        // The upstream's server may refuse some of them.
        assert!(answer.status.as_u16() < 500, "{what}: {answer:?}");
        let served = answer.header("x-served-variant");
        assert!(matches!(served.as_deref(), Some("v1" | "v2")), "{what}: {answer:?}");
        if answer.status == 200 {
            assert_eq!(variant(&answer), served, "{what}");
        }
        // It is not known, so it gets an identity.
        assert_eq!(answer.count("set-cookie"), 1, "{what}");
    }
    // Requests that Envoy refuses, or that have no path.
    for line in [
        "GET  HTTP/1.1",
        "GET HTTP/1.1",
        "GET ?uid=u HTTP/1.1",
        "GET http://a HTTP/1.1",
        "CONNECT a:1 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
    ] {
        gateway.send_raw(format!("{line}\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).await;
    }
    check_identities(&gateway).await;
    gateway.assert_no_trap().await;
}

/// Bytes are an identity whether they are text or not; the first part that is there once counts.
async fn check_identities(gateway: &Gateway) {
    let long = [b'x'; 1024];
    let mut values: Vec<Vec<u8>> = (0x80..=0xff).map(|byte| vec![byte, b'x', byte]).collect();
    values.extend([long.to_vec(), b"a".to_vec(), b"a b".to_vec(), b"a,b".to_vec()]);
    for value in values {
        let expected = assigned("s", WEIGHTS, &value);
        let others = [("x-user-id", &b"a"[..]), ("x-user-id", b"b")];
        let cookie = [b"uid=", &value[..]].concat();
        for headers in [vec![("x-user-id", &value[..])], [&others[..], &[("cookie", &cookie)]].concat()] {
            let what = format!("{headers:?}");
            let answer = ask(gateway, &what, raw("/?uid=other", &headers)).await;
            assert_eq!((answer.status.as_u16(), answer.count("set-cookie")), (200, 0), "{what}");
            assert_eq!(answer.header("x-served-variant").as_deref(), Some(expected), "{what}");
        }
    }
}
