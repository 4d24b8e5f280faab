//! Fields as Markdown tables.

use crate::node::Node;
use crate::shape::reference;
use std::fmt::Write as _;

const HEAD: &str = "| field | type | default | meaning |\n|---|---|---|---|\n";

/// The table of the whole config, and one for each object that is used in several places.
pub(super) fn tables(schema: &Node) -> String {
    let defs = schema.get("$defs").map(Node::entries).unwrap_or_default();
    let root = reference(schema).and_then(|root| defs.iter().find(|(name, _)| name == root));
    let mut tables = Tables { defs: Vec::new() };
    tables.defs.extend(root);
    // What they refer to, and so on.
    let mut next = 0;
    while let Some((_, def)) = tables.defs.get(next).copied() {
        let is_new = |(name, _): &&(String, Node)| references(def, name) > 0 && tables.def(name).is_none();
        let new: Vec<_> = defs.iter().filter(is_new).collect();
        tables.defs.extend(new);
        next += 1;
    }
    tables.defs.sort_unstable_by_key(|(name, _)| name);
    let mut text = HEAD.to_owned();
    tables.rows(&mut text, schema, "");
    for (name, def) in &tables.defs {
        if tables.is_shared(name) {
            let _ = write!(text, "\n**{name}**\n\n{HEAD}");
            tables.rows(&mut text, def, "");
        }
    }
    text
}

struct Tables<'a> {
    /// What the tables are about, by name.
    defs: Vec<&'a (String, Node)>,
}

impl<'a> Tables<'a> {
    /// Whether an object has a table of its own: several fields refer to it.
    fn is_shared(&self, name: &str) -> bool {
        let has_fields = self
            .def(name)
            .is_some_and(|def| def.get("properties").is_none_or(|all| !all.entries().is_empty()));
        has_fields && self.defs.iter().map(|(_, def)| references(def, name)).sum::<usize>() > 1
    }

    fn def(&self, name: &str) -> Option<&'a Node> {
        self.defs.iter().find(|(known, _)| known == name).map(|(_, def)| def)
    }

    /// The rows of an object's fields.
    fn rows(&self, text: &mut String, object: &'a Node, prefix: &str) {
        let object = reference(object).and_then(|name| self.def(name)).unwrap_or(object);
        let required = object.get("required").map(Node::items).unwrap_or_default();
        let fields = object.get("properties").map(Node::entries).unwrap_or_default();
        for (name, field) in fields.iter().filter(|(name, _)| name != "$schema") {
            let is_required = required.iter().any(|required| required.as_text() == Some(name));
            let (meaning, default) = self.meaning(field, is_required);
            let kind = self.kind(field).replace('|', "\\|");
            let _ =
                writeln!(text, "| `{prefix}{name}` | {kind} | {default} | {} |", meaning.replace('|', "\\|"));
            self.rows_within(text, field, &format!("{prefix}{name}"));
        }
    }

    /// The rows of the objects that a field holds and that have no table of their own.
    fn rows_within(&self, text: &mut String, field: &'a Node, path: &str) {
        if let Some(name) = reference(field) {
            if !self.is_shared(name) {
                self.rows(text, field, &format!("{path}."));
            }
        } else if let Some(items) = field.get("items") {
            self.rows_within(text, items, &format!("{path}[]"));
        }
        for shape in field.get("anyOf").map(Node::items).unwrap_or_default() {
            self.rows_within(text, shape, path);
        }
    }

    /// What a field means, and its default.
    fn meaning(&self, field: &Node, is_required: bool) -> (String, String) {
        let description = field.get("description").and_then(Node::as_text).unwrap_or_default();
        let (doc, told) = match description.rsplit_once("Default: ") {
            Some((doc, default)) => (doc.trim_end(), default.trim_end_matches('.')),
            None => (description, ""),
        };
        let mut meaning = doc.trim_end_matches('.').to_owned();
        let words = field.get("enum").map(Node::items).unwrap_or_default();
        let docs = field.get("enumDescriptions").map(Node::items).unwrap_or_default();
        for (word, doc) in words.iter().zip(docs).filter_map(|(word, doc)| word.as_text().zip(doc.as_text()))
        {
            let _ = write!(meaning, ". `{word}`: {}", doc.trim_end_matches('.'));
        }
        let default = match field.get("default") {
            _ if is_required => "required".to_owned(),
            Some(default) => format!("`{}`", compact(default)),
            None => told.to_owned(),
        };
        (meaning, default)
    }

    /// The type of a field in words.
    fn kind(&self, schema: &Node) -> String {
        let number = |name: &str| schema.get(name).map(compact);
        let bounds = match (number("minimum"), number("maximum")) {
            (Some(min), Some(max)) => format!(", {min} to {max}"),
            _ => String::new(),
        };
        if let Some(name) = reference(schema) {
            return match self.def(name) {
                _ if self.is_shared(name) => name.to_owned(),
                Some(def) if def.get("anyOf").is_some() => self.kind(def),
                _ => "object".to_owned(),
            };
        }
        if let Some(Node::List(types)) = schema.get("type") {
            return types.iter().filter_map(Node::as_text).collect::<Vec<_>>().join(" or ");
        }
        if let Some(constant) = schema.get("const") {
            return format!("`{}`", compact(constant));
        }
        if let Some(words) = schema.get("enum") {
            let words = words.items().iter().filter_map(Node::as_text);
            return words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        }
        if let Some(shapes) = schema.get("anyOf") {
            let mut kinds: Vec<_> = shapes.items().iter().map(|shape| self.kind(shape)).collect();
            kinds.dedup();
            return kinds.join("; or ");
        }
        if let Some(bounds) = schema.get("x-duration").and_then(Node::as_text) {
            return format!("duration, {bounds}");
        }
        match schema.get("type").and_then(Node::as_text) {
            Some("array") => {
                let max = number("maxItems").map(|max| format!(", at most {max}")).unwrap_or_default();
                let item = schema.get("items").map(|items| self.kind(items)).unwrap_or_default();
                format!("array of {item}{max}")
            }
            Some("string") => match number("maxLength") {
                Some(max) => format!("string, at most {max} bytes"),
                None => "string".to_owned(),
            },
            Some("object") => match (schema.get("additionalProperties"), number("maxProperties")) {
                (Some(values), Some(max)) => format!("object of {}, at most {max}", self.kind(values)),
                _ => "object".to_owned(),
            },
            Some(name) => format!("{name}{bounds}"),
            None => "any".to_owned(),
        }
    }
}

/// How often a schema refers to another one. What is in the tables of another README does not count.
fn references(schema: &Node, name: &str) -> usize {
    if schema.get("x-fields-in").is_some() {
        return 0;
    }
    let here = usize::from(reference(schema) == Some(name));
    let entries = schema.entries().iter().map(|(_, node)| references(node, name)).sum::<usize>();
    let items = schema.items().iter().map(|node| references(node, name)).sum::<usize>();
    here + entries + items
}

/// A default as JSON on one line.
fn compact(node: &Node) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match node {
        Node::List(items) => format!("[{}]", joined(items.iter().map(compact).collect())),
        Node::Object(entries) => {
            let entry = |(name, node): &(String, Node)| format!("\"{name}\": {}", compact(node));
            format!("{{{}}}", joined(entries.iter().map(entry).collect()))
        }
        Node::Text(text) => format!("\"{text}\""),
        Node::Null => "null".to_owned(),
        Node::Bool(flag) => flag.to_string(),
        Node::Integer(number) => number.to_string(),
        Node::Float(number) => number.to_string(),
    }
}
