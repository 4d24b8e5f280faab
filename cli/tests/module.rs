//! The modules as they are built.

use mesh_filters::{registry, workspace};
use mesh_host::callbacks::ALWAYS_EXPORTED;

#[test]
fn a_module_says_nothing_about_the_machine_that_built_it() {
    let folders = [workspace::root().to_owned(), workspace::target(), std::env::home_dir().unwrap()];
    for module in registry::modules() {
        let bytes = std::fs::read(module.build().unwrap()).unwrap();
        for folder in &folders {
            let name = folder.to_str().unwrap();
            let said = bytes.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(!said, "{}: {name}", module.name());
        }
    }
}

#[test]
fn a_module_holds_what_the_proxy_calls_and_no_more() {
    for module in registry::modules() {
        let module = walrus::Module::from_file(module.build().unwrap()).unwrap();
        for export in module.exports.iter() {
            let name = export.name.as_str();
            assert!(ALWAYS_EXPORTED.contains(&name) || name.starts_with("proxy_on_"), "{name}");
        }
        assert_eq!(module.customs.iter().count(), 0);
    }
}
