//! Values that have a short and a long form.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::problem::ProblemKind;
use crate::value::{JsonType, Value};

/// One of two kinds, by the JSON type of the value.
#[derive(Clone, Copy, Debug)]
pub struct Either<A, B> {
    json_type: JsonType,
    first: A,
    second: B,
}

/// `first` if the value is of its JSON type, else `second`.
pub const fn either<A: Kind, B: Kind<Out = A::Out>>(
    json_type: JsonType,
    first: A,
    second: B,
) -> Either<A, B> {
    Either { json_type, first, second }
}

impl<A: Kind, B: Kind<Out = A::Out>> Kind for Either<A, B> {
    type Out = A::Out;

    #[inline(never)]
    fn read(&self, value: &Value<'_>) -> Option<A::Out> {
        if value.is(self.json_type) { self.first.read(value) } else { self.second.read(value) }
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        Shape::any_of([self.second.shape(defs), self.first.shape(defs)])
    }
}

/// A kind, with a hint for a common mistake.
#[derive(Clone, Copy, Debug)]
pub struct Hint<K> {
    kind: K,
    json_type: JsonType,
    expected: &'static str,
}

/// `kind`, with another message for a value of `json_type`, which it does not accept: `expected` names what is.
pub const fn hint<K: Kind>(kind: K, json_type: JsonType, expected: &'static str) -> Hint<K> {
    Hint { kind, json_type, expected }
}

impl<K: Kind> Kind for Hint<K> {
    type Out = K::Out;

    fn read(&self, value: &Value<'_>) -> Option<K::Out> {
        if value.is(self.json_type) {
            return value.expected(ProblemKind::WrongType, self.expected);
        }
        self.kind.read(value)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.kind.shape(defs)
    }
}
