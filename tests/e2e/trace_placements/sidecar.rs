//! Placement 3: a chain of services whose applications forward only x-request-id, each with a sidecar that has a tracer.

use super::application::Application;
use super::proxy::{Config, Proxy};
use super::{B3, SPAN, TRACE, W3C, assert_child_of_the_client, assert_new_trace, traceparent, values};
use e2e::{Collector, Span, Upstream};
use mesh_filters::envoy::locate;
use serde_json::json;
use std::net::SocketAddr;

const INBOUND: usize = 0;
const OUTBOUND: usize = 1;

/// What a client sends beside its trace.
const BESIDE: [(&str, &str); 2] = [("baggage", "tenant=a"), ("x-mesh-variant", "v2")];

/// An application with its sidecar.
struct Service {
    application: Application,
    sidecar: Proxy,
}

impl Service {
    async fn start(config: Config, next: SocketAddr) -> Self {
        let application = Application::start().await;
        let config = config.cluster("app", application.address()).cluster("next", next);
        let sidecar = config.start().await;
        application.call(sidecar.address("outbound").await);
        Self { application, sidecar }
    }
}

/// Two services, and a third one without a sidecar.
struct Chain {
    first: Service,
    second: Service,
    _third: Upstream,
    collector: Collector,
}

impl Chain {
    async fn of(config: impl Fn() -> Config) -> Self {
        let collector = Collector::start().await;
        let third = Upstream::start().await;
        let config = || config().collector(&collector);
        let second = Service::start(config(), third.address()).await;
        let first = Service::start(config(), second.sidecar.address("inbound").await).await;
        Self { first, second, _third: third, collector }
    }

    /// What the third service gets from a request to the first one.
    async fn send(&self, client: &[(&str, &str)]) -> String {
        let answer = self.first.sidecar.send_to("inbound", &[client, &BESIDE].concat()).await;
        assert_eq!(answer.status, 200);
        answer.text()
    }

    /// Waits for these spans, which arrive in any order, and sorts them: a parent is in front of its children.
    async fn spans(&self, number: usize) -> Vec<Span> {
        let mut spans = self.collector.take(number).await;
        let mut sorted: Vec<Span> = Vec::new();
        while !spans.is_empty() {
            let is_next = |span: &Span| !spans.iter().any(|other| other.id == span.parent);
            let at = spans.iter().position(is_next).unwrap();
            sorted.push(spans.remove(at));
        }
        sorted
    }
}

#[track_caller]
fn assert_beside(request: &str) {
    for (name, value) in BESIDE {
        assert_eq!(values(request, name), [value]);
    }
}

/// Whether the proxy has `no_context_propagation`.
fn has_no_context_propagation() -> bool {
    locate::envoy().unwrap().version.minor >= 38
}

/// The config with the filter in the inbound listener, as Istio places a plugin, instead of the cluster.
fn in_listeners() -> Config {
    let mut config = Config::of("sidecar");
    let filter = config.take_options("app")["http_filters"][0].take();
    config.manager(INBOUND)["http_filters"].as_array_mut().unwrap().insert(0, filter);
    config
}

/// Lets the tracer write its headers on the way out.
fn with_propagation(mut config: Config) -> Config {
    let tracing = config.manager(OUTBOUND)["tracing"].as_object_mut().unwrap();
    assert_eq!(tracing.remove("no_context_propagation"), Some(json!(true)));
    config
}

/// A chain whose tracers propagate nothing on the way out; none where the proxy cannot do so, and refuses the config.
async fn chain_without_propagation(config: impl Fn() -> Config) -> Option<Chain> {
    if has_no_context_propagation() {
        return Some(Chain::of(config).await);
    }
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let config =
        ["app", "next", "collector"].iter().fold(config(), |config, name| config.cluster(name, nobody));
    let Err(error) = config.try_start().await else { panic!("the proxy takes the config") };
    assert!(format!("{error:#}").contains("no_context_propagation"), "{error:#}");
    None
}

#[tokio::test]
async fn the_spans_of_a_chain_are_one_trace() {
    let Some(chain) = chain_without_propagation(|| Config::of("sidecar")).await else { return };
    // Twice: what is exported late belongs to the second request then, and should not be there.
    for _ in 0..2 {
        let request = chain.send(W3C).await;
        let spans = chain.spans(2).await;
        let [first, second] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!([&first.service, &second.service], ["sidecar-inbound"; 2]);
        assert_child_of_the_client(first);
        assert_eq!([&second.trace, &second.parent], [TRACE, &first.id]);
        assert_eq!(values(&request, "traceparent"), [traceparent(second)]);
        assert_eq!(chain.first.application.traceparent(), Some(traceparent(first)));
        assert_eq!(chain.second.application.traceparent(), Some(traceparent(second)));
        assert_beside(&request);
    }
}

