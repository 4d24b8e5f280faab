//! Arrays.

use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::node::Node;
use crate::problem::ProblemKind;
use crate::reader::Seen;
use crate::value::Value;

/// An array of items of one kind. Every item is read, also after one that is wrong.
pub struct List<'a, K> {
    item: K,
    min: usize,
    max: usize,
    what: &'static str,
    unique: Vec<Unique<'a>>,
}

/// What no two items may have alike.
struct Unique<'a> {
    /// The field of an item; the item itself if empty.
    field: &'static str,
    /// What is expected instead.
    expected: &'static str,
    key: &'a dyn Fn(&Value<'_>) -> Option<Vec<u8>>,
}

/// An array of items of one kind.
pub const fn list<'a, K: Kind>(item: K) -> List<'a, K> {
    List { item, min: 0, max: usize::MAX, what: "items", unique: Vec::new() }
}

impl<'a, K> List<'a, K> {
    /// With at least one item.
    #[must_use]
    pub fn not_empty(self) -> Self {
        Self { min: 1, ..self }
    }

    /// With at most so many items; `what` names them in messages.
    #[must_use]
    pub fn at_most(self, max: usize, what: &'static str) -> Self {
        Self { max, what, ..self }
    }

    /// No two items have the same string in `field`, or, if that is empty, are the same string.
    #[must_use]
    pub fn unique(self, field: &'static str, expected: &'static str) -> Self {
        self.unique_by(field, expected, &|value| value.as_string().map(|text| text.as_bytes().to_vec()))
    }

    /// No two items have the same `key` of `field`. Compared as written, so that a repeated one is found
    /// beside other mistakes.
    #[must_use]
    pub fn unique_by(
        mut self,
        field: &'static str,
        expected: &'static str,
        key: &'a dyn Fn(&Value<'_>) -> Option<Vec<u8>>,
    ) -> Self {
        self.unique.push(Unique { field, expected, key });
        self
    }
}

impl Unique<'_> {
    /// `Some` if no two are alike.
    #[inline(never)]
    fn check(&self, value: &Value<'_>, items: &[Node]) -> Option<()> {
        let mut seen = Seen::default();
        let mut unique = Some(());
        for (index, node) in items.iter().enumerate() {
            let item = value.within(node, String::new());
            let field = if self.field.is_empty() { Some(item) } else { item.peek(self.field) };
            let Some(field) = field else { continue };
            if let Some(key) = (self.key)(&field)
                && !seen.is_new(key)
            {
                let at = value.item_at(index, field.node);
                let at = if self.field.is_empty() { at } else { at.entry_at(self.field, field.node) };
                unique = at.expected(ProblemKind::Duplicate, self.expected);
            }
        }
        unique
    }
}

/// The items of an array that has as many as it may.
#[inline(never)]
fn items<'a>(value: &Value<'a>, min: usize, max: usize, what: &str) -> Option<&'a [Node]> {
    let items = value.array()?;
    if items.len() > max {
        return value.too_many(items.len(), what, max);
    }
    if items.len() < min {
        return value.problem(ProblemKind::Missing, "found an empty array, expected at least one item");
    }
    Some(items)
}

impl<K: Kind> Kind for List<'_, K> {
    type Out = Vec<K::Out>;

    #[inline(never)]
    fn read(&self, value: &Value<'_>) -> Option<Self::Out> {
        let items = items(value, self.min, self.max, self.what)?;
        let mut read = Some(Vec::with_capacity(items.len()));
        for (index, node) in items.iter().enumerate() {
            match self.item.read(&value.item_at(index, node)) {
                Some(item) => read.as_mut().map_or((), |read| read.push(item)),
                None => read = None,
            }
        }
        for unique in &self.unique {
            read = unique.check(value, items).and(read);
        }
        read
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        let shape = Shape::of_type("array").with("items", self.item.shape(defs));
        let shape = if self.min > 0 { shape.with("minItems", self.min) } else { shape };
        if self.max < usize::MAX { shape.with("maxItems", self.max) } else { shape }
    }
}
