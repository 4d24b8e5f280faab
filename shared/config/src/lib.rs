//! Reads what a user wrote and reports everything that is wrong with it at once.
//!
//! A config error is a user interface: each problem names the JSON path, what was found and what
//! is allowed, and a misspelt name gets a suggestion. So a reader does not stop at the first
//! problem: it asks for every field, then builds its value from those that were good.
//!
//! ```
//! use mesh_config::Fields;
//!
//! struct Limit { name: String, burst: u64 }
//!
//! fn limit(fields: &Fields<'_>) -> Option<Limit> {
//!     let name = fields.required("name", |value| value.text().map(str::to_owned));
//!     let burst = fields.or("burst", 1, |value| value.integer(1..=100));
//!     Some(Limit { name: name?, burst: burst? })
//! }
//!
//! let problems = mesh_config::read(br#"{"nmae": "a", "burst": 0}"#, limit).err().unwrap();
//! assert_eq!(problems.to_string(), "name: missing\n\
//!     burst: found 0, expected a whole number from 1 to 100\n\
//!     nmae: unknown field, did you mean `name`?");
//! ```

mod duration;
mod fields;
pub mod json;
mod node;
mod problem;
mod suggest;
mod value;

pub use duration::{InvalidDuration, parse_duration};
pub use fields::Fields;
pub(crate) use node::Node;
pub use node::shorten;
pub use problem::{Problem, Problems};
pub use suggest::quoted;
pub use value::Value;

use problem::Sink;

/// The most bytes a config may have. Far above any sensible one; it bounds the work of a bad push.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a whole config: `bytes` are a JSON object, and zero bytes are an empty object, because
/// that is how Istio delivers an empty `pluginConfig`.
///
/// # Errors
/// Every problem found, in the order in which `reader` came to it.
pub fn read<T>(bytes: &[u8], reader: impl FnOnce(&Fields<'_>) -> Option<T>) -> Result<T, Problems> {
    if bytes.len() > MAX_BYTES {
        let found = bytes.len();
        return Err(Problems::one(format!("found {found} bytes, expected at most {MAX_BYTES}")));
    }
    let node = match bytes {
        [] => Node::Object(Vec::new()),
        bytes => Node::parse(bytes).map_err(|error| Problems::one(format!("not valid JSON: {error}")))?,
    };
    let sink = Sink::default();
    let config = Value::root(&node, &sink).object(reader);
    match (config, Problems::from_sink(sink)) {
        (Some(config), None) => Ok(config),
        (_, Some(problems)) => Err(problems),
        // A reader that gives up has said why; this one has not.
        (None, None) => Err(Problems::one("not a valid config".to_owned())),
    }
}

#[cfg(test)]
mod tests;

/// `#[test]` that runs natively and in a Wasm engine alike.
#[cfg(test)]
mod testing {
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub(crate) use core::prelude::v1::test;
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;
}
