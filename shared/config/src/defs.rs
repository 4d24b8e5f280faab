//! The named schemas of a config.

use crate::node::Node;
use crate::shape::Shape;
use std::collections::BTreeMap;

/// The named schemas that others refer to.
#[derive(Debug, Default)]
pub struct Defs {
    /// The schema of each name, and the Rust type that it is of.
    named: BTreeMap<String, (String, Node)>,
}

impl Defs {
    /// A reference to a named schema, which is made once.
    ///
    /// `type_name` tells types of the same name apart. The name is taken before the schema is made, since
    /// it may refer to itself.
    pub fn named(&mut self, name: &str, type_name: &str, shape: impl FnOnce(&mut Self) -> Shape) -> Shape {
        let is_taken = |name: &str| self.named.get(name).is_some_and(|(known, _)| known != type_name);
        let mut unique = name.to_owned();
        if is_taken(&unique) {
            unique = qualified(name, type_name);
        }
        while is_taken(&unique) {
            unique.push('_');
        }
        if !self.named.contains_key(&unique) {
            self.named.insert(unique.clone(), (type_name.to_owned(), Node::Null));
            let shape = shape(self);
            self.named.insert(unique.clone(), (type_name.to_owned(), shape.into()));
        }
        Shape(Vec::new()).with("$ref", format!("#/$defs/{unique}").as_str())
    }

    /// The names, each with its Rust type and its schema.
    pub(crate) fn into_named(self) -> impl Iterator<Item = (String, (String, Node))> {
        self.named.into_iter()
    }
}

/// The name with that of the type's crate in front: `fault.Rule`.
fn qualified(name: &str, type_name: &str) -> String {
    let of = type_name.split("::").next().unwrap_or_default().replace('_', "-");
    format!("{of}.{name}")
}
