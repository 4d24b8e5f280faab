//! Describes what a user writes, reads it, and reports everything that is wrong with it at once.
//!
//! A config error is a user interface: each problem names the JSON path, what was found and what is
//! expected, and a misspelt name gets a suggestion. Each field is described once, with its kind, its
//! bounds, its default and its documentation; the reader, its messages, the JSON Schema and the tables
//! of a README all come from that description.
//!
//! ```
//! use mesh_config::kinds::{integer, string};
//!
//! mesh_config::object! {
//!     /// A limit.
//!     pub struct Limit {
//!         /// Its name in counters.
//!         pub name: String = required(string()),
//!         /// How many requests a full bucket admits at once.
//!         pub burst: u32 = default(1, integer(1..=100)),
//!     }
//! }
//!
//! let problems = mesh_config::read(br#"{"nmae": "a", "burst": 0}"#, &Limit::kind()).err().unwrap();
//! assert_eq!(problems.to_string(), "name: missing\n\
//!     burst: found 0, expected an integer from 1 to 100\n\
//!     nmae: unknown field, did you mean `name`?");
//! assert!(mesh_config::schema("limit", "", &Limit::kind()).to_table().contains("| `burst` | integer, 1 to 100 | `1` |"));
//! ```

#[cfg(debug_assertions)]
pub mod asked;
mod case;
mod defs;
pub mod describe;
mod duration;
mod form;
pub mod json;
pub mod kind;
pub mod kinds;
mod macros;
mod node;
mod problem;
mod reader;
mod shape;
mod suggest;
mod value;

pub use describe::{Schema, schema};
pub use duration::{InvalidDuration, parse_duration, spelt};
pub use form::{Form, Group, OneOf, Refused};
pub use kind::Kind;
pub use node::{Node, decimal, shorten};
pub use problem::{Problem, ProblemKind, Problems};
pub use reader::Reader;
pub use suggest::quoted;
pub use value::{JsonType, Scalar, Value};

use problem::Sink;

/// Maximum length of a config, in bytes. It bounds the work of a bad push.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a whole config: `bytes` are JSON, and zero bytes are an empty object, because that is how Istio
/// delivers an empty `pluginConfig`.
///
/// # Errors
/// The problems found, at most 100, in the order of the fields.
pub fn read<K: Kind>(bytes: &[u8], kind: &K) -> Result<K::Out, Problems> {
    let node = parse(bytes)?;
    let sink = Sink::default();
    let config = kind.read(&Value::root(&node, &sink));
    match (config, Problems::from_sink(sink)) {
        (Some(config), None) => Ok(config),
        (_, Some(problems)) => Err(problems),
        // A kind that refuses a value has reported why; this one has not.
        (None, None) => Err(Problems::whole(ProblemKind::WrongType, "not a valid config".to_owned())),
    }
}

#[inline(never)]
fn parse(bytes: &[u8]) -> Result<Node, Problems> {
    if bytes.len() > MAX_BYTES {
        let found = bytes.len();
        let message = format!("found {found} bytes, expected at most {MAX_BYTES}");
        return Err(Problems::whole(ProblemKind::TooLarge, message));
    }
    if bytes.is_empty() {
        return Ok(Node::Object(Vec::new()));
    }
    Node::parse(bytes)
        .map_err(|error| Problems::whole(ProblemKind::WrongType, format!("not valid JSON: {error}")))
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
