//! An Envoy with filters.

use crate::Upstream;
use crate::form::{Form, Formed};
use bytes::Bytes;
use mesh_filters::envoy::config::socket_address;
use mesh_filters::envoy::{Bootstrap, Envoy, Launch};
use mesh_filters::http::{self, Connection, Protocol, Request, Response};
use mesh_filters::module::Module;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Name of the listener that every gateway has.
const MAIN: &str = "gateway";

/// A plugin of the proxy: a module with its config. A filter runs in the [`Form`] of the tests.
#[derive(Clone, Debug)]
pub struct Plugin {
    formed: Formed,
    name: String,
    config: Value,
    stop_iteration: bool,
    capabilities: Option<Vec<String>>,
}

impl Plugin {
    /// `config` is that of the filter, in each form. It is passed as a string, like Istio does; an empty object arrives as
    /// zero bytes.
    #[must_use]
    pub fn new(module: impl Into<Module>, config: Value) -> Self {
        let module = module.into();
        let name = module.name().to_owned();
        Self { formed: Form::of_tests().of(module), name, config, stop_iteration: false, capabilities: None }
    }

    /// Sets the plugin's name, which is otherwise that of its module.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Replaces the config.
    #[must_use]
    pub fn configured(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Lets the proxy pass bodies to the filter while headers are paused.
    #[must_use]
    pub const fn stop_iteration(mut self) -> Self {
        self.stop_iteration = true;
        self
    }

    /// Restricts the functions of the proxy and of the module to these.
    #[must_use]
    pub fn capabilities(mut self, allowed: &[&str]) -> Self {
        self.capabilities = Some(allowed.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Allows all imports and exports of the module except these. Builds the module.
    ///
    /// # Panics
    /// If the module cannot be built, or does not have one of these functions.
    #[must_use]
    pub fn without(self, taken: &[&str]) -> Self {
        let module = walrus::Module::from_file(self.formed.module.build().unwrap()).unwrap();
        let imports = module.imports.iter().map(|import| import.name.as_str());
        let exports = module.exports.iter().map(|export| export.name.as_str());
        let mut functions: Vec<_> = imports.chain(exports).collect();
        for name in taken {
            assert!(functions.contains(name), "the module does not use {name}");
            functions.retain(|function| function != name);
        }
        self.capabilities(&functions)
    }

    fn filter(&self) -> Value {
        let config = self.formed.config(&self.config);
        let text = if config == json!({}) { String::new() } else { config.to_string() };
        let mut filter = json!({
            "name": self.name,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {
                    "name": self.name,
                    "failure_policy": "FAIL_RELOAD",
                    "allow_on_headers_stop_iteration": self.stop_iteration,
                    "vm_config": {
                        "vm_id": "tests",
                        "runtime": "envoy.wasm.runtime.v8",
                        "code": {"local": {"filename": self.formed.module.path()}},
                    },
                    "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text},
                },
            },
        });
        if let Some(allowed) = &self.capabilities {
            // The field of Envoy 1.36; 1.40 has another one, but also accepts this.
            let allowed: Map<_, _> = allowed.iter().map(|name| (name.clone(), json!({}))).collect();
            filter["typed_config"]["config"]["capability_restriction_config"] =
                json!({"allowed_capabilities": allowed});
        }
        filter
    }
}

/// The setup of a gateway.
#[derive(Clone, Debug)]
pub struct Setup {
    filters: Vec<Value>,
    /// Filters of the cluster `upstream`.
    upstream_filters: Vec<Value>,
    modules: Vec<Module>,
    clusters: Vec<(String, SocketAddr)>,
    routes: Vec<Value>,
    beside: Vec<(String, Self)>,
    direction: Option<&'static str>,
    log_level: String,
    workers: u32,
    use_remote_address: bool,
    /// Whether listeners come from a file, which [`Gateway::push`] replaces.
    file_based: bool,
    direct: bool,
    trailers: bool,
    buffer_limit: Option<u32>,
    drain_seconds: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            filters: Vec::new(),
            upstream_filters: Vec::new(),
            modules: Vec::new(),
            clusters: Vec::new(),
            routes: Vec::new(),
            beside: Vec::new(),
            direction: None,
            log_level: "warning".to_owned(),
            workers: 2,
            use_remote_address: false,
            file_based: false,
            direct: false,
            trailers: false,
            buffer_limit: None,
            drain_seconds: None,
        }
    }
}

