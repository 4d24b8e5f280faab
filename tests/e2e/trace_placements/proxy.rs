//! A proxy with one of the configs.

use super::{traceparent, values};
use e2e::{Collector, Form, Span, Upstream, get};
use mesh_filters::envoy::{Bootstrap, Envoy, Launch};
use mesh_filters::http::{self, Protocol, Response};
use mesh_filters::{registry, workspace};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A config, to be changed and started.
pub(super) struct Config(Bootstrap);

impl Config {
    /// `envoy-configs/envoy/trace-context-<name>.yaml`.
    pub(super) fn of(name: &str) -> Self {
        let mut bootstrap = Bootstrap::load(&format!("trace-context-{name}")).unwrap();
        bootstrap.use_free_ports();
        bootstrap.set_modules(&workspace::dist());
        // Each span is exported when it ends.
        bootstrap.value_mut()["layered_runtime"] = json!({"layers": [
            {"name": "tests", "static_layer": {"tracing.opentelemetry.min_flush_spans": 1}},
        ]});
        Self(bootstrap)
    }

    /// Sets the server of a cluster.
    pub(super) fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.0.set_cluster(name, address).unwrap();
        self
    }

    /// Sets the server of the cluster that receives spans.
    pub(super) fn collector(self, collector: &Collector) -> Self {
        self.cluster("collector", collector.address())
    }

    /// Removes a field of a listener's connection manager, which has to be there.
    pub(super) fn without(mut self, listener: usize, field: &str) -> Self {
        let manager = self.manager(listener).as_object_mut().unwrap();
        assert!(manager.remove(field).is_some(), "no {field}");
        self
    }

    /// Removes the filter from a listener.
    pub(super) fn without_filter(mut self, listener: usize) -> Self {
        let filters = self.manager(listener)["http_filters"].as_array_mut().unwrap();
        filters.retain(|filter| filter["name"] != "trace-context");
        assert_eq!(filters.len(), 1, "{filters:?}");
        self
    }

    /// The connection manager of a listener.
    pub(super) fn manager(&mut self, listener: usize) -> &mut Value {
        let place = format!("/static_resources/listeners/{listener}/filter_chains/0/filters/0/typed_config");
        self.0.value_mut().pointer_mut(&place).unwrap()
    }

    /// Changes the config of each plugin.
    pub(super) fn configure(mut self, change: impl Fn(&mut Value)) -> Self {
        each_plugin(self.0.value_mut(), &|plugin| {
            let Value::String(text) = &mut plugin["configuration"]["value"] else { panic!("{plugin}") };
            let mut config = serde_json::from_str(text).unwrap();
            change(&mut config);
            *text = config.to_string();
        });
        self
    }

    /// Takes away the options of a cluster, among which its filters are.
    pub(super) fn take_options(&mut self, cluster: &str) -> Value {
        let clusters = self.0.value_mut()["static_resources"]["clusters"].as_array_mut().unwrap();
        let cluster = clusters.iter_mut().find(|found| found["name"] == cluster).unwrap();
        let mut options = cluster["typed_extension_protocol_options"].take();
        cluster.as_object_mut().unwrap().remove("typed_extension_protocol_options");
        options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].take()
    }

    /// Starts a proxy of one worker, which exports spans in their order.
    pub(super) async fn start(self) -> Proxy {
        match self.try_start().await {
            Ok(proxy) => proxy,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Like [`Config::start`], for a config that may be refused.
    pub(super) async fn try_start(mut self) -> anyhow::Result<Proxy> {
        let form = Form::of_tests();
        each_plugin(self.0.value_mut(), &|plugin| form.apply(plugin, registry::TRACE_CONTEXT));
        Ok(Proxy(Launch::new()?.concurrency(1).start(&self.0).await?))
    }
}

/// Calls `change` with each plugin.
fn each_plugin(value: &mut Value, change: &impl Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_plugin(item, change)),
        Value::Object(entries) if entries.contains_key("vm_config") => change(value),
        Value::Object(entries) => entries.values_mut().for_each(|entry| each_plugin(entry, change)),
        _ => {}
    }
}

/// A running proxy.
pub(super) struct Proxy(pub(super) Envoy);

impl Proxy {
    pub(super) async fn address(&self, listener: &str) -> SocketAddr {
        self.0.listener(listener).await.unwrap()
    }

    /// Sends a request to the listener `gateway`.
    pub(super) async fn send(&self, headers: &[(&str, &str)]) -> Response {
        self.send_to("gateway", headers).await
    }

    pub(super) async fn send_to(&self, listener: &str, headers: &[(&str, &str)]) -> Response {
        http::send(self.address(listener).await, Protocol::Http1, get("/", headers)).await.unwrap()
    }
}

/// A proxy with a tracer, in front of an upstream.
pub(super) struct Traced {
    pub(super) proxy: Proxy,
    pub(super) upstream: Upstream,
    pub(super) collector: Collector,
}

impl Traced {
    pub(super) async fn start(config: Config) -> Self {
        let collector = Collector::start().await;
        let upstream = Upstream::start().await;
        let proxy = config.collector(&collector).cluster("app", upstream.address()).start().await;
        Self { proxy, upstream, collector }
    }

    /// The response to a request, and its only span, which the upstream is told of.
    pub(super) async fn send(&self, headers: &[(&str, &str)]) -> (Response, Span) {
        let answer = self.proxy.send(headers).await;
        let span = self.collector.next().await;
        assert_eq!(values(&answer.text(), "traceparent"), [traceparent(&span)], "{headers:?}");
        (answer, span)
    }
}
