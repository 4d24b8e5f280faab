//! The real addresses of the demo.
//!
//! The scenario uses the ports of the configuration files; they are replaced here.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context as _;

/// The host and the separator that precede a port in the commands.
const LOCALHOST: &str = "localhost:";

/// The ports of the files, each with its real address.
#[derive(Clone, Debug)]
pub struct Endpoints {
    host: String,
    /// `None`: the ports are those of the files.
    ports: Option<BTreeMap<u16, u16>>,
}

impl Endpoints {
    /// The ports of the files, on a host.
    #[must_use]
    pub fn of_the_files(host: &str) -> Self {
        Self { host: host.to_owned(), ports: None }
    }

    /// Ports of this machine: those of the files, each with the real one.
    #[must_use]
    pub fn local(ports: impl IntoIterator<Item = (u16, u16)>) -> Self {
        Self { host: "localhost".to_owned(), ports: Some(ports.into_iter().collect()) }
    }

    /// The real address of a port of the files, as `host:port`.
    ///
    /// # Errors
    ///
    /// Nothing of the demo listens there.
    pub fn authority(&self, port: u16) -> anyhow::Result<String> {
        let real = match &self.ports {
            None => Some(port),
            Some(ports) => ports.get(&port).copied(),
        };
        let real = real.with_context(|| format!("nothing of the demo listens on port {port}"))?;
        Ok(format!("{}:{real}", self.host))
    }

    /// Replaces the ports in a command of the scenario.
    ///
    /// # Errors
    ///
    /// It has a port on which nothing of the demo listens.
    pub fn in_line(&self, line: &str) -> anyhow::Result<String> {
        // In one pass, since a real port may equal another port of the files.
        let mut parts = line.split(LOCALHOST);
        let mut real = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits =
                part.len() - part.trim_start_matches(|character: char| character.is_ascii_digit()).len();
            let (port, rest) = part.split_at_checked(digits).unwrap_or(("", part));
            let port = port.parse().with_context(|| format!("`{line}` names no port"))?;
            real.push_str(&self.authority(port)?);
            real.push_str(rest);
        }
        Ok(real)
    }
}

/// Finds the address of `host:port`.
pub(super) async fn resolve(authority: &str) -> anyhow::Result<SocketAddr> {
    let addresses = tokio::net::lookup_host(authority).await;
    let addresses = addresses.with_context(|| format!("cannot resolve `{authority}`"))?;
    // `localhost` often has an IPv4 and an IPv6 address; the gateway listens on the first.
    addresses.min_by_key(SocketAddr::is_ipv6).with_context(|| format!("`{authority}` has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_replaced_once_each() {
        let endpoints = Endpoints::local([(10000, 9901), (9901, 10000)]);
        let line =
            endpoints.in_line("curl http://localhost:10000/localhost:9901 'http://localhost:9901/'").unwrap();
        assert_eq!(line, "curl http://localhost:9901/localhost:10000 'http://localhost:10000/'");
    }

    #[test]
    fn elsewhere_the_ports_are_those_of_the_files() {
        let endpoints = Endpoints::of_the_files("gateway.test");
        assert_eq!(
            endpoints.in_line("curl http://localhost:10000/").unwrap(),
            "curl http://gateway.test:10000/"
        );
    }

    #[test]
    fn a_port_that_nothing_listens_on_is_an_error() {
        let error = Endpoints::local([]).in_line("curl http://localhost:1/").unwrap_err().to_string();
        assert_eq!(error, "nothing of the demo listens on port 1");
    }
    #[tokio::test]
    async fn localhost_resolves_to_ipv4() {
        assert_eq!(resolve("localhost:8").await.unwrap().to_string(), "127.0.0.1:8");
    }
}
