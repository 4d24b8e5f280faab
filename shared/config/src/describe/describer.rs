//! Records the fields of objects.

use crate::defs::Defs;
use crate::form::{Form, Group};
use crate::kind::Kind;
use crate::node::Node;
use crate::problem::ProblemKind;
use crate::shape::{Shape, one_line};
use std::fmt::Display;

/// The [`Form`] that records.
pub struct Describer<'d> {
    defs: &'d mut Defs,
    properties: Vec<(String, Node)>,
    required: Vec<Node>,
    groups: Vec<Node>,
}

impl<'d> Describer<'d> {
    /// The schema of an object with known fields: a reference to a named one.
    pub fn object(
        defs: &mut Defs,
        name: &str,
        type_name: &str,
        fields: impl FnOnce(&mut Describer<'_>),
    ) -> Shape {
        defs.named(name, type_name, |defs| {
            let mut describer = Describer::new(defs);
            fields(&mut describer);
            describer.finish()
        })
    }

    const fn new(defs: &'d mut Defs) -> Self {
        Self { defs, properties: Vec::new(), required: Vec::new(), groups: Vec::new() }
    }

    fn record(&mut self, name: &str, doc: &str, default: Option<&str>, kind: &impl Kind) {
        let Shape(mut keywords) = kind.shape(self.defs);
        let mut described = vec![("description".to_owned(), Node::Text(one_line(doc)))];
        described.append(&mut keywords);
        if let Some(json) = default {
            described.push(("default".to_owned(), Node::parse(json.as_bytes()).unwrap_or(Node::Null)));
        }
        self.properties.push((name.to_owned(), Node::Object(described)));
    }

    fn finish(self) -> Shape {
        let mut shape = Shape::of_type("object").with("properties", Node::Object(self.properties));
        if !self.required.is_empty() {
            shape = shape.with("required", Node::List(self.required));
        }
        shape = shape.with("additionalProperties", false);
        match <[Node; 1]>::try_from(self.groups) {
            Ok([group]) => shape.with("oneOf", group),
            Err(none) if none.is_empty() => shape,
            Err(groups) => {
                let all = groups.into_iter().map(|group| Node::Object(vec![("oneOf".to_owned(), group)]));
                shape.with("allOf", Node::List(all.collect()))
            }
        }
    }
}

impl Form for Describer<'_> {
    fn required<K: Kind>(&mut self, name: &'static str, doc: &'static str, kind: K) -> Option<K::Out> {
        self.required.push(Node::from(name));
        self.record(name, doc, None, &kind);
        None
    }

    fn default<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        json: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        self.record(name, doc, Some(json), &kind);
        None
    }

    fn omitted<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        self.record(name, doc, None, &kind);
        None
    }

    fn restriction<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        self.record(name, doc, None, &kind);
        None
    }

    fn alternative<K: Kind>(
        &mut self,
        group: &mut Group,
        name: &'static str,
        doc: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        group.names.push(name);
        self.record(name, doc, None, &kind);
        None
    }

    fn together(&mut self, group: &mut Group, names: &'static [&'static str]) {
        group.together.push(names);
    }

    fn close(&mut self, group: Group, is_required: bool) -> Option<()> {
        if !is_required {
            return None;
        }
        let requires = |name: &str| Node::Object(vec![("required".to_owned(), Node::from(vec![name]))]);
        let mut alternatives: Vec<Node> = group.names.iter().map(|name| requires(name)).collect();
        for names in group.together {
            let any = names.iter().map(|name| requires(name)).collect();
            alternatives.push(Node::Object(vec![("anyOf".to_owned(), Node::List(any))]));
        }
        self.groups.push(Node::List(alternatives));
        None
    }

    fn require_one_of<T>(&mut self, _: &[&'static str]) -> Option<T> {
        None
    }

    fn elsewhere(&mut self, _: &'static [(&'static str, &'static str)]) {}

    fn is_given(&mut self, _: &'static str) -> bool {
        false
    }

    fn problem_at<T>(&mut self, _: &str, _: ProblemKind, _: impl Display) -> Option<T> {
        None
    }
}
