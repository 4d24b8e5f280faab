//! The time from a push to the first request that the pushed listener answers.
//!
//! Envoy reads its listeners from a file. A push replaces the file, and from then on a new connection asks every
//! millisecond; each listener answers with its version.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hyper::Request;
use serde_json::{Map, Value, json};

use super::listeners::{self, Modules};
use crate::bench::estimate::Estimate;
use crate::bench::rows::{self, Row};
use crate::bench::sample::request;
use crate::envoy::{Bootstrap, Envoy, Launch};
use crate::http::{self, Protocol};

const PUSHES: u32 = 9;
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);
/// Between two pushes, so that the listener that is replaced has drained.
const PAUSE: Duration = Duration::from_millis(300);

/// What changes with a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The filters' configs.
    Config,
    /// Their modules, which V8 has to compile.
    Module,
}

/// The times of a row in milliseconds.
pub(super) struct Push {
    pub(super) name: String,
    /// With new configs.
    pub(super) config: Estimate,
    /// With new modules, for rows that have some.
    pub(super) module: Option<Estimate>,
}

/// Measures the suite, five modules and the native chain.
pub(super) async fn measure(modules: &Modules) -> anyhow::Result<Vec<Push>> {
    let mut found = Vec::new();
    let rows = [listeners::suite(modules)?, listeners::five_modules(modules)?, listeners::chain()];
    for row in rows {
        let has_modules = vm_count(&mut rows::listener(&row)) > 0;
        let config = pushes(&row, Change::Config).await?;
        let module = if has_modules { Some(pushes(&row, Change::Module).await?) } else { None };
        eprintln!("pushes: {}", row.name);
        found.push(Push { name: row.name, config, module });
    }
    Ok(found)
}

async fn pushes(row: &Row, change: Change) -> anyhow::Result<Estimate> {
    let launch = Launch::new()?.concurrency(1).log_level("warning");
    let folder = launch.folder().to_owned();
    let file = folder.join("listeners.json");
    let mut next = Pushed { row, change, folder };
    std::fs::write(&file, next.version(0)?)?;
    let envoy = launch
        .start(&Bootstrap::from_value(json!({
            "node": {"id": "bench", "cluster": "bench"},
            "dynamic_resources": {"lds_config": {"path_config_source": {"path": file}}},
        })))
        .await?;
    until_answered(&envoy, row, 0).await?;
    let mut times = Vec::new();
    for version in 1..=PUSHES {
        tokio::time::sleep(PAUSE).await;
        let new = file.with_extension("new");
        std::fs::write(&new, next.version(version)?)?;
        let begin = Instant::now();
        std::fs::rename(&new, &file)?;
        until_answered(&envoy, row, version).await?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Estimate::of(times).context("too few pushes")
}

async fn until_answered(envoy: &Envoy, row: &Row, version: u32) -> anyhow::Result<()> {
    let begin = Instant::now();
    let address = envoy.listener(&row.name).await?;
    let (head, body) = request(row)?.into_parts();
    loop {
        // A listener that is replaced may close a connection.
        let answer =
            http::send(address, Protocol::Http1, Request::from_parts(head.clone(), body.clone())).await;
        if answer.is_ok_and(|answer| answer.text() == version.to_string()) {
            return Ok(());
        }
        ensure!(begin.elapsed() < DEADLINE, "`{}` does not take a push\n{}", row.name, envoy.tail());
        tokio::time::sleep(POLL).await;
    }
}

/// Makes what is pushed.
struct Pushed<'a> {
    row: &'a Row,
    change: Change,
    /// Takes the new modules.
    folder: PathBuf,
}

impl Pushed<'_> {
    /// The file of the listeners with this version.
    fn version(&mut self, version: u32) -> anyhow::Result<String> {
        let mut listener = rows::listener(self.row);
        answer_with(&mut listener, version);
        let mut vm = 0;
        each_vm(&mut listener, &mut |plugin| {
            vm += 1;
            match self.change {
                Change::Config => change_config(plugin, version),
                Change::Module => {
                    change_module(plugin, version, &self.folder.join(format!("{vm}-{version}.wasm")))
                }
            }
        })?;
        if let Some(listener) = listener.as_object_mut() {
            listener
                .insert("@type".to_owned(), json!("type.googleapis.com/envoy.config.listener.v3.Listener"));
        }
        Ok(json!({"version_info": version.to_string(), "resources": [listener]}).to_string())
    }
}

