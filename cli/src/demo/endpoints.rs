//! Where things really are.
//!
//! The scenario is written with the ports of the configuration files. Whatever says another place, says
//! it here.

use std::collections::BTreeMap;

use anyhow::Context as _;

/// How the lines name the demo's machine.
const LOCALHOST: &str = "localhost:";

/// The ports of the files, each with where it is reached.
#[derive(Clone, Debug)]
pub struct Endpoints {
    host: String,
    /// None: every port is what the files say.
    ports: Option<BTreeMap<u16, u16>>,
}

impl Endpoints {
    /// Everything is where the files say, on some host.
    #[must_use]
    pub fn of_the_files(host: &str) -> Self {
        Self { host: host.to_owned(), ports: None }
    }

    /// Everything is on this machine: the files' ports, each with the real one.
    #[must_use]
    pub fn local(ports: impl IntoIterator<Item = (u16, u16)>) -> Self {
        Self { host: "localhost".to_owned(), ports: Some(ports.into_iter().collect()) }
    }

    /// Where a port of the files is, as `host:port`.
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

    /// A line of the scenario with the real endpoints in it.
    ///
    /// # Errors
    ///
    /// It names a port that nothing of the demo listens on.
    pub fn in_line(&self, line: &str) -> anyhow::Result<String> {
        // One pass over the line: a real port may be another one's port in the files.
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
}
