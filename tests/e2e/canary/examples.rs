//! What users write as Istio VirtualServices, as configs of the filter: each request takes the route that the
//! VirtualService gives it.

use super::{HEADER, plugin, with};
use e2e::{Plugin, Setup, Versions, get};
use mesh_filters::http::{Load, Protocol, Until, send};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

const VERSIONS: [&str; 7] = ["v1", "v2", "blue", "green", "premium-ui", "variant-a", "variant-b"];

/// Number of requests that are divided by weight.
const DIVIDED: u64 = 1000;

/// Header, path and version of a request.
type Routed = (Option<(&'static str, &'static str)>, &'static str, &'static str);

struct Example {
    /// The config without its output.
    config: Value,
    routed: &'static [Routed],
    /// Path and percentages of requests that are divided by weight.
    divided: Option<(&'static str, [(&'static str, u32); 2])>,
}

fn variants(weights: [(&str, u32); 2]) -> Value {
    weights.iter().map(|(name, weight)| json!({"name": name, "weight": weight})).collect()
}

fn examples() -> Vec<Example> {
    let header = |name: &str, test: Value| json!({"headers": [with(json!({"name": name}), test)]});
    let rule = |matching: Value, variant: &str| json!({"name": "r", "match": matching, "variant": variant});
    let split = |weights| json!({"name": "s", "variants": variants(weights)});
    let (mostly_v1, fewer_v1) = ([("v1", 90), ("v2", 10)], [("v1", 80), ("v2", 20)]);
    let (only_v1, only_v2) = ([("v1", 100), ("v2", 0)], [("v1", 0), ("v2", 100)]);
    vec![
        // Those who ask for the canary get it, and one in ten of the others.
        Example {
            config: json!({
                "rules": [rule(header("canary", json!({"exact": "true"})), "v2")],
                "split": split(mostly_v1),
            }),
            routed: &[(Some(("canary", "true")), "/", "v2")],
            divided: Some(("/", mostly_v1)),
        },
        Example {
            config: json!({
                "rules": [rule(header("user-agent", json!({"prefix": "mobile"})), "v2")],
                "default": "v1",
            }),
            routed: &[
                (Some(("user-agent", "mobile/1.0 (Android)")), "/", "v2"),
                (Some(("user-agent", "a mobile")), "/", "v1"),
                (Some(("user-agent", "Mobile")), "/", "v1"),
                (None, "/", "v1"),
            ],
            divided: None,
        },
        Example {
            config: json!({
                "rules": [rule(header("user-agent", json!({"regex": ".*Mobile.*"})), "v2")],
                "split": split(fewer_v1),
            }),
            routed: &[(Some(("user-agent", "Mozilla/5.0 (iPhone) Mobile/15E148")), "/", "v2")],
            divided: Some(("/", fewer_v1)),
        },
        // A split of a part of the paths.
        Example {
            config: json!({
                "rules": [rule(header("x-version", json!({"exact": "v2"})), "v2")],
                "split": with(split(mostly_v1), json!({"match": {"path": {"prefix": "/api"}}})),
                "default": "v1",
            }),
            routed: &[
                (Some(("x-version", "v2")), "/", "v2"),
                (Some(("x-version", "v2")), "/api", "v2"),
                (Some(("x-version", "v3")), "/", "v1"),
                (None, "/", "v1"),
            ],
            divided: Some(("/api/orders", mostly_v1)),
        },
        // Blue-green, by header and by weight.
        Example {
            config: json!({
                "rules": [rule(header("x-version", json!({"exact": "green"})), "green")],
                "default": "blue",
            }),
            routed: &[
                (Some(("x-version", "green")), "/health", "green"),
                (Some(("x-version", "blue")), "/health", "blue"),
                (None, "/", "blue"),
            ],
            divided: None,
        },
        Example { config: json!({"split": split(only_v1)}), routed: &[], divided: Some(("/", only_v1)) },
        Example { config: json!({"split": split(only_v2)}), routed: &[], divided: Some(("/", only_v2)) },
        // An A/B test by cookie and by the first digit of a user's id.
        Example {
            config: json!({
                "rules": [
                    {"name": "premium", "match": {"cookies": [{"name": "session", "exact": "premium"}]},
                     "variant": "premium-ui"},
                    rule(header("x-user-id", json!({"regex": "[0-4].*"})), "variant-a"),
                ],
                "default": "variant-b",
            }),
            routed: &[
                (Some(("cookie", "a=b; session=premium; c=d")), "/", "premium-ui"),
                (Some(("cookie", "session=free")), "/", "variant-b"),
                (Some(("x-user-id", "0")), "/", "variant-a"),
                (Some(("x-user-id", "4711")), "/", "variant-a"),
                (Some(("x-user-id", "5")), "/", "variant-b"),
                (Some(("x-user-id", "u4")), "/", "variant-b"),
                (None, "/", "variant-b"),
            ],
            divided: None,
        },
    ]
}

