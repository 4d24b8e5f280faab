//! The fault filter under load: how late it is, how many it faults, and that it forgets no stream.

mod beside_native;
mod clients_leave;
mod dice;
mod places;
mod pushes;
mod throttle;
mod watch;

use e2e::{Gateway, Plugin, Setup, eventually};
use mesh_filters::registry::FAULT;
use serde_json::{Value, json};

/// The header with which the filter marks requests and responses by default.
const MARKER: &str = "x-mesh-fault";

fn setup(config: Value) -> Setup {
    Setup::default().plugins(&[Plugin::new(FAULT, config)])
}

/// A config with these rules.
fn rules(rules: Value) -> Value {
    json!({"rules": rules})
}

/// The value of one of the filter's metrics.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    gateway.metric(&format!("fault.{name}")).await
}

/// Number of faults of a rule.
async fn faults(gateway: &Gateway, rule: &str, kind: &str) -> u64 {
    metric(gateway, &format!("rule=.={rule};.;kind=.={kind};.;faults")).await
}

/// Waits until the plugin holds so many streams.
async fn held(gateway: &Gateway, streams: u64) {
    eventually(&format!("{streams} streams are held"), || async {
        metric(gateway, "active").await == streams
    })
    .await;
}

/// Waits until the plugin holds no stream and, if it counts them, has none in flight.
async fn at_rest(gateway: &Gateway) {
    held(gateway, 0).await;
    eventually("no request is in flight", || async {
        metric(gateway, "plugin=.=fault;.;in_flight").await == 0
    })
    .await;
}
