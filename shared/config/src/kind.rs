//! What a value may be, and how it is read.

use crate::describe::{Defs, Shape};
use crate::value::Value;

/// What a value may be. Reading and description come from one place, so that they agree.
pub trait Kind {
    /// What it is read into.
    type Out;

    /// Reads a value; `None` after a problem was reported.
    fn read(&self, value: &Value<'_>) -> Option<Self::Out>;

    /// Its JSON Schema. Never called in a module.
    fn shape(&self, defs: &mut Defs) -> Shape;

    /// Makes something else of the value.
    fn map<T, F: Fn(Self::Out) -> T>(self, make: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map { kind: self, make }
    }

    /// Makes something else of the value, which may fail after it has reported a problem.
    fn and_then<T, F: Fn(&Value<'_>, Self::Out) -> Option<T>>(self, check: F) -> AndThen<Self, F>
    where
        Self: Sized,
    {
        AndThen { kind: self, check }
    }
}

impl<K: Kind> Kind for &K {
    type Out = K::Out;

    fn read(&self, value: &Value<'_>) -> Option<K::Out> {
        (**self).read(value)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        (**self).shape(defs)
    }
}

/// A kind, and what is made of its value.
#[derive(Clone, Copy, Debug)]
pub struct Map<K, F> {
    kind: K,
    make: F,
}

impl<K: Kind, T, F: Fn(K::Out) -> T> Kind for Map<K, F> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        self.kind.read(value).map(&self.make)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.kind.shape(defs)
    }
}

/// A kind, and what is made of its value unless it is refused.
#[derive(Clone, Copy, Debug)]
pub struct AndThen<K, F> {
    kind: K,
    check: F,
}

impl<K: Kind, T, F: Fn(&Value<'_>, K::Out) -> Option<T>> Kind for AndThen<K, F> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        (self.check)(value, self.kind.read(value)?)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.kind.shape(defs)
    }
}

/// `kind` itself; an error about a wrong one names the type that it should read into.
pub const fn of<T, K: Kind<Out = T>>(kind: K) -> K {
    kind
}

/// A value that may be left out: `Some` if it is there.
#[derive(Clone, Copy, Debug)]
pub struct Optional<K>(K);

/// A value that may be left out: `Some` if it is there.
pub const fn some<K: Kind>(kind: K) -> Optional<K> {
    Optional(kind)
}

impl<K: Kind> Kind for Optional<K> {
    type Out = Option<K::Out>;

    fn read(&self, value: &Value<'_>) -> Option<Option<K::Out>> {
        self.0.read(value).map(Some)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.0.shape(defs)
    }
}
