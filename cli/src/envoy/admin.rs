//! The admin interface of a running Envoy.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hyper::{Method, Request};
use serde::Deserialize;
use serde_json::Value;

use super::config;
use crate::http::{self, Protocol};

/// The admin interface of one Envoy.
#[derive(Clone, Debug)]
pub struct Admin {
    address: SocketAddr,
}

impl Admin {
    /// The admin interface at an address. Does not connect.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether Envoy is ready to serve traffic.
    pub async fn is_live(&self) -> bool {
        self.get("/ready").await.is_ok_and(|answer| answer.trim() == "LIVE")
    }

    /// Sends a GET request, such as `/clusters`.
    ///
    /// # Errors
    ///
    /// Envoy does not answer, or its status is not 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<String> {
        self.ask(Method::GET, path).await
    }

    /// Sends a POST request, such as `/logging?wasm=debug`.
    ///
    /// # Errors
    ///
    /// Envoy does not answer, or its status is not 200.
    pub async fn post(&self, path: &str) -> anyhow::Result<String> {
        self.ask(Method::POST, path).await
    }

    /// Reads all counters and gauges.
    ///
    /// # Errors
    ///
    /// Envoy does not answer.
    pub async fn stats(&self) -> anyhow::Result<Stats> {
        Stats::read(&self.get("/stats?format=json").await?)
    }

    /// The active listeners by name, each with an address to connect to.
    ///
    /// # Errors
    ///
    /// Envoy does not answer.
    pub async fn listeners(&self) -> anyhow::Result<BTreeMap<String, SocketAddr>> {
        listeners(&self.get("/listeners?format=json").await?)
    }

    /// Envoy's version, state and command line.
    ///
    /// # Errors
    ///
    /// Envoy does not answer.
    pub async fn server_info(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get("/server_info").await?)?)
    }

    async fn ask(&self, method: Method, path: &str) -> anyhow::Result<String> {
        let request = Request::builder().method(method).uri(path).body(Bytes::new())?;
        let answer = http::send(self.address, Protocol::Http1, request)
            .await
            .with_context(|| format!("Envoy's admin interface does not answer `{path}`"))?;
        let text = answer.text();
        ensure!(answer.status.is_success(), "Envoy answers `{path}` with {}: {text}", answer.status);
        Ok(text)
    }
}

/// A snapshot of counters and gauges.
#[derive(Clone, Debug, Default)]
pub struct Stats(BTreeMap<String, u64>);

impl Stats {
    /// The value of a counter or gauge; 0 if it does not exist yet, since Envoy creates them on first use.
    #[must_use]
    pub fn value(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The sum of those whose names begin with `prefix`.
    #[must_use]
    pub fn sum(&self, prefix: &str) -> u64 {
        self.beginning(prefix).map(|(_, value)| value).sum()
    }

    /// Those whose names begin with `prefix`, sorted by name.
    pub fn beginning(&self, prefix: &str) -> impl Iterator<Item = (&str, u64)> {
        let prefix = prefix.to_owned();
        self.0
            .range(prefix.clone()..)
            .take_while(move |(name, _)| name.starts_with(&prefix))
            .map(|(name, value)| (name.as_str(), *value))
    }

    fn read(answer: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Answer {
            stats: Vec<Stat>,
        }
        // The list has histograms and strings as well.
        #[derive(Deserialize)]
        struct Stat {
            name: Option<String>,
            value: Option<Value>,
        }
        let answer: Answer = serde_json::from_str(answer).context("cannot read Envoy's statistics")?;
        let numbers = answer.stats.into_iter().filter_map(|stat| Some((stat.name?, stat.value?.as_u64()?)));
        Ok(Self(numbers.collect()))
    }
}

fn listeners(answer: &str) -> anyhow::Result<BTreeMap<String, SocketAddr>> {
    let answer: Value = serde_json::from_str(answer).context("cannot read Envoy's listeners")?;
    let statuses = answer.get("listener_statuses").and_then(Value::as_array);
    let mut listeners = BTreeMap::new();
    for status in statuses.into_iter().flatten() {
        let address = status.pointer("/local_address/socket_address");
        // A listener on a Unix domain socket has no port.
        if let (Some(name), Some(address)) = (status.get("name").and_then(Value::as_str), address) {
            listeners.insert(name.to_owned(), listening(address)?);
        }
    }
    Ok(listeners)
}

fn listening(address: &Value) -> anyhow::Result<SocketAddr> {
    let ip = address.get("address").and_then(Value::as_str).context("a listener has no address")?;
    let port = address.get("port_value").and_then(Value::as_u64).context("a listener has no port")?;
    Ok(config::reachable(SocketAddr::new(ip.parse()?, port.try_into()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_found_by_name_and_summed_by_prefix() {
        let stats = Stats::read(
            r#"{"stats":[{"name":"a.x","value":1},{"name":"a.y","value":2},{"name":"b","value":4},
                {"name":"text","value":"t"},{"histograms":{}}]}"#,
        )
        .unwrap();
        assert_eq!((stats.value("a.y"), stats.value("c"), stats.sum("a."), stats.sum("")), (2, 0, 3, 7));
    }

    #[test]
    fn a_listener_is_called_at_this_machine() {
        let found = listeners(
            r#"{"listener_statuses":[
                {"name":"a","local_address":{"socket_address":{"address":"0.0.0.0","port_value":8}}},
                {"name":"b","local_address":{"pipe":{"path":"/s"}}}]}"#,
        )
        .unwrap();
        assert_eq!(found, [("a".to_owned(), "127.0.0.1:8".parse().unwrap())].into());
    }
}
