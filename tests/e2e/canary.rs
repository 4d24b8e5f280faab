//! The canary filter, with several versions of an upstream.

mod assignment;
mod cookie;
mod examples;
mod guard;
mod hostile;
mod overriding;
mod own_headers;
mod schedule;

use canary::assignment::Assigner;
use e2e::{Gateway, Plugin, Setup, received, with};
use mesh_filters::http::Response;
use mesh_filters::registry::CANARY;
use serde_json::{Value, json};

/// The header that the filter writes by default.
const HEADER: &str = "x-mesh-variant";

/// Names of the variants of [`split`].
const VARIANTS: [&str; 2] = ["v1", "v2"];

fn plugin(config: Value) -> Plugin {
    Plugin::new(CANARY, config)
}

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[plugin(config)])
}

/// A split between v1 and v2 with these weights, by `x-user-id`.
fn split(name: &str, weights: [u32; 2], extra: Value) -> Value {
    let [v1, v2] = weights;
    let variants = json!([{"name": "v1", "weight": v1}, {"name": "v2", "weight": v2}]);
    with(json!({"name": name, "sticky": [{"header": "x-user-id"}], "variants": variants}), extra)
}

/// The variant that a [`split`] gives to an identity.
fn assigned(name: &str, weights: [u32; 2], identity: impl AsRef<[u8]>) -> &'static str {
    let shares = weights.map(f64::from);
    VARIANTS[Assigner::new(name, VARIANTS.into_iter()).choose(&shares, identity.as_ref()).unwrap()]
}

/// Identities to which a [`split`] with equal weights gives this variant.
fn identities(name: &'static str, variant: &'static str) -> impl Iterator<Item = String> {
    let all = (0..).map(|number: u64| format!("user-{number}"));
    all.filter(move |identity| assigned(name, [50, 50], identity) == variant)
}

/// The one variant that the upstream has received in the header that the filter writes.
#[track_caller]
fn variant(answer: &Response) -> Option<String> {
    let text = answer.text();
    match &received(&text, HEADER)[..] {
        [] => None,
        [(name, value)] if name == HEADER => Some(value.clone()),
        _ => panic!("{text}"),
    }
}

/// The value of one of the filter's metrics.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    gateway.metric(&format!("canary.{name}")).await
}
