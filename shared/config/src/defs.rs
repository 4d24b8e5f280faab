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
        let mut unique = name.to_owned();
        while self.named.get(&unique).is_some_and(|(known, _)| known != type_name) {
            unique.push('_');
        }
        if !self.named.contains_key(&unique) {
            self.named.insert(unique.clone(), (type_name.to_owned(), Node::Null));
            let shape = shape(self);
            self.named.insert(unique.clone(), (type_name.to_owned(), shape.into()));
        }
        Shape(Vec::new()).with("$ref", format!("#/$defs/{unique}").as_str())
    }

    pub(crate) fn into_nodes(self) -> Vec<(String, Node)> {
        self.named.into_iter().map(|(name, (_, node))| (name, node)).collect()
    }
}
