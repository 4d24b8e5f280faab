//! Values within values of the same kind.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::problem::ProblemKind;
use crate::value::Value;

/// A value within another one of its kind, to a depth.
#[derive(Clone, Copy, Debug)]
pub struct Nested<K> {
    kind: K,
    max: usize,
    what: &'static str,
}

/// A value within another one of its kind; at most `max` levels, the outermost included. `what` names
/// them in messages.
pub const fn nested<K: Kind>(kind: K, max: usize, what: &'static str) -> Nested<K> {
    Nested { kind, max, what }
}

impl<K: Kind> Kind for Nested<K> {
    type Out = K::Out;

    fn read(&self, value: &Value<'_>) -> Option<K::Out> {
        self.kind.read(&deeper(value, self.max, self.what)?)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        self.kind.shape(defs)
    }
}

/// The value, one level deeper. Checked before it is read: the stack of a module is small.
#[inline(never)]
fn deeper<'a>(value: &Value<'a>, max: usize, what: &str) -> Option<Value<'a>> {
    let depth = value.depth + 1;
    if depth >= max {
        let message = format_args!("found more than {max} {what} within each other");
        return value.problem(ProblemKind::TooLarge, message);
    }
    Some(Value { depth, ..value.within(value.node, value.path.clone()) })
}
