//! Tests of the dependencies between packages and between modules.

mod directions;
mod graph;
mod imports;
mod source;

use graph::Graph;
use imports::Crate;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folders of all packages, relative to the root.
fn packages() -> Vec<PathBuf> {
    let mut packages = vec!["cli".into(), "tests".into()];
    for parent in ["filters", "shared", "tests"] {
        let folders = std::fs::read_dir(root().join(parent)).unwrap();
        packages.extend(folders.map(|folder| Path::new(parent).join(folder.unwrap().file_name())));
    }
    packages.retain(|package| root().join(package).join("Cargo.toml").is_file());
    packages.sort();
    packages
}

/// The crates of a package except its examples, each of which is one module.
fn crates(package: &Path) -> Vec<Crate> {
    let roots = ["src/lib.rs", "src/main.rs", "e2e/main.rs", "load/main.rs", "tests/structure/main.rs"];
    let files = roots.iter().map(|file| root().join(package).join(file)).filter(|file| file.is_file());
    files.map(|file| Crate::read(&file, &name(package))).collect()
}

/// The name of the library of a package.
fn name(package: &Path) -> String {
    let manifest = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
    name.trim_matches('"').replace('-', "_")
}

/// Two graphs must be free of circles: that of the modules, and that of the subtrees below each module.
#[test]
fn no_module_imports_in_a_circle() {
    let mut circles = BTreeSet::new();
    let mut imports = 0;
    for found in packages().iter().flat_map(|package| crates(package)) {
        let (mut modules, mut siblings) = (Graph::default(), Graph::default());
        for import in found.imports() {
            imports += 1;
            modules.add(&import.from, &import.to, &import.path);
            if let Some((from, to)) = import.siblings() {
                siblings.add(&from, &to, &format!("{}: {}", import.from, import.path));
            }
        }
        circles.extend(modules.circles());
        if circles.is_empty() {
            circles.extend(siblings.circles());
        }
    }
    let circles: Vec<_> = circles.into_iter().collect();
    assert!(imports > 200, "only {imports} imports are found");
    assert!(circles.is_empty(), "circular imports:\n\n{}", circles.join("\n\n"));
}
