//! Values that another document describes.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::value::Value;

/// A kind whose fields are in the tables of another README.
#[derive(Clone, Copy, Debug)]
pub struct Linked<K> {
    kind: K,
    link: &'static str,
}

/// `kind`, whose fields are in the tables of another README: in this one's they are left out. The schema has them.
pub const fn linked<K: Kind>(kind: K, link: &'static str) -> Linked<K> {
    Linked { kind, link }
}

impl<K: Kind> Kind for Linked<K> {
    type Out = K::Out;

    fn read(&self, value: &Value<'_>) -> Option<K::Out> {
        self.kind.read(value)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.kind.shape(defs).with("x-fields-in", self.link)
    }
}
