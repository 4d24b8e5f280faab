//! The configurations of `envoy-configs/envoy/`, adapted to a local run.
//!
//! They are written for docker compose: upstreams by service names, modules below `/filters`, the key set
//! below `/keys`, fixed ports. A local run replaces the addresses and paths and nothing else.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

use crate::{workspace, yaml};

/// Any free port of this machine, not reachable from other machines.
pub const ANY_LOCAL_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The folder of the modules in a container.
const MODULES: &str = "/filters/";

/// The folder of the key server in a container.
const KEYS: &str = "/keys/";

/// An Envoy bootstrap configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap(Value);

impl Bootstrap {
    /// Reads `envoy-configs/envoy/<name>.yaml`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not YAML.
    pub fn load(name: &str) -> anyhow::Result<Self> {
        let path = workspace::envoy_configs().join(name).with_extension("yaml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Self::parse(&text).with_context(|| format!("in `{}`", path.display()))
    }

    /// Parses YAML, of which JSON is a subset.
    ///
    /// # Errors
    ///
    /// The text is not YAML, or not a mapping.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let value: Value = yaml::parse(text)?;
        ensure!(value.is_object(), "the configuration is not a mapping");
        Ok(Self(value))
    }

    /// A configuration from a value.
    #[must_use]
    pub const fn from_value(value: Value) -> Self {
        Self(value)
    }

    /// The configuration as a value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// The configuration as a value, to change it.
    pub const fn value_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// Sets the address of the admin interface.
    pub fn set_admin(&mut self, address: SocketAddr) {
        if let Some(bootstrap) = self.0.as_object_mut() {
            let admin = bootstrap.entry("admin").or_insert_with(|| Value::Object(Map::new()));
            *admin = json!({"address": socket_address(address)});
        }
    }

    /// The configured port of the admin interface, if there is one.
    #[must_use]
    pub fn admin_port(&self) -> Option<u16> {
        port(self.0.get("admin")?)
    }

    /// Sets the address of a listener.
    ///
    /// # Errors
    ///
    /// There is no listener with this name.
    pub fn set_listener(&mut self, name: &str, address: SocketAddr) -> anyhow::Result<()> {
        let listener = self.named("listeners", name)?;
        *listener.entry("address").or_insert(Value::Null) = socket_address(address);
        Ok(())
    }

    /// Sets the address of every listener and of the admin interface to [`ANY_LOCAL_PORT`].
    pub fn use_free_ports(&mut self) {
        for listener in self.list_mut("listeners") {
            if let Some(address) = listener.get_mut("address") {
                *address = socket_address(ANY_LOCAL_PORT);
            }
        }
        self.set_admin(ANY_LOCAL_PORT);
    }

    /// The names of the listeners, each with its configured port.
    #[must_use]
    pub fn listener_ports(&self) -> Vec<(String, u16)> {
        let listeners = self.0.pointer("/static_resources/listeners").and_then(Value::as_array);
        let named = |listener: &Value| Some((listener.get("name")?.as_str()?.to_owned(), port(listener)?));
        listeners.into_iter().flatten().filter_map(named).collect()
    }

    /// Makes one address the only endpoint of a cluster.
    ///
    /// # Errors
    ///
    /// There is no cluster with this name.
    pub fn set_cluster(&mut self, name: &str, address: SocketAddr) -> anyhow::Result<()> {
        let cluster = self.named("clusters", name)?;
        // An address needs no resolver.
        cluster.insert("type".to_owned(), json!("STATIC"));
        cluster.insert(
            "load_assignment".to_owned(),
            json!({
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(address)}}]}],
            }),
        );
        Ok(())
    }

    /// Loads the modules from `folder` instead of the container's `/filters`.
    pub fn set_modules(&mut self, folder: &Path) {
        self.move_files(MODULES, folder);
    }

    /// Serves the key set from `folder` instead of the container's `/keys`.
    pub fn set_keys(&mut self, folder: &Path) {
        self.move_files(KEYS, folder);
    }

    fn move_files(&mut self, from: &str, to: &Path) {
        each_string(&mut self.0, &mut |key, text| {
            if key == "filename"
                && let Some(file) = text.strip_prefix(from)
            {
                *text = to.join(file).to_string_lossy().into_owned();
            }
        });
    }

    /// The config of the Wasm plugin with this name.
    #[must_use]
    pub fn plugin_config(&self, name: &str) -> Option<&str> {
        plugin(&self.0, name)?.pointer("/configuration/value")?.as_str()
    }

    /// The entry with this name in a list of `static_resources`.
    fn named(&mut self, list: &str, name: &str) -> anyhow::Result<&mut Map<String, Value>> {
        let found = self.list_mut(list).iter_mut().filter_map(Value::as_object_mut);
        match found.into_iter().find(|entry| entry.get("name").is_some_and(|found| found == name)) {
            Some(entry) => Ok(entry),
            None => bail!("the configuration has no `{name}` among its {list}"),
        }
    }

    fn list_mut(&mut self, list: &str) -> &mut [Value] {
        self.0
            .pointer_mut(&format!("/static_resources/{list}"))
            .and_then(Value::as_array_mut)
            .map_or(&mut [], Vec::as_mut_slice)
    }
}