impl Setup {
    /// Adds these plugins, in order.
    #[must_use]
    pub fn plugins(mut self, plugins: &[Plugin]) -> Self {
        self.filters.extend(plugins.iter().map(Plugin::filter));
        self.modules.extend(plugins.iter().map(|plugin| plugin.formed.module));
        self
    }

    /// Adds these plugins to the filter chain of the cluster `upstream`, in order: they run once for each attempt.
    #[must_use]
    pub fn upstream(mut self, plugins: &[Plugin]) -> Self {
        self.upstream_filters.extend(plugins.iter().map(Plugin::filter));
        self.modules.extend(plugins.iter().map(|plugin| plugin.formed.module));
        self
    }

    /// Adds an HTTP filter of Envoy.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a cluster to `upstream` and `dead`; the latter has no server.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.push((name.to_owned(), address));
        self
    }

    /// Adds a route in front of the one to the upstream, and behind those that were added before.
    #[must_use]
    pub fn route(mut self, route: Value) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds another listener with its own plugins, filters and routes. What belongs to the proxy, such as clusters, is that
    /// of this setup.
    #[must_use]
    pub fn beside(mut self, name: &str, other: Self) -> Self {
        self.modules.extend(&other.modules);
        self.beside.push((name.to_owned(), other));
        self
    }

    /// Sets the listener's `traffic_direction` as a control plane does: `INBOUND` or `OUTBOUND`.
    #[must_use]
    pub const fn direction(mut self, direction: &'static str) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Sets the log level, `warning` by default.
    #[must_use]
    pub fn log_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.log_level);
        self
    }

    /// Sets the number of workers, two by default.
    #[must_use]
    pub const fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// Sets the connection manager's `use_remote_address`.
    #[must_use]
    pub const fn use_remote_address(mut self) -> Self {
        self.use_remote_address = true;
        self
    }

    /// Enables pushes of the listener.
    #[must_use]
    pub const fn file_based(mut self) -> Self {
        self.file_based = true;
        self
    }

    /// Uses a direct response with status 200 instead of the upstream, for load tests.
    #[must_use]
    pub const fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    /// Enables trailers in HTTP/1, from clients and to the upstream. HTTP/2 always has them.
    #[must_use]
    pub const fn trailers(mut self) -> Self {
        self.trailers = true;
        self
    }

    /// Limits the bytes of a body that the proxy buffers, in each direction.
    #[must_use]
    pub const fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = Some(bytes);
        self
    }

    /// Sets the time after which the connections of a listener that was removed are closed.
    #[must_use]
    pub const fn drain_seconds(mut self, seconds: u32) -> Self {
        self.drain_seconds = Some(seconds);
        self
    }

    /// Builds the modules, and starts the upstream and Envoy.
    ///
    /// # Panics
    /// If one of them fails.
    pub async fn start(self) -> Gateway {
        match self.try_start().await {
            Ok(gateway) => gateway,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Like [`Setup::start`], for a setup that may fail.
    ///
    /// # Errors
    /// Envoy refuses the config.
    pub async fn try_start(self) -> anyhow::Result<Gateway> {
        for module in &self.modules {
            module.build()?;
        }
        let upstream = Upstream::start().await;
        let mut launch = Launch::new()?.concurrency(self.workers).log_level(&self.log_level);
        if let Some(seconds) = self.drain_seconds {
            launch = launch.drain_seconds(seconds);
        }
        let clusters = self.clusters(upstream.address());
        let bootstrap = if self.file_based {
            write_listeners(launch.folder(), Some(&self.listener(MAIN)), 1)?;
            json!({
                "node": {"id": "tests", "cluster": "tests"},
                "dynamic_resources": {"lds_config": {"resource_api_version": "V3", "path_config_source": {
                    "path": launch.folder().join("lds.json"),
                    "watched_directory": {"path": launch.folder()},
                }}},
                "static_resources": {"clusters": clusters},
            })
        } else {
            let others = self.beside.iter().map(|(name, other)| other.listener(name));
            let listeners: Vec<_> = std::iter::once(self.listener(MAIN)).chain(others).collect();
            json!({"static_resources": {"listeners": listeners, "clusters": clusters}})
        };
        let envoy = launch.start(&Bootstrap::from_value(bootstrap)).await?;
        let address = envoy.listener(MAIN).await?;
        Ok(Gateway { envoy, address, upstream })
    }

    fn listener(&self, name: &str) -> Value {
        let route = if self.direct {
            json!({"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}})
        } else {
            json!({"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "60s"}})
        };
        let routes: Vec<_> = self.routes.iter().cloned().chain([route]).collect();
        let mut filters = self.filters.clone();
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }));
        let mut listener = json!({
            "name": name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "gateway",
                    "codec_type": "AUTO",
                    "use_remote_address": self.use_remote_address,
                    // Hostile requests should reach the filter.
                    "max_request_headers_kb": 512,
                    "common_http_protocol_options": {"max_headers_count": 4000},
                    "access_log": if self.direct { json!([]) } else { json!([{
                        "name": "file",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                            "path": "access.log",
                            "log_format": {"text_format_source": {"inline_string":
                                "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %FILTER_STATE(wasm.rate_limit_decision:PLAIN)% \
                                 %FILTER_STATE(wasm.jwt_authz_decision:PLAIN)% %FILTER_STATE(wasm.canary_decision:PLAIN)% \
                                 %FILTER_STATE(wasm.trace_context_decision:PLAIN)% %FILTER_STATE(wasm.trace_id:PLAIN)% \
                                 %FILTER_STATE(wasm.fault_decision:PLAIN)%\n"}},
                        },
                    }]) },
                    "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
                    "http_filters": filters,
                },
            }]}],
        });
        if self.trailers {
            listener["filter_chains"][0]["filters"][0]["typed_config"]["http_protocol_options"] =
                json!({"enable_trailers": true});
        }
        if let Some(direction) = self.direction {
            listener["traffic_direction"] = json!(direction);
        }
        if let Some(bytes) = self.buffer_limit {
            listener["per_connection_buffer_limit_bytes"] = json!(bytes);
        }
        listener
    }

    fn clusters(&self, upstream: SocketAddr) -> Value {
        let cluster = |name: &str, address: SocketAddr| {
            let mut cluster = json!({
                "name": name,
                "type": "STATIC",
                "connect_timeout": "10s",
                "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint":
                    {"address": socket_address(address)}}]}]},
            });
            let mut filters = if name == "upstream" { self.upstream_filters.clone() } else { Vec::new() };
            if self.trailers || !filters.is_empty() {
                let mut options = json!({
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http_protocol_options": {"enable_trailers": self.trailers}},
                });
                if !filters.is_empty() {
                    filters.push(json!({
                        "name": "envoy.filters.http.upstream_codec",
                        "typed_config": {"@type":
                            "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"},
                    }));
                    options["http_filters"] = json!(filters);
                }
                cluster["typed_extension_protocol_options"] =
                    json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options});
            }
            if let Some(bytes) = self.buffer_limit {
                cluster["per_connection_buffer_limit_bytes"] = json!(bytes);
            }
            cluster
        };
        // There is no server on the discard port.
        let ours = [cluster("upstream", upstream), cluster("dead", SocketAddr::from(([127, 0, 0, 1], 9)))];
        let theirs = self.clusters.iter().map(|(name, address)| cluster(name, *address));
        ours.into_iter().chain(theirs).collect()
    }
}

