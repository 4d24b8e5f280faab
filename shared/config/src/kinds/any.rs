//! Documents that another standard describes.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::value::Value;

/// Any JSON.
#[derive(Clone, Copy, Debug)]
pub struct Any(&'static str);

/// Any JSON, without a repeated name. `schema`: what it should be, as JSON Schema.
pub const fn any(schema: &'static str) -> Any {
    Any(schema)
}

impl Kind for Any {
    type Out = serde_json::Value;

    fn read(&self, value: &Value<'_>) -> Option<serde_json::Value> {
        value.json()
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::parse(self.0)
    }
}
