//! Objects with known fields.

use crate::describe::{Defs, Describer, Shape};
use crate::form::Form;
use crate::kind::Kind;
use crate::reader::Reader;
use crate::value::Value;

/// A type that is read from the fields of an object: see [`object!`](crate::object!).
pub trait Object: Sized {
    /// What its fields depend on besides each other; `()` for most.
    type Context<'a>: Copy + Default;

    /// Its name in a schema.
    const NAME: &'static str;

    /// Reads an object: [`by_fields`]. A type has this once; if it was generic, each crate that uses the type would
    /// compile it, and modules would be larger.
    fn read(value: &Value<'_>, context: Self::Context<'_>) -> Option<Self>;

    /// Asks for every field.
    fn fields<F: Form>(form: &mut F, context: Self::Context<'_>) -> Option<Self>;
}

/// Reads an object by its fields, for [`Object::read`].
pub fn by_fields<T: Object>(value: &Value<'_>, context: T::Context<'_>) -> Option<T> {
    Reader::object(value, std::any::type_name::<T>(), |reader| T::fields(reader, context))
}

/// The kind of an [`Object`].
pub struct Record<'a, T: Object>(T::Context<'a>);

/// An object with known fields.
#[must_use]
pub fn object<T: Object>() -> Record<'static, T> {
    Record(T::Context::default())
}

/// An object whose fields depend on something else.
pub const fn object_with<T: Object>(context: T::Context<'_>) -> Record<'_, T> {
    Record(context)
}

impl<T: Object> Kind for Record<'_, T> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        T::read(value, self.0)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        Describer::object(defs, T::NAME, std::any::type_name::<T>(), |form| {
            T::fields(form, T::Context::default());
        })
    }
}
