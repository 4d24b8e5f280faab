//! The cookie that a split gives to those whom it does not know.

use super::{assigned, setup, split, with};
use bytes::Bytes;
use e2e::{Gateway, Versions, get};
use mesh_filters::http::{Protocol, Request, Response, send};
use serde_json::{Value, json};

const ATTRIBUTES: &str = "; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax";

fn config(extra: Value, top: Value) -> Value {
    let cookie = json!({"name": "mesh-uid", "max_age": "30d"});
    let sticky = json!([{"header": "x-user-id"}, {"cookie": "mesh-uid"}]);
    let split = split("s", [50, 50], json!({"sticky": sticky, "assign_cookie": cookie}));
    let rule =
        json!({"name": "r", "match": {"headers": [{"name": "x-rule", "present": true}]}, "variant": "v2"});
    with(json!({"split": with(split, extra), "rules": [rule], "default": "v1"}), top)
}

async fn gateway(extra: Value, top: Value, versions: &Versions) -> Gateway {
    let dead = json!({"match": {"path": "/dead"}, "route": {"cluster": "dead"}});
    versions.by_header(setup(config(extra, top)).route(dead), super::HEADER).start().await
}

/// The values of the cookies that a response sets, without those of the upstream.
#[track_caller]
fn set(answer: &Response) -> Vec<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let ours = cookies.filter_map(|cookie| cookie.strip_prefix("mesh-uid="));
    ours.map(|cookie| cookie.strip_suffix(ATTRIBUTES).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_client_gets_a_cookie_and_keeps_its_variant() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let gateway = gateway(json!({}), json!({}), &versions).await;
    let mut routes = std::collections::BTreeSet::new();
    let mut cookies = std::collections::BTreeSet::new();
    for status in [200, 204, 302, 404, 500, 503].repeat(8) {
        let status = status.to_string();
        let first = gateway.send(get("/", &[("x-status", &status), ("x-answer", "set-cookie=a=b")])).await;
        assert_eq!(first.status.as_str(), status);
        let [cookie] = &set(&first)[..] else { panic!("{first:?}") };
        assert!(cookie.len() == 32 && cookie.bytes().all(|byte| byte.is_ascii_hexdigit()), "{cookie}");
        // The upstream's own cookie is there, too.
        assert!(first.headers.get_all("set-cookie").iter().any(|cookie| cookie == "a=b"));
        let route = Versions::route(&first);
        assert_eq!(route, assigned("s", [50, 50], cookie));
        for other in ["", "a=b; "] {
            let sent = format!("{other}mesh-uid={cookie}");
            let next = gateway.send(get("/", &[("cookie", &sent)])).await;
            assert_eq!((Versions::route(&next), set(&next)), (route.clone(), vec![]));
        }
        routes.insert(route);
        assert!(cookies.insert(cookie.clone()));
    }
    assert_eq!(routes.len(), 2);
    assert_eq!(super::metric(&gateway, "split=.=s;.;identity_missing").await, cookies.len() as u64);
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn a_local_response_sets_the_cookie_too() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let gateway = gateway(json!({}), json!({}), &versions).await;
    let answer = gateway.send(get("/dead", &[])).await;
    assert_eq!((answer.status.as_u16(), set(&answer).len()), (503, 1));
}

fn request(method: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let request = Request::builder().method(method).uri("/");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn who_gets_no_cookie() {
    let versions = Versions::start(&["v1", "v2"]).await;
    for mode in ["enforce", "shadow", "off"] {
        let gateway = gateway(json!({}), json!({"mode": mode}), &versions).await;
        let preflight = [("origin", "https://a.example"), ("access-control-request-method", "PUT")];
        let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
        let nobody = [
            ("OPTIONS", &preflight[..]),
            ("POST", &grpc),
            ("GET", &[("x-rule", "1")]),
            ("GET", &[("x-user-id", "u")]),
        ];
        let anybody = ("GET", &[][..]);
        for (method, headers) in nobody.into_iter().chain((mode != "enforce").then_some(anybody)) {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let answer = send(gateway.address, protocol, request(method, headers)).await.unwrap();
                assert_eq!((answer.status.as_u16(), set(&answer)), (200, vec![]), "{mode} {headers:?}");
            }
        }
        gateway.assert_no_trap().await;
    }
    for extra in [json!({"mode": "shadow"}), json!({"mode": "off"})] {
        let gateway = gateway(extra.clone(), json!({}), &versions).await;
        let answer = gateway.send(get("/", &[])).await;
        assert_eq!((answer.status.as_u16(), set(&answer)), (200, vec![]), "{extra}");
    }
}
