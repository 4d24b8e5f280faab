//! Numbers, durations, booleans.

use crate::describe::{Defs, Shape};
use crate::duration::spelt;
use crate::kind::Kind;
use crate::problem::ProblemKind;
use crate::value::Value;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

/// An integer; the type that it is read into says its width.
#[derive(Clone, Debug)]
pub struct Integer<T> {
    range: RangeInclusive<u64>,
    width: PhantomData<T>,
}

/// An integer within bounds. All of them must fit the type that it is read into.
pub const fn integer<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> Integer<T> {
    Integer { range, width: PhantomData }
}

impl<T: TryFrom<u64>> Kind for Integer<T> {
    type Out = T;

    fn read(&self, value: &Value<'_>) -> Option<T> {
        T::try_from(value.integer(&self.range)?).ok()
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::of_type("integer").with("minimum", *self.range.start()).with("maximum", *self.range.end())
    }
}

/// A number.
#[derive(Clone, Debug)]
pub struct Number(RangeInclusive<f64>);

/// A number within bounds; up to `f64::MAX` for any.
pub const fn number(range: RangeInclusive<f64>) -> Number {
    Number(range)
}

impl Kind for Number {
    type Out = f64;

    fn read(&self, value: &Value<'_>) -> Option<f64> {
        value.number(&self.0)
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        let shape = Shape::of_type("number");
        if *self.0.end() == f64::MAX {
            return shape;
        }
        shape.with("minimum", *self.0.start()).with("maximum", *self.0.end())
    }
}

/// A number with few decimals, read as an integer of its last decimal.
#[derive(Clone, Debug)]
pub struct Decimal {
    range: RangeInclusive<f64>,
    unit: u32,
    expected: &'static str,
}

/// A number within bounds, times `unit`, which is a power of ten. A further decimal is refused rather than rounded: a small
/// number would silently become zero. `expected` says how many there may be. The largest number times `unit` must fit.
pub const fn decimal(range: RangeInclusive<f64>, unit: u32, expected: &'static str) -> Decimal {
    Decimal { range, unit, expected }
}

impl Kind for Decimal {
    type Out = u32;

    fn read(&self, value: &Value<'_>) -> Option<u32> {
        // Far above the rounding error of a float, and far below a further decimal.
        const TOLERANCE: f64 = 1e-6;
        let units = value.number(&self.range)? * f64::from(self.unit);
        if (units - units.round()).abs() > TOLERANCE {
            return value.expected(ProblemKind::BadPattern, self.expected);
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an integer within bounds"
        )]
        let units = units.round() as u32;
        Some(units)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        number(self.range.clone()).shape(defs)
    }
}

/// A duration, as `250ms`, `1m` or `1h30m`.
#[derive(Clone, Debug)]
pub struct Length(RangeInclusive<Duration>);

/// A duration within bounds.
pub const fn duration(range: RangeInclusive<Duration>) -> Length {
    Length(range)
}

impl Kind for Length {
    type Out = Duration;

    fn read(&self, value: &Value<'_>) -> Option<Duration> {
        value.duration(&self.0)
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::of_type("string")
            .with("pattern", r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+$")
            .with("x-duration", format!("{} to {}", spelt(*self.0.start()), spelt(*self.0.end())).as_str())
            .with("examples", vec!["250ms", "1m", "1h30m"])
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct Boolean;

/// `true` or `false`.
pub const fn boolean() -> Boolean {
    Boolean
}

impl Kind for Boolean {
    type Out = bool;

    fn read(&self, value: &Value<'_>) -> Option<bool> {
        value.boolean()
    }

    fn shape(&self, _: &mut Defs) -> Shape {
        Shape::of_type("boolean")
    }
}
