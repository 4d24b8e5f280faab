//! The built modules.

use mesh_filters::{registry, workspace};
use mesh_host::callbacks::ALWAYS_EXPORTED;

/// Maximum number of instructions of a function.
const MOST_INSTRUCTIONS: u64 = 8_000;

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

/// V8 needs memory for the largest function that it compiles, and Envoy's allocator keeps it.
#[test]
fn no_function_of_a_module_is_large() {
    for module in registry::modules() {
        let name = module.name();
        let module = walrus::Module::from_file(module.build().unwrap()).unwrap();
        let largest = module.funcs.iter_local().map(|(_, function)| function.size()).max().unwrap();
        assert!(largest <= MOST_INSTRUCTIONS, "{name}: {largest} instructions");
    }
}

/// The documentation of fields is for schemas and READMEs; no module calls what would need it.
#[test]
fn a_module_holds_no_documentation_of_fields() {
    for filter in registry::FILTERS {
        let bytes = std::fs::read(filter.module().build().unwrap()).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&filter.schema().to_json()).unwrap();
        let mut docs = Vec::new();
        descriptions(&schema, &mut docs);
        assert!(docs.len() > 50, "{}: {} descriptions", filter.name(), docs.len());
        for doc in docs {
            // A line of a doc comment is longer than that.
            let start = doc.get(..30).unwrap_or(&doc);
            let said = bytes.windows(start.len()).any(|part| part == start.as_bytes());
            assert!(start.len() < 15 || !said, "{}: {doc}", filter.name());
        }
    }
}

fn descriptions(schema: &serde_json::Value, docs: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(keywords) => {
            docs.extend(keywords.get("description").and_then(|doc| doc.as_str()).map(str::to_owned));
            keywords.values().for_each(|schema| descriptions(schema, docs));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|schema| descriptions(schema, docs)),
        _ => {}
    }
}