fn write_listeners(folder: &Path, listener: Option<&Value>, version: u32) -> anyhow::Result<()> {
    let mut resources = listener.into_iter().cloned().collect::<Vec<_>>();
    for resource in &mut resources {
        resource["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    }
    let response = json!({"version_info": version.to_string(), "resources": resources});
    // Renaming is atomic, and Envoy watches for it.
    let fresh = folder.join("lds.json.new");
    std::fs::write(&fresh, response.to_string())?;
    std::fs::rename(fresh, folder.join("lds.json"))?;
    Ok(())
}

/// A running gateway with its upstream.
#[derive(Debug)]
pub struct Gateway {
    /// The Envoy process.
    pub envoy: Envoy,
    /// Address of the listener.
    pub address: SocketAddr,
    /// The upstream of the route.
    pub upstream: Upstream,
}

impl Gateway {
    /// Sends a request on a new connection.
    ///
    /// # Panics
    /// If there is no response.
    pub async fn send(&self, request: Request<Bytes>) -> Response {
        http::send(self.address, Protocol::Http1, request).await.unwrap()
    }

    /// Sends a request to another listener, on a new connection.
    ///
    /// # Panics
    /// If there is no such listener, or no response.
    pub async fn send_to(&self, listener: &str, request: Request<Bytes>) -> Response {
        let address = self.envoy.listener(listener).await.unwrap();
        http::send(address, Protocol::Http1, request).await.unwrap()
    }

    /// Sends raw bytes and reads until the proxy closes the connection, so the request needs `connection: close`.
    ///
    /// # Panics
    /// If the proxy does not close the connection in time.
    pub async fn send_raw(&self, request: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request).await?;
            let mut answer = Vec::new();
            // A reset also ends the response.
            let _ = stream.read_to_end(&mut answer).await;
            std::io::Result::Ok(answer)
        };
        let answer = timeout(Connection::DEADLINE, exchange).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Pushes another setup of the listener.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn push(&self, setup: &Setup, version: u32) {
        write_listeners(self.envoy.folder(), Some(&setup.listener(MAIN)), version).unwrap();
    }

    /// Removes the listener.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn remove_listener(&self, version: u32) {
        write_listeners(self.envoy.folder(), None, version).unwrap();
    }

    /// The value of a counter or gauge.
    ///
    /// # Panics
    /// If Envoy's admin interface fails.
    pub async fn stat(&self, name: &str) -> u64 {
        self.envoy.admin().stats().await.unwrap().value(name)
    }

    /// The value of a counter or gauge of a filter. Before 1.39, Envoy keeps those of the filters of a cluster with the cluster.
    ///
    /// # Panics
    /// If Envoy's admin interface fails.
    pub async fn metric(&self, name: &str) -> u64 {
        let stats = self.envoy.admin().stats().await.unwrap();
        let name = format!("wasmcustom.mesh_filters.{name}");
        stats.value(&name) + stats.value(&format!("cluster.upstream.{name}"))
    }

    /// A counter of a limit.
    pub async fn counted(&self, limit: &str, outcome: &str) -> u64 {
        self.metric(&format!("rate_limit.limit=.={limit};.;{outcome}")).await
    }

    /// The current access log.
    #[must_use]
    pub fn access_log(&self) -> String {
        std::fs::read_to_string(self.envoy.folder().join("access.log")).unwrap_or_default()
    }

    /// Asserts that no VM trapped or was reloaded.
    ///
    /// # Panics
    /// If one did.
    pub async fn assert_no_trap(&self) {
        assert_no_trap(&self.envoy).await;
    }
}

/// Asserts that no VM of a proxy trapped or was reloaded.
///
/// # Panics
/// If one did.
pub async fn assert_no_trap(envoy: &Envoy) {
    let stats = envoy.admin().stats().await.unwrap();
    let reloads: Vec<_> =
        stats.beginning("wasm.").filter(|(name, value)| name.contains("vm_reload") && *value > 0).collect();
    assert!(reloads.is_empty(), "{reloads:?}");
    let log = envoy.log();
    for sign in ["RuntimeError", "RangeError", "panicked", "wasm_fail_stream"] {
        assert!(!log.contains(sign), "{sign} in the log");
    }
}
