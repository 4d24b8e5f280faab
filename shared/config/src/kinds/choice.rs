//! One of a few words.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::value::Value;
use std::marker::PhantomData;

/// A type whose values are words: see [`choice!`](crate::choice!).
pub trait Choice: Copy + 'static {
    /// The words.
    const WORDS: &'static [&'static str];
    /// What they stand for, in the same order.
    const VALUES: &'static [Self];

    /// What they mean, in the same order; empty where the field says it. Never called in a module.
    fn docs() -> Vec<&'static str>;
}

/// The kind of a [`Choice`].
#[derive(Clone, Copy, Debug)]
pub struct Word<T>(PhantomData<T>);

/// A word that stands for a value of a [`Choice`].
pub const fn choice<T: Choice>() -> Word<T> {
    Word(PhantomData)
}

impl<T: Choice> Kind for Word<T> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        T::VALUES.get(value.word(T::WORDS)?).copied()
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::words(T::WORDS, &T::docs())
    }
}
