//! Requests that name their variant.

use super::{HEADER, metric, plugin, received, setup, variant, with};
use e2e::{Gateway, Setup, Versions, eventually, get};
use serde_json::{Value, json};

/// Whose address it is: a client's, or that of a tester inside.
const OUTSIDE: &str = "6.6.6.6";
const INSIDE: &str = "6.6.6.6, 10.1.2.3";

fn config(header: &str, extra: Value) -> Value {
    let config = json!({
        "client_ip": {"trusted_hops": 1},
        "trusted_override": {"header": header, "match": {"client_ip": ["10.0.0.0/8"]}},
        "rules": [{"name": "r", "match": {"path": {"exact": "/rule"}}, "variant": "v3"}],
        "default": "v1",
        "split": super::split("s", [50, 50], json!({"match": {"path": {"exact": "/split"}}})),
    });
    with(config, extra)
}

/// The variant of a request from this address with these headers.
async fn ask(gateway: &Gateway, path: &str, from: &str, headers: &[(&str, &str)]) -> String {
    let answer = gateway.send(get(path, &[&[("x-forwarded-for", from)], headers].concat())).await;
    assert_eq!(received(&answer.text(), "x-force-variant"), []);
    let variant = variant(&answer).unwrap_or_default();
    assert_eq!(Versions::route(&answer), if variant == "v3" { "" } else { &variant });
    variant
}

#[tokio::test]
async fn an_override_is_followed_from_its_network_alone() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let mut gateways = Vec::new();
    for header in ["x-force-variant", HEADER] {
        let setup = setup(config(header, json!({"decision_log": "all"})));
        let gateway = versions.by_header(setup, HEADER).start().await;
        for path in ["/", "/rule", "/split"] {
            for variant in ["v1", "v2", "v3"] {
                assert_eq!(ask(&gateway, path, INSIDE, &[(header, variant)]).await, variant, "{path}");
            }
        }
        // HTTP/1 servers trim values.
        assert_eq!(ask(&gateway, "/", INSIDE, &[(header, " v2 ")]).await, "v2");
        assert_eq!(metric(&gateway, "override_ignored").await, 0);
        // Three paths, and once more with spaces.
        assert_eq!(metric(&gateway, "kind=.=override;.;name=.=v2;.;decisions").await, 4);
        // Nobody is inside by what a client has written in front.
        let ignored = [
            (OUTSIDE, &[(header, "v2")][..]),
            ("10.1.2.3, 6.6.6.6", &[(header, "v2")]),
            ("", &[(header, "v2")]),
            (INSIDE, &[(header, "v2"), (header, "v2")]),
            (INSIDE, &[(header, "v2"), (&header.replace('-', "_"), "v2")]),
            (INSIDE, &[(&header.replace('-', "_"), "v2")]),
            (INSIDE, &[(header, "v2, v2")]),
            (INSIDE, &[(header, "v9")]),
            (INSIDE, &[(header, "V2")]),
            (INSIDE, &[(header, "")]),
            (INSIDE, &[(header, "none")]),
        ];
        for (from, headers) in ignored {
            assert_eq!(ask(&gateway, "/", from, headers).await, "v1", "{from} {headers:?}");
        }
        for from in [OUTSIDE, INSIDE] {
            assert_eq!(ask(&gateway, "/", from, &[]).await, "v1");
            assert_eq!(ask(&gateway, "/rule", from, &[]).await, "v3");
        }
        assert_eq!(metric(&gateway, "override_ignored").await, ignored.len() as u64);
        ask(&gateway, "/split", OUTSIDE, &[]).await;
        gateway.assert_no_trap().await;
        gateways.push(gateway);
    }
    // Envoy writes its log every ten seconds.
    for gateway in gateways {
        for line in ["override:v2", "override:v3", "rule{r}:v3", "default:v1", "split{s}:v"] {
            eventually(line, || async { gateway.access_log().contains(&format!(" {line}")) }).await;
        }
    }
}

/// The header takes the choice of one proxy to the next one.
#[tokio::test]
async fn a_proxy_keeps_the_choice_of_the_one_in_front() {
    let versions = Versions::start(&["v1", "v2"]).await;
    let split = super::split("s", [100, 0], json!({}));
    let inner = json!({"trusted_override": {"header": HEADER, "match": {}}, "split": split});
    let inner = versions.by_header(Setup::default().plugins(&[plugin(inner)]), HEADER).start().await;
    let outer = json!({
        "rules": [{"name": "r", "match": {"path": {"exact": "/two"}}, "variant": "v2"}],
    });
    let to_inner = json!({"match": {"prefix": "/"}, "route": {"cluster": "inner"}});
    let outer = setup(outer).cluster("inner", inner.address).route(to_inner).start().await;
    for (path, expected) in [("/two", "v2"), ("/", "v1")] {
        for spoofed in [&[][..], &[(HEADER, "v2")], &[(HEADER, "v9")]] {
            let answer = outer.send(get(path, spoofed)).await;
            assert_eq!(variant(&answer).as_deref(), Some(expected), "{path}");
            assert_eq!(Versions::route(&answer), expected, "{path}");
        }
    }
}