/// In front of the inbound tracer, the filter knows the client's span, and not the one of the proxy.
#[tokio::test]
async fn a_filter_in_both_listeners_carries_the_clients_span() {
    let Some(chain) = chain_without_propagation(in_listeners).await else { return };
    let request = chain.send(W3C).await;
    for span in chain.spans(2).await {
        assert_child_of_the_client(&span);
    }
    assert_eq!(values(&request, "traceparent"), [W3C[0].1]);
    assert_beside(&request);
    // The application is told of the tracer's trace, and its calls are in the client's.
    assert_eq!(values(&chain.send(B3).await, "traceparent"), [W3C[0].1]);
    let mut spans = chain.spans(2).await;
    spans.sort_by_key(|span| span.trace == TRACE);
    let [first, second] = spans.try_into().unwrap();
    assert_new_trace(&first);
    assert_eq!(chain.first.application.traceparent(), Some(traceparent(&first)));
    assert_child_of_the_client(&second);
}

/// The filter and the tracer leave a call alone that has a context, and the tracer reports it.
#[tokio::test]
async fn a_call_with_a_context_keeps_it() {
    let Some(chain) = chain_without_propagation(|| Config::of("sidecar")).await else { return };
    let answer = chain.second.sidecar.send_to("outbound", W3C).await;
    let span = chain.collector.next().await;
    assert_eq!(span.service, "sidecar-outbound");
    assert_child_of_the_client(&span);
    assert_eq!(values(&answer.text(), "traceparent"), [W3C[0].1]);
}

/// What the sampler is for.
#[tokio::test]
async fn without_the_sampler_each_call_is_a_trace_of_its_own() {
    let sampling = || {
        let mut config = Config::of("sidecar");
        let tracer = &mut config.manager(OUTBOUND)["tracing"]["provider"]["typed_config"];
        assert!(tracer.as_object_mut().unwrap().remove("sampler").is_some());
        config
    };
    let Some(chain) = chain_without_propagation(sampling).await else { return };
    chain.send(W3C).await;
    let spans = chain.spans(4).await;
    let (outbound, inbound): (Vec<_>, Vec<_>) =
        spans.iter().partition(|span| span.service == "sidecar-outbound");
    assert_eq!((outbound.len(), inbound.len()), (2, 2));
    outbound.iter().for_each(|span| assert_new_trace(span));
    assert!(inbound.iter().all(|span| span.trace == TRACE), "{inbound:?}");
}

/// What `no_context_propagation` is for. Baggage and the variant are not the tracer's; so it is in placement 2.
#[tokio::test]
async fn a_tracer_that_propagates_replaces_the_carried_trace() {
    let native =
        || with_propagation(in_listeners()).configure(|plugin| plugin["native_tracer"] = json!(["w3c"]));
    for chain in [Chain::of(|| with_propagation(Config::of("sidecar"))).await, Chain::of(native).await] {
        let request = chain.send(W3C).await;
        assert_child_of_the_client(&chain.collector.next().await);
        let [sent] = <[String; 1]>::try_from(values(&request, "traceparent")).unwrap();
        assert!(!sent.contains(TRACE) && !sent.contains(SPAN), "{sent}");
        assert_beside(&request);
    }
}

/// A tracer writes its decision into the request id, so both sides must decide alike.
#[tokio::test]
async fn a_tracer_that_decides_otherwise_changes_the_id() {
    check_id(true, |config| config).await;
    check_id(false, |config| config.without(INBOUND, "tracing")).await;
    check_id(false, |mut config| {
        config.manager(INBOUND)["tracing"]["random_sampling"] = json!({"value": 0});
        config
    })
    .await;
    check_id(true, |mut config| {
        config.manager(OUTBOUND)["request_id_extension"] = json!({"typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
            "pack_trace_reason": false,
        }});
        config.without(INBOUND, "tracing")
    })
    .await;
}

/// Whether the outbound side finds what the inbound side has stored under the request id.
async fn check_id(is_found: bool, change: impl Fn(Config) -> Config) {
    let chain = Chain::of(|| change(with_propagation(in_listeners()))).await;
    let variant = values(&chain.send(W3C).await, "x-mesh-variant");
    assert_eq!(variant, if is_found { vec!["v2"] } else { vec![] });
}
