//! A service of a mesh.

use crate::{Application, Gateway, Setup};
use serde_json::json;
use std::net::SocketAddr;

/// A service with a proxy of its own: an inbound listener in front of its application, and an outbound one for the calls of
/// the application.
#[derive(Debug)]
pub struct Sidecar {
    /// The proxy. Its address is that of the inbound listener.
    pub gateway: Gateway,
    _application: Application,
}

impl Sidecar {
    /// Name of the outbound listener.
    pub const OUTBOUND: &'static str = "outbound";

    /// Starts a service whose listeners have these setups. Calls go to `next`, or else to the upstream of the proxy.
    ///
    /// # Panics
    /// If Envoy does not start.
    pub async fn start(inbound: Setup, outbound: Setup, next: Option<SocketAddr>) -> Self {
        let application = Application::start().await;
        let to = |cluster| json!({"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "60s"}});
        let mut inbound = inbound.direction("INBOUND").cluster("application", application.address());
        inbound = inbound.route(to("application"));
        let mut outbound = outbound.direction("OUTBOUND");
        if let Some(next) = next {
            inbound = inbound.cluster("next", next);
            outbound = outbound.route(to("next"));
        }
        let gateway = inbound.beside(Self::OUTBOUND, outbound).start().await;
        application.calls(gateway.envoy.listener(Self::OUTBOUND).await.unwrap());
        Self { gateway, _application: application }
    }

    /// Starts two services, of which the first one calls the second one, and this one a third, which is the upstream of its
    /// proxy. All listeners have this setup.
    ///
    /// # Panics
    /// If Envoy does not start.
    pub async fn chain(setup: &Setup) -> [Self; 2] {
        let second = Self::start(setup.clone(), setup.clone(), None).await;
        let first = Self::start(setup.clone(), setup.clone(), Some(second.gateway.address)).await;
        [first, second]
    }
}