/// An address as Envoy's configuration has it.
#[must_use]
pub fn socket_address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// The address to connect to, for a listener on every address of the machine.
#[must_use]
pub fn reachable(listening: SocketAddr) -> SocketAddr {
    if listening.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listening.port())
    } else {
        listening
    }
}

/// The port in an `address`.
fn port(listening: &Value) -> Option<u16> {
    listening.pointer("/address/socket_address/port_value")?.as_u64()?.try_into().ok()
}

/// The object with this name and a `vm_config`.
fn plugin<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| plugin(item, name)),
        Value::Object(entries) if entries.contains_key("vm_config") => {
            entries.get("name").is_some_and(|found| found == name).then_some(value)
        }
        Value::Object(entries) => entries.values().find_map(|entry| plugin(entry, name)),
        _ => None,
    }
}

/// Calls `change` with every string that has this key.
fn each_string(value: &mut Value, change: &mut impl FnMut(&str, &mut String)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(entries) => {
            for (key, entry) in entries {
                if let Value::String(text) = entry {
                    change(key, text);
                } else {
                    each_string(entry, change);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_runs_locally_with_other_addresses_and_nothing_else_changed() {
        let mut bootstrap = Bootstrap::load("demo").unwrap();
        let names =
            ["canary", "fault", "jwt-authz", "rate-limit", "suite", "trace-context"].map(str::to_owned);
        let ports = |ports: [u16; 6]| Vec::from_iter(names.clone().into_iter().zip(ports));
        assert_eq!(bootstrap.listener_ports(), ports([10002, 10003, 10001, 10000, 10005, 10004]));
        assert_eq!(bootstrap.admin_port(), Some(9901));
        let files = bootstrap.clone();
        bootstrap.use_free_ports();
        bootstrap.set_cluster("v1", "127.0.0.1:8".parse().unwrap()).unwrap();
        bootstrap.set_modules(Path::new("/somewhere"));
        assert_eq!(bootstrap.listener_ports(), ports([0; 6]));
        let text = bootstrap.value().to_string();
        assert!(text.contains(r#""filename":"/somewhere/rate-limit.wasm""#), "{text}");
        assert!(text.contains(r#"{"address":"127.0.0.1","port_value":8}"#), "{text}");
        assert_eq!(bootstrap.value().get("stats_config"), files.value().get("stats_config"));
    }

    #[test]
    fn the_key_set_is_read_from_where_it_is() {
        let mut bootstrap = Bootstrap::load("upstreams").unwrap();
        bootstrap.set_keys(Path::new("/somewhere"));
        let text = bootstrap.value().to_string();
        assert!(text.contains(r#""filename":"/somewhere/jwks.json""#), "{text}");
    }

    #[test]
    fn a_literal_block_is_taken_as_it_stands() {
        let bootstrap = Bootstrap::load("demo").unwrap();
        let fields = [
            ("canary", "rules"),
            ("fault", "rules"),
            ("jwt-authz", "providers"),
            ("rate-limit", "limits"),
            ("suite", "filters"),
            ("trace-context", "extract"),
        ];
        for (name, field) in fields {
            let config = bootstrap.plugin_config(name).unwrap();
            assert!(serde_json::from_str::<Value>(config).unwrap().get(field).is_some(), "{config}");
        }
        assert_eq!(bootstrap.plugin_config("v1"), None);
    }

    #[test]
    fn what_is_not_there_cannot_be_set() {
        let mut bootstrap = Bootstrap::load("upstreams").unwrap();
        let error = bootstrap.set_cluster("v3", ANY_LOCAL_PORT).unwrap_err().to_string();
        assert_eq!(error, "the configuration has no `v3` among its clusters");
        assert!(Bootstrap::parse("- a").is_err());
    }
}
