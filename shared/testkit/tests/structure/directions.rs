//! Packages depend downwards, and within a filter only the module `filter` uses the proxy.

use crate::{crates, name, packages, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The dependencies of each shared package, without dev-dependencies. A filter may depend on the first three.
const LAYERS: [(&str, &[&str]); 4] = [
    ("mesh_config", &[]),
    ("mesh_policy", &["mesh_config"]),
    ("mesh_host", &["mesh_config", "mesh_policy"]),
    ("mesh_testkit", &["mesh_config", "mesh_policy"]),
];

/// Whether a package is a filter, or the sample filter.
fn is_filter(package: &Path) -> bool {
    package.starts_with("filters") || package.ends_with("sample-filter")
}

/// Our packages among the `[dependencies]` of a manifest.
fn dependencies(manifest: &str, ours: &BTreeSet<String>) -> BTreeSet<String> {
    let section = manifest.split("\n[").find_map(|section| section.strip_prefix("dependencies]"));
    let names = section.unwrap_or_default().lines().filter_map(|line| line.split(['.', ' ']).next());
    names.map(|name| name.replace('-', "_")).filter(|name| ours.contains(name)).collect()
}

#[test]
fn packages_depend_downwards() {
    let ours: BTreeSet<_> = packages().iter().map(|package| name(package)).collect();
    let found: BTreeMap<_, _> = packages()
        .iter()
        .filter(|package| is_filter(package) || package.starts_with("shared"))
        .map(|package| {
            let manifest = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
            (name(package), dependencies(&manifest, &ours))
        })
        .collect();
    let filters: BTreeSet<_> = packages()
        .iter()
        .filter(|package| package.starts_with("filters") && !package.ends_with("suite"))
        .map(|package| name(package))
        .collect();
    for (package, dependencies) in found {
        let allowed = LAYERS.iter().find(|(layer, _)| *layer == package).map(|(_, allowed)| *allowed);
        // Otherwise it is a filter; the suite has the filters as its parts.
        let allowed = allowed.unwrap_or(&["mesh_config", "mesh_policy", "mesh_host"]);
        let is_part = |dependency: &str| package == "suite" && filters.contains(dependency);
        for dependency in dependencies {
            assert!(
                is_part(&dependency) || allowed.contains(&dependency.as_str()),
                "{package} depends on {dependency}"
            );
        }
    }
}

#[test]
fn dependencies_are_those_of_the_program() {
    let manifest = "[package]\nname = \"a\"\n\n[dependencies]\nb-c.workspace = true\nd = { path = \"x\" }\nserde = \"1\"\n\n[dev-dependencies]\ne.workspace = true\n";
    let ours = ["b_c", "d", "e"].map(str::to_owned).into();
    assert_eq!(dependencies(manifest, &ours), ["b_c", "d"].map(str::to_owned).into());
}

/// `config` and `policy` are in the same package as `filter`, so the manifest cannot enforce this.
#[test]
fn only_the_filter_itself_knows_the_proxy() {
    let filters: Vec<_> = packages().into_iter().filter(|package| is_filter(package)).collect();
    assert!(filters.len() > 2);
    for package in filters {
        let top = format!("{}::filter", name(&package));
        let is_below_filter =
            |module: &str| Path::new(&module.replace("::", "/")).starts_with(top.replace("::", "/"));
        for found in crates(&package) {
            for (module, path) in found.users_of("mesh_host") {
                assert!(is_below_filter(&module), "{module} uses {path}");
            }
            for import in found.imports() {
                let is_upwards = is_below_filter(&import.to) && !is_below_filter(&import.from);
                assert!(!is_upwards, "{} uses {}", import.from, import.path);
            }
        }
    }
}

/// A package's `clippy.toml` replaces the workspace's, so it must repeat its lines.
#[test]
fn the_pure_packages_ban_the_same_and_keep_what_the_workspace_says() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let bans = read("shared/policy/clippy.toml");
    assert_eq!(read("shared/config/clippy.toml"), bans);
    assert!(bans.starts_with(&read("clippy.toml")));
    for banned in ["std::time::Instant", "std::hash::RandomState", "getrandom::fill", "std::fs::File"] {
        assert!(bans.contains(&format!("{{ path = \"{banned}\", reason = \"")), "{banned}");
    }
}
