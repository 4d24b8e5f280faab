//! Descriptions of what a config may be: JSON Schema, and the field tables of a README.
//!
//! Nothing of this is part of a module: a module never calls it, and the linker drops it with the
//! documentation of every field.

mod describer;
mod schema;
mod table;

pub use crate::defs::Defs;
pub use crate::shape::Shape;
pub use describer::Describer;
pub use schema::{Schema, schema};
