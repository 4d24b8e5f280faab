//! The suite's configs `envoy-configs/envoy/suite-….yaml`, each in a real Envoy: what its scenario promises.

mod api;
mod canary;
mod chaos;
mod fault_for_header;
mod tracing;

use bytes::Bytes;
use e2e::{Upstream, Versions, received};
use mesh_filters::envoy::{Bootstrap, Envoy, Launch};
use mesh_filters::http::{self, Load, Protocol, Request, Response, Until};
use mesh_filters::registry::SUITE;
use mesh_filters::workspace;
use std::net::SocketAddr;

/// The client's trace.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: (&str, &str) = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

/// The two versions of a service.
const VERSIONS: [&str; 2] = ["v1", "v2"];

/// A proxy with one of the configs, in front of two versions of a service.
struct Scenario {
    envoy: Envoy,
    versions: Versions,
}

impl Scenario {
    /// Starts `suite-<name>.yaml`, with these servers of its other clusters.
    async fn start(name: &str, clusters: &[(&str, SocketAddr)]) -> Self {
        SUITE.module().build().unwrap();
        let versions = Versions::start(&VERSIONS).await;
        let mut bootstrap = Bootstrap::load(&format!("suite-{name}")).unwrap();
        bootstrap.use_free_ports();
        bootstrap.set_modules(&workspace::dist());
        let own = VERSIONS.map(|version| (version, versions.get(version).address()));
        for (cluster, address) in own.iter().chain(clusters) {
            bootstrap.set_cluster(cluster, *address).unwrap();
        }
        // The servers of the tests speak plain HTTP.
        for cluster in bootstrap.value_mut()["static_resources"]["clusters"].as_array_mut().unwrap() {
            cluster.as_object_mut().unwrap().remove("transport_socket");
        }
        let envoy = Launch::new().unwrap().concurrency(2).start(&bootstrap).await.unwrap();
        Self { envoy, versions }
    }

    async fn address(&self, listener: &str) -> SocketAddr {
        self.envoy.listener(listener).await.unwrap()
    }

    fn version(&self, name: &str) -> &Upstream {
        self.versions.get(name)
    }

    /// How many requests each version has received.
    fn served(&self) -> [usize; 2] {
        VERSIONS.map(|version| self.version(version).begun())
    }

    /// The response to a request, and the version that has received the request, if one has. Not for several at a time.
    async fn send(&self, listener: &str, request: Request<Bytes>) -> (Response, Option<&'static str>) {
        let before = self.served();
        let address = self.address(listener).await;
        let answer = http::send(address, Protocol::Http1, request).await.unwrap();
        let version = match std::array::from_fn(|at| self.served()[at] - before[at]) {
            [0, 0] => None,
            [1, 0] => Some("v1"),
            [0, 1] => Some("v2"),
            more => panic!("{more:?}"),
        };
        (answer, version)
    }

    /// A load of this many requests, as many as possible at once.
    async fn load(&self, listener: &str, requests: u64) -> Load {
        Load::http2(self.address(listener).await, 4, 90, Until::Requests(requests))
    }
}

/// Asserts that about this percentage of all are these, and at least one is.
#[track_caller]
fn assert_about(percentage: u32, found: usize, all: usize) {
    let share = f64::from(percentage) / 100.0;
    let expected = share * all as f64;
    // Six standard deviations: one run in a hundred million fails.
    let room = 6.0 * (expected * (1.0 - share)).sqrt();
    assert!(
        found > 0 && (found as f64 - expected).abs() <= room,
        "{found} of {all}, expected {percentage} %"
    );
}

/// The id of the one trace that an upstream has received, and whether it is sampled.
#[track_caller]
fn trace(answer: &Response) -> (String, bool) {
    let found = received(&answer.text(), "traceparent");
    let [(_, value)] = &found[..] else { panic!("{found:?}") };
    let fields: Vec<_> = value.split('-').collect();
    let ["00", id, _, flags] = fields[..] else { panic!("{value}") };
    (id.to_owned(), u8::from_str_radix(flags, 16).unwrap() & 1 == 1)
}
