//! Objects whose names are the user's own.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::reader::distinct_by;
use crate::value::Value;

/// An object whose names are the user's own, as header names are.
pub struct Entries<N, K> {
    name: fn(&str, &Value<'_>) -> Option<N>,
    kind: K,
    max: usize,
    what: &'static str,
}

/// An object whose names are the user's own; at most `max` of `what`. `name` reads a name, and reports
/// a problem with its value otherwise. Names that differ only in case are one.
pub const fn entries<N, K: Kind>(
    name: fn(&str, &Value<'_>) -> Option<N>,
    kind: K,
    max: usize,
    what: &'static str,
) -> Entries<N, K> {
    Entries { name, kind, max, what }
}

impl<N, K: Kind> Kind for Entries<N, K> {
    type Out = Vec<(N, K::Out)>;

    fn read(&self, value: &Value<'_>) -> Option<Self::Out> {
        let entries = value.entries()?;
        if entries.len() > self.max {
            return value.too_many(entries.len(), self.what, self.max);
        }
        let distinct =
            distinct_by(entries, &value.path, value.sink, |name| name.to_ascii_lowercase().into_bytes());
        let mut all = Vec::new();
        for (name, node) in entries {
            let value = value.entry_at(name, node);
            let (name, value) = ((self.name)(name, &value), self.kind.read(&value));
            all.push(name.zip(value));
        }
        distinct.and(all.into_iter().collect())
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        Shape::of_type("object")
            .with("additionalProperties", self.kind.shape(defs))
            .with("maxProperties", self.max)
    }
}
