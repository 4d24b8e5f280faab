use super::{FILTERS, find, names};
use crate::demo::scenario::Scenario;
use crate::workspace::{dist, root};
use crate::yaml;
use serde_json::Value;
use std::collections::BTreeSet;

fn registered() -> BTreeSet<String> {
    names().map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file names in a folder, without extensions.
fn stems(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The packages of a cargo command, after each `-p`.
fn packages(command: &str) -> BTreeSet<&str> {
    let mut words = command.split_whitespace();
    std::iter::from_fn(|| words.find(|word| *word == "-p").and_then(|_| words.next())).collect()
}

#[test]
fn only_shipped_modules_have_a_name_for_users() {
    for filter in FILTERS {
        assert_eq!(find(filter.name()).unwrap().module(), filter.module());
    }
    assert_eq!(find("rate-limit").unwrap().module().path(), dist().join("rate-limit.wasm"));
    assert!(find("noop").is_none());
}

#[test]
fn every_filter_is_known() {
    for filter in FILTERS {
        let of = |config: &[u8]| filter.check(config).err().map_or(0, |problems| problems.iter().count());
        assert_eq!(of(b"{\"x\": 1}"), of(b"{}") + 1, "{}", filter.name());
    }
}

#[test]
fn every_folder_of_a_filter_is_a_package_and_registered() {
    assert_eq!(stems("filters"), registered());
    for name in names() {
        let manifest = read(&format!("filters/{name}/Cargo.toml"));
        // The package and the example, which becomes the module.
        assert_eq!(manifest.matches(&format!("name = \"{name}\"\n")).count(), 2, "{name}");
    }
}

#[test]
fn the_workspace_has_every_filter() {
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
    assert!(members.contains("\"filters/*\""), "{members}");
    for name in names() {
        assert!(manifest.contains(&format!("\n{name} = {{ path = \"filters/{name}\" }}\n")), "{name}");
    }
}

#[test]
fn the_gate_lints_every_filter_for_wasm() {
    assert!(read(".ci/run").contains("for filter in filters/*/; do"));
    let contributing = read("CONTRIBUTING.md");
    for start in ["cargo clippy --target wasm32-wasip1 ", "PROPTEST_CASES="] {
        let line = contributing.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
        let named = packages(line);
        assert!(names().all(|name| named.contains(name)), "{line}");
    }
}

#[test]
fn every_filter_is_in_the_configs_of_envoy_and_istio() {
    // An EnvoyFilter with the same plugin has a manifest of its own.
    let manifests = stems("envoy-configs/istio").into_iter();
    let filters = manifests.map(|stem| stem.strip_suffix("-envoy-filter").unwrap_or(&stem).to_owned());
    assert_eq!(filters.collect::<BTreeSet<_>>(), registered());
    let demo: Value = yaml::parse(&read("envoy-configs/envoy/demo.yaml")).unwrap();
    let listeners = demo["static_resources"]["listeners"].as_array().unwrap();
    let listeners: Vec<_> = listeners.iter().map(|listener| listener["name"].as_str().unwrap()).collect();
    assert!(names().all(|name| listeners.contains(&name)), "{listeners:?}");
    let scenario = Scenario::load().unwrap();
    let chapters = scenario.chapters.iter().map(|chapter| chapter.filter.clone());
    assert_eq!(chapters.collect::<BTreeSet<_>>(), registered());
}

#[test]
fn every_filter_has_a_readme_and_examples() {
    for name in names() {
        let folder = root().join("filters").join(name);
        assert!(folder.join("README.md").is_file(), "{name}");
        assert!(folder.join("examples").read_dir().unwrap().next().is_some(), "{name}");
        assert!(read("README.md").contains(&format!("filters/{name}")), "{name}");
    }
}
