//! The modules as binaries.

use mesh_filters::module::{Module, NOOP, PROBE};
use mesh_filters::registry::{self, CANARY, FAULT, Filter, RATE_LIMIT, SUITE};

/// Prefixes of the functions of ABI 0.2.1 and WASI. A host refuses a module that imports a function it lacks.
const ALLOWED: [&str; 2] = ["env.proxy_", "wasi_snapshot_preview1."];

/// Maximum size of a module. jwt-authz has twelve signature algorithms, which take a third of it.
const fn max_bytes(module: Module) -> usize {
    match module.name().as_bytes() {
        b"jwt-authz" => 1_000_000,
        b"suite" => 1_500_000,
        _ => 600_000,
    }
}

/// The names of a module's imports and exports.
fn names(wasm: &[u8]) -> (Vec<String>, Vec<String>) {
    let module = walrus::Module::from_buffer(wasm).unwrap();
    let imports = module.imports.iter().map(|import| format!("{}.{}", import.module, import.name)).collect();
    let exports = module.exports.iter().map(|export| export.name.clone()).collect();
    (imports, exports)
}

#[test]
fn modules_import_what_every_host_has_and_export_what_they_use() {
    for module in registry::modules() {
        let wasm = std::fs::read(module.build().unwrap()).unwrap();
        let (imports, exports) = names(&wasm);
        for import in &imports {
            assert!(ALLOWED.iter().any(|allowed| import.starts_with(allowed)), "{import}");
        }
        assert!(wasm.len() < max_bytes(module), "{} has {} bytes", module.name(), wasm.len());
        // No filter reads or changes the body of a request, and a request that waits holds it without a callback. fault cuts
        // and slows down responses. All but rate-limit remove headers from trailers, and canary reads gRPC statuses.
        let exported = |name: &str| exports.iter().any(|export| export == name);
        // The suite exports what any of its filters does.
        let is = |filter: Filter| module == filter.module() || module == SUITE.module();
        assert!(!exported("proxy_on_request_body"));
        assert_eq!(exported("proxy_on_response_body"), is(FAULT));
        assert_eq!(exported("proxy_on_request_trailers"), module != RATE_LIMIT.module());
        assert_eq!(exported("proxy_on_response_trailers"), is(CANARY) || is(FAULT));
    }
}

#[test]
fn a_callback_that_a_chain_does_not_use_is_not_exported() {
    let noop = std::fs::read(NOOP.build().unwrap()).unwrap();
    let callbacks = |wasm: &[u8]| {
        let (_, exports) = names(wasm);
        exports.into_iter().filter(|name| name.starts_with("proxy_on_")).collect::<Vec<_>>()
    };
    let mut used = callbacks(&noop);
    used.sort_unstable();
    assert_eq!(
        used,
        [
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_vm_start",
        ]
    );
    let probe = std::fs::read(PROBE.build().unwrap()).unwrap();
    assert!(callbacks(&probe).contains(&"proxy_on_grpc_close".to_owned()));
}

#[test]
fn a_module_does_not_say_where_it_was_built() {
    for module in registry::modules() {
        let wasm = std::fs::read(module.build().unwrap()).unwrap();
        let root = mesh_filters::workspace::root().to_str().unwrap();
        let home = std::env::var("HOME").unwrap();
        for place in [root, home.as_str()] {
            assert!(
                place.len() < 5 || !wasm.windows(place.len()).any(|bytes| bytes == place.as_bytes()),
                "{place}"
            );
        }
    }
}
