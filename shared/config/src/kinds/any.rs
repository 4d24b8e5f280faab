//! Values of several JSON types.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::value::Value;

/// A value that is read by a function, whatever its JSON type.
#[derive(Clone, Copy)]
pub struct Any<T> {
    read: fn(&Value<'_>) -> Option<T>,
    schema: &'static str,
}

/// A value that is read by a function, which reports a problem with it otherwise. `schema`: what it may be, as
/// JSON Schema.
pub const fn any<T>(schema: &'static str, read: fn(&Value<'_>) -> Option<T>) -> Any<T> {
    Any { read, schema }
}

impl<T> Kind for Any<T> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        (self.read)(value)
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::parse(self.schema)
    }
}
