//! The post-link step: removes what the proxy does not use.
//!
//! Envoy enters the VM for each callback that a module exports, even if its filter does nothing there. The
//! linker keeps all exported functions; a section of the binary lists those that the filter uses
//! ([`mesh_host::callbacks`]).

use anyhow::{Context as _, ensure};
use mesh_host::callbacks::{ALWAYS_EXPORTED, Callbacks, SECTION};
use walrus::{Module, ModuleConfig};

/// Removes unused callbacks, other exports that the proxy does not call, unreachable code, and the custom
/// sections (names, producers, our own). Deterministic.
///
/// # Errors
///
/// The bytes are not a WebAssembly module, do not list the callbacks that they use, or lack a required
/// export.
pub fn strip(linked: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut module = parse(linked)?;
    let callbacks = callbacks(&mut module)?;
    reduce(module, callbacks)
}

/// The same for a module that does not name its callbacks, such as one of the Rust SDK.
///
/// # Errors
///
/// The bytes are no WebAssembly module, or they lack an export that they need.
pub fn keep(linked: &[u8], callbacks: Callbacks) -> anyhow::Result<Vec<u8>> {
    reduce(parse(linked)?, callbacks)
}

fn parse(linked: &[u8]) -> anyhow::Result<Module> {
    ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .generate_synthetic_names_for_anonymous_items(false)
        .parse(linked)
        .context("cannot read the linked module")
}

fn reduce(mut module: Module, callbacks: Callbacks) -> anyhow::Result<Vec<u8>> {
    let needed: Vec<&str> = ALWAYS_EXPORTED.into_iter().chain(callbacks.exports()).collect();
    for name in &needed {
        let present = module.exports.iter().any(|export| export.name == *name);
        ensure!(present, "the module does not export `{name}`, which it lists as used");
    }
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !needed.contains(&export.name.as_str()))
        .map(walrus::Export::id)
        .collect();
    for export in unused {
        module.exports.delete(export);
    }
    let custom: Vec<_> = module.customs.iter().map(|(section, _)| section).collect();
    for section in custom {
        module.customs.delete(section);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

/// Reads the module's list of the callbacks that it uses.
fn callbacks(module: &mut Module) -> anyhow::Result<Callbacks> {
    let section = module.customs.remove_raw(SECTION).with_context(|| {
        format!("the module has no section `{SECTION}`: is it exported by the macro of `mesh-host`?")
    })?;
    let bytes = <[u8; 4]>::try_from(section.data.as_slice()).with_context(|| {
        format!("the section `{SECTION}` has {} bytes where 4 are due", section.data.len())
    })?;
    Ok(Callbacks::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that exports everything, imports a function for each of two callbacks, and carries
    /// `callbacks` in its section.
    fn linked(callbacks: Callbacks) -> Vec<u8> {
        let flags: String = callbacks.to_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
        let functions: String = ALWAYS_EXPORTED
            .iter()
            .filter(|name| **name != "memory")
            .map(|name| format!("(func (export \"{name}\"))"))
            .collect();
        let text = format!(
            r#"(module
                (import "env" "of_request" (func $of_request))
                (import "env" "of_tick" (func $of_tick))
                (memory (export "memory") 1)
                (global (export "__heap_base") i32 (i32.const 1024))
                {functions}
                (func (export "proxy_on_request_headers") call $of_request)
                (func (export "proxy_on_tick") call $of_tick)
                (@custom "{SECTION}" "{flags}")
                (@custom "target_features" "x")
            )"#
        );
        wat::parse_str(text).unwrap()
    }

    fn exports(bytes: &[u8]) -> Vec<String> {
        let module = Module::from_buffer(bytes).unwrap();
        module.exports.iter().map(|export| export.name.clone()).collect()
    }

    #[test]
    fn what_is_needed_stays_and_the_rest_goes_with_its_code() {
        let stripped = strip(&linked(Callbacks::REQUEST_HEADERS)).unwrap();
        let mut expected: Vec<&str> = ALWAYS_EXPORTED.to_vec();
        expected.push("proxy_on_request_headers");
        let mut found = exports(&stripped);
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let module = Module::from_buffer(&stripped).unwrap();
        let imports: Vec<_> = module.imports.iter().map(|import| import.name.as_str()).collect();
        assert_eq!(imports, ["of_request"]);
        assert_eq!(module.customs.iter().count(), 0);
    }

    #[test]
    fn without_the_section_the_caller_says_what_stays() {
        let linked = linked(Callbacks::TICK);
        assert_eq!(
            keep(&linked, Callbacks::REQUEST_HEADERS).unwrap(),
            strip(&self::linked(Callbacks::REQUEST_HEADERS)).unwrap()
        );
    }

    #[test]
    fn the_same_bytes_give_the_same_bytes() {
        let linked = linked(Callbacks::TICK);
        assert_eq!(strip(&linked).unwrap(), strip(&linked).unwrap());
    }

    #[test]
    fn a_module_without_the_section_is_refused() {
        let error = strip(&wat::parse_str("(module)").unwrap()).unwrap_err().to_string();
        assert!(error.contains(SECTION), "{error}");
    }

    #[test]
    fn a_callback_that_is_announced_but_absent_is_refused() {
        let error = strip(&linked(Callbacks::HTTP_CALL)).unwrap_err().to_string();
        assert!(error.contains("`proxy_on_http_call_response`"), "{error}");
    }

    #[test]
    fn a_section_of_another_length_is_refused() {
        let text = format!(r#"(module (@custom "{SECTION}" "\01"))"#);
        let error = format!("{:#}", strip(&wat::parse_str(text).unwrap()).unwrap_err());
        assert!(error.contains("has 1 bytes where 4 are due"), "{error}");
    }
}