/// Sends the requests of an example.
async fn check(example: &Example, address: SocketAddr) {
    for (header, path, version) in example.routed {
        for _ in 0..2 {
            let answer = send(address, Protocol::Http1, get(path, header.as_slice())).await.unwrap();
            assert_eq!(
                (answer.status.as_u16(), Versions::route(&answer).as_str()),
                (200, *version),
                "{path} {header:?}"
            );
        }
    }
    if let Some((path, percentages)) = example.divided {
        let routes: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let count = Arc::clone(&routes);
        let load = Load::http1(address, 4, Until::Requests(DIVIDED));
        let see = move |_, answer: &_| {
            *count.lock().unwrap().entry(Versions::route(answer)).or_default() += 1;
        };
        let report = load.run(move |_| get(path, &[]), see).await.unwrap();
        assert_eq!(report.errors, 0, "{:?}", report.example);
        let mut routes = std::mem::take(&mut *routes.lock().unwrap());
        for (version, percentage) in percentages {
            let share = f64::from(percentage) / 100.0;
            let expected = share * DIVIDED as f64;
            // Six standard deviations: one run in a hundred million fails.
            let room = 6.0 * (expected * (1.0 - share)).sqrt();
            let found = routes.remove(version).unwrap_or_default() as f64;
            assert!((found - expected).abs() <= room, "{version}: {found} of {DIVIDED}");
        }
        assert_eq!(routes, BTreeMap::new());
    }
}

/// Each example has a listener of its own.
async fn check_all(plugin: Plugin, output: Value, route: impl Fn(&Versions, Setup) -> Setup) {
    let versions = Versions::start(&VERSIONS).await;
    let examples = examples();
    let gateway = versions.by_header(Setup::default(), HEADER);
    let gateway = examples.iter().enumerate().fold(gateway, |gateway, (index, example)| {
        let plugin = plugin.clone().configured(with(example.config.clone(), json!({"output": output})));
        gateway.beside(&index.to_string(), route(&versions, Setup::default().plugins(&[plugin])))
    });
    let gateway = gateway.start().await;
    for (index, example) in examples.iter().enumerate() {
        check(example, gateway.envoy.listener(&index.to_string()).await.unwrap()).await;
    }
    gateway.assert_no_trap().await;
}

#[tokio::test]
async fn examples_by_header() {
    let route = |versions: &Versions, setup| versions.by_header(setup, HEADER);
    check_all(plugin(json!({})), json!({"header": HEADER}), route).await;
}

fn by_filter_state(versions: &Versions, setup: Setup) -> Setup {
    versions.by_filter_state(setup, "wasm.variant")
}

#[tokio::test]
async fn examples_by_filter_state() {
    check_all(plugin(json!({})), json!({"filter_state": "variant"}), by_filter_state).await;
}

/// Without the function that clears the route cache, the filter sets and removes a header, which does so, too.
#[tokio::test]
async fn examples_by_filter_state_without_foreign_functions() {
    let plugin = plugin(json!({})).without(&["proxy_call_foreign_function"]);
    check_all(plugin, json!({"filter_state": "variant"}), by_filter_state).await;
}
