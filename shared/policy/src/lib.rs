//! The vocabulary of all filters: parts of configs, facts of requests, and effects of decisions.
//!
//! This crate is pure: it has no access to the proxy, clocks or randomness. Time and random numbers are passed as
//! values, and effects are returned as data, so policies can be tested without a proxy.

pub mod authority;
mod by_name;
pub mod client_ip;
pub mod cookie;
pub mod effects;
pub mod facts;
pub mod grpc;
pub mod hash;
pub mod headers;
pub mod key_part;
pub mod label;
pub mod matching;
pub mod metric;
pub mod mode;
pub mod name;
pub mod on_error;
pub mod outcome;
pub mod path;
pub mod percent;
pub mod policy;
pub mod preflight;
pub mod reason;
pub mod refusal;
pub mod reply;
pub mod report;
pub mod rfc3339;
pub mod routes;
pub mod scope;
pub mod set_cookie;
pub mod settings;
pub mod store;
pub mod summary;
pub mod table;
pub mod time;
pub mod truth;
pub mod verdict;

/// `#[test]` that runs natively and in a Wasm engine.
#[cfg(test)]
mod testing {
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub(crate) use core::prelude::v1::test;
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

    use mesh_config::{Kind, Value};

    /// Reads a value as the field `name` of a config; what is wrong with it otherwise.
    pub(crate) fn read_field<K: Kind>(name: &'static str, json: &str, kind: K) -> Result<K::Out, String> {
        struct Field<K>(&'static str, K);

        impl<K: Kind> Kind for Field<K> {
            type Out = K::Out;

            fn read(&self, value: &Value<'_>) -> Option<K::Out> {
                mesh_config::Reader::object(value, "", |reader| {
                    mesh_config::Form::required(reader, self.0, "", &self.1)
                })
            }

            fn shape(&self, defs: &mut mesh_config::describe::Defs) -> mesh_config::describe::Shape {
                self.1.shape(defs)
            }
        }

        let config = format!("{{{name:?}: {json}}}");
        mesh_config::read(config.as_bytes(), &Field(name, kind)).map_err(|problems| problems.to_string())
    }
}
