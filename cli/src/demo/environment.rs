//! The running gateway and its upstreams.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, bail};

use super::endpoints::Endpoints;
use super::keys;
use crate::envoy::config::ANY_LOCAL_PORT;
use crate::envoy::{Bootstrap, Envoy, Launch};
use crate::workspace;

/// The ports that the gateway uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Those of the files, or a free one where such a port is taken.
    OfTheFiles,
    /// Free ones, so that several gateways can run side by side.
    Free,
}

/// Starts the upstreams of `upstreams.yaml`, including the key server, on free ports.
///
/// # Errors
///
/// The key pair cannot be created, or Envoy does not start.
pub async fn upstreams() -> anyhow::Result<Envoy> {
    keys::prepare()?;
    let mut bootstrap = Bootstrap::load("upstreams")?;
    bootstrap.use_free_ports();
    bootstrap.set_keys(&keys::served());
    Launch::new()?.concurrency(1).start(&bootstrap).await
}

/// The gateway of `demo.yaml` in front of the upstreams of `upstreams.yaml`. Both stop when this value is
/// dropped.
///
/// The modules must have been built.
#[derive(Debug)]
pub struct Environment {
    // The first field, so that it is dropped first: it calls the upstreams.
    gateway: Envoy,
    upstreams: Envoy,
    v1: SocketAddr,
    v2: SocketAddr,
    keys: SocketAddr,
    endpoints: Endpoints,
}

impl Environment {
    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    ///
    /// An Envoy does not start.
    pub async fn start(ports: Ports) -> anyhow::Result<Self> {
        let upstreams = upstreams().await.context("no upstreams for the demo")?;
        let v1 = upstreams.listener("v1").await?;
        let v2 = upstreams.listener("v2").await?;
        let keys = upstreams.listener("keys").await?;

        let mut bootstrap = Bootstrap::load("demo")?;
        let listeners = bootstrap.listener_ports();
        let admin = bootstrap.admin_port().context("`demo.yaml` has no admin interface")?;
        bootstrap.set_modules(&workspace::dist());
        bootstrap.set_cluster("v1", v1)?;
        bootstrap.set_cluster("v2", v2)?;
        bootstrap.set_cluster("keys", keys)?;
        for (name, port) in &listeners {
            bootstrap.set_listener(name, ports.choose(*port))?;
        }
        bootstrap.set_admin(ports.choose(admin));
        let gateway = Launch::new()?.start(&bootstrap).await.context("no gateway for the demo")?;

        let real = gateway.admin().listeners().await?;
        let mut endpoints = vec![(admin, gateway.admin().address().port())];
        for (name, port) in listeners {
            let address = real.get(&name).with_context(|| format!("the listener `{name}` is missing"))?;
            endpoints.push((port, address.port()));
        }
        Ok(Self { gateway, upstreams, v1, v2, keys, endpoints: Endpoints::local(endpoints) })
    }

    /// The gateway.
    #[must_use]
    pub const fn gateway(&self) -> &Envoy {
        &self.gateway
    }

    /// The real addresses of the ports of the files.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The address of the upstream v1.
    #[must_use]
    pub const fn v1(&self) -> SocketAddr {
        self.v1
    }

    /// The address of the upstream v2.
    #[must_use]
    pub const fn v2(&self) -> SocketAddr {
        self.v2
    }

    /// The address of the key server.
    #[must_use]
    pub const fn keys(&self) -> SocketAddr {
        self.keys
    }

    /// Checks that everything is running.
    ///
    /// # Errors
    ///
    /// An Envoy has exited. The error contains the end of its log.
    pub fn watch(&mut self) -> anyhow::Result<()> {
        for (name, envoy) in [("gateway", &mut self.gateway), ("upstreams", &mut self.upstreams)] {
            if let Some(status) = envoy.ended() {
                bail!("the Envoy of the {name} has exited: {status}\n{}", envoy.tail());
            }
        }
        Ok(())
    }
}

impl Ports {
    /// The address to listen on instead of a port of the files.
    fn choose(self, port: u16) -> SocketAddr {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match self {
            // Envoy would share a port with another Envoy; this listener does not.
            Self::OfTheFiles if TcpListener::bind(wanted).is_ok() => wanted,
            Self::OfTheFiles | Self::Free => ANY_LOCAL_PORT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_left_to_who_has_it() {
        let taken = TcpListener::bind(ANY_LOCAL_PORT).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(Ports::OfTheFiles.choose(port), ANY_LOCAL_PORT);
        drop(taken);
        assert_eq!(Ports::OfTheFiles.choose(port).port(), port);
        assert_eq!(Ports::Free.choose(port), ANY_LOCAL_PORT);
    }
}
