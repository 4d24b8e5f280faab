//! The named schemas of a config.

use crate::node::Node;
use crate::shape::{Shape, reference};
use std::collections::BTreeMap;

/// Ends the name of an object that lacks some fields.
const PART: &str = "route";

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

    /// A reference to the same object without some fields; any other schema as it is.
    pub(crate) fn without(&mut self, shape: Shape, fields: &[&str]) -> Shape {
        let schema = Node::from(shape.clone());
        let Some(name) = reference(&schema) else { return shape };
        let Some((_, Node::Object(keywords))) = self.named.get(name) else { return shape };
        let is_left = |name: &str| !fields.contains(&name);
        let left = keywords.iter().map(|(keyword, node)| {
            let node = match (keyword.as_str(), node) {
                ("properties", Node::Object(all)) => {
                    Node::Object(all.iter().filter(|(name, _)| is_left(name)).cloned().collect())
                }
                ("required", Node::List(all)) => {
                    let is_left = |name: &&Node| !matches!(name, Node::Text(name) if !is_left(name));
                    Node::List(all.iter().filter(is_left).cloned().collect())
                }
                (_, node) => node.clone(),
            };
            (keyword.clone(), node)
        });
        let name = format!("{name}.{PART}");
        let left = Shape(left.collect());
        // It has no Rust type of its own.
        self.named(&name, "", |_| left)
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
