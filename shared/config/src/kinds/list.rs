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
    unique: [Option<Unique<'a>>; 2],
}

/// What no two items may have alike.
#[derive(Clone, Copy)]
struct Unique<'a> {
    /// The field of an item; the item itself if empty.
    field: &'static str,
    /// What is expected instead.
    expected: &'static str,
    key: &'a dyn Fn(&Value<'_>) -> Option<Vec<u8>>,
}

/// An array of items of one kind.
pub const fn list<'a, K: Kind>(item: K) -> List<'a, K> {
    List { item, min: 0, max: usize::MAX, what: "items", unique: [None; 2] }
}

impl<'a, K> List<'a, K> {
    /// With at least one item.
    #[must_use]
    pub fn not_empty(self) -> Self {
        Self { min: 1, ..self }
    }

    /// With at least so many items.
    #[must_use]
    pub fn at_least(self, min: usize) -> Self {
        Self { min, ..self }
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

    /// No two items have the same `key` of `field`; at most two fields can be unique. Keys are compared before the
    /// items are read, so that a repeated one is reported together with other mistakes.
    #[must_use]
    pub fn unique_by(
        mut self,
        field: &'static str,
        expected: &'static str,
        key: &'a dyn Fn(&Value<'_>) -> Option<Vec<u8>>,
    ) -> Self {
        let [first, second] = self.unique;
        self.unique = [Some(Unique { field, expected, key }), first.or(second)];
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

/// Reads the items of an array one by one; whether all of them are good. Not generic: there are many kinds of
/// lists in a module.
#[inline(never)]
fn read_items(
    value: &Value<'_>,
    (min, max, what): (usize, usize, &str),
    unique: &[Option<Unique<'_>>],
    read: &mut dyn FnMut(&Value<'_>) -> bool,
) -> Option<()> {
    let items = value.array()?;
    if items.len() > max {
        return value.too_many(items.len(), what, max);
    }
    if items.len() < min {
        return value.too_few(items.len(), min);
    }
    let mut good = Some(());
    for (index, node) in items.iter().enumerate() {
        if !read(&value.item_at(index, node)) {
            good = None;
        }
    }
    for unique in unique.iter().rev().flatten() {
        good = unique.check(value, items).and(good);
    }
    good
}

impl<K: Kind> Kind for List<'_, K> {
    type Out = Vec<K::Out>;

    #[inline(never)]
    fn read(&self, value: &Value<'_>) -> Option<Self::Out> {
        let mut read = Vec::new();
        let all = read_items(value, (self.min, self.max, self.what), &self.unique, &mut |item| {
            self.item.read(item).map(|item| read.push(item)).is_some()
        });
        all.map(|()| read)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        let shape = Shape::of_type("array").with("items", self.item.shape(defs));
        let shape = if self.min > 0 { shape.with("minItems", self.min) } else { shape };
        if self.max < usize::MAX { shape.with("maxItems", self.max) } else { shape }
    }
}