/// Lets the listener's route answer with the version.
fn answer_with(listener: &mut Value, version: u32) {
    match listener {
        Value::Array(items) => items.iter_mut().for_each(|item| answer_with(item, version)),
        Value::Object(entries) => {
            if let Some(answer) = entries.get_mut("direct_response").and_then(Value::as_object_mut) {
                answer.insert("body".to_owned(), json!({"inline_string": version.to_string()}));
            }
            entries.values_mut().for_each(|entry| answer_with(entry, version));
        }
        _ => {}
    }
}

/// The same config in other bytes: Envoy compares bytes.
fn change_config(plugin: &mut Map<String, Value>, version: u32) -> anyhow::Result<()> {
    let config = plugin.get_mut("configuration").and_then(|config| config.get_mut("value"));
    let config = config.context("a plugin has no config")?;
    *config = json!(format!("{}{}", config.as_str().unwrap_or_default(), " ".repeat(version as usize)));
    Ok(())
}

/// The same module in other bytes, as a new build would be.
fn change_module(plugin: &mut Map<String, Value>, version: u32, new: &Path) -> anyhow::Result<()> {
    let file = plugin.get_mut("vm_config").and_then(|vm| vm.pointer_mut("/code/local/filename"));
    let file = file.context("a plugin has no module")?;
    let mut module = std::fs::read(file.as_str().unwrap_or_default())?;
    module.extend(custom_section(&version.to_string()));
    std::fs::write(new, module)?;
    *file = json!(new);
    Ok(())
}

/// A custom section of WebAssembly with a name of less than 127 bytes and no content.
fn custom_section(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or_default();
    [&[0, length.saturating_add(1), length], name.as_bytes()].concat()
}

fn vm_count(listener: &mut Value) -> usize {
    let mut count = 0;
    // Counting cannot fail.
    let _ = each_vm(listener, &mut |_| {
        count += 1;
        Ok(())
    });
    count
}

/// Calls `change` with each plugin that has a VM.
fn each_vm(
    value: &mut Value,
    change: &mut impl FnMut(&mut Map<String, Value>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| each_vm(item, change)),
        Value::Object(plugin) if plugin.contains_key("vm_config") => change(plugin),
        Value::Object(entries) => entries.values_mut().try_for_each(|entry| each_vm(entry, change)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::wasm;

    fn pushed(change: Change, version: u32, folder: &Path) -> Value {
        let module = folder.join("module.wasm");
        std::fs::write(&module, wat::parse_str("(module)").unwrap()).unwrap();
        let row = wasm("row", &module, &json!({}));
        let text = Pushed { row: &row, change, folder: folder.to_owned() }.version(version).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(file["version_info"], version.to_string());
        file["resources"][0].take()
    }

    fn plugin(listener: &Value) -> &Value {
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(
            manager["route_config"]["virtual_hosts"][0]["routes"][0]["direct_response"]["status"],
            200
        );
        &manager["http_filters"][0]["typed_config"]["config"]
    }

    #[test]
    fn a_new_config_is_the_same_in_other_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [1, 2].map(|version| pushed(Change::Config, version, folder.path()));
        assert_eq!(plugin(&one)["configuration"]["value"], "{} ");
        assert_eq!(plugin(&two)["configuration"]["value"], "{}  ");
        assert_eq!(plugin(&one)["vm_config"], plugin(&two)["vm_config"]);
    }

    #[test]
    fn a_new_module_is_the_same_in_other_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = [1, 2].map(|version| {
            let listener = pushed(Change::Module, version, folder.path());
            let file = plugin(&listener)["vm_config"]["code"]["local"]["filename"].as_str().unwrap();
            std::fs::read(file).unwrap()
        });
        assert_ne!(bytes[0], bytes[1]);
        for (bytes, name) in bytes.iter().zip(["1", "2"]) {
            let module = walrus::Module::from_buffer(bytes).unwrap();
            assert!(module.customs.iter().any(|(_, section)| section.name() == name));
        }
    }
}
