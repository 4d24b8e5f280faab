//! JSON Schema, draft 2020-12.

use super::table;
use crate::defs::Defs;
use crate::kind::Kind;
use crate::node::Node;
use crate::shape::reference;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::collections::BTreeMap;

/// The markers in a README between which the tables stand.
const TABLE_START: &str = "<!-- fields -->";
const TABLE_END: &str = "<!-- end of fields -->";

/// The schema of a whole config.
#[derive(Debug)]
pub struct Schema {
    root: Node,
    /// The Rust type of each named schema.
    types: BTreeMap<String, String>,
}

/// The schema of a config that is read as `kind`.
pub fn schema<K: Kind>(title: &str, description: &str, kind: &K) -> Schema {
    let mut defs = Defs::default();
    let root = Node::from(kind.shape(&mut defs));
    let mut types = BTreeMap::new();
    let mut defs: Vec<_> = defs
        .into_named()
        .map(|(name, (type_name, node))| {
            types.insert(name.clone(), type_name);
            (name, node)
        })
        .collect();
    // What is at the top may say which schema it follows.
    if let Some(properties) = reference(&root)
        .and_then(|name| defs.iter_mut().find(|(known, _)| known == name))
        .and_then(|(_, top)| top.get_mut("properties"))
        && let Node::Object(properties) = properties
    {
        let doc = "The schema of this config, for editors. Ignored.";
        let any = Node::Object(vec![("description".to_owned(), Node::from(doc))]);
        properties.insert(0, ("$schema".to_owned(), any));
    }
    let mut keywords = vec![
        ("$schema".to_owned(), Node::from("https://json-schema.org/draft/2020-12/schema")),
        ("title".to_owned(), Node::from(title)),
        ("description".to_owned(), Node::from(description)),
    ];
    if let Node::Object(root) = root {
        keywords.extend(root);
    }
    keywords.push(("$defs".to_owned(), Node::Object(defs)));
    Schema { root: Node::Object(keywords), types }
}

impl Schema {
    /// The schema as JSON, ending in a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(&Plain(&self.root)).unwrap_or_default();
        format!("{json}\n")
    }

    /// The fields as Markdown tables: one of the whole config, then one for each object that is used in
    /// several places.
    #[must_use]
    pub fn to_table(&self) -> String {
        table::tables(&self.root)
    }

    /// What stands between the markers of a README, which is to be [`Schema::to_table`].
    #[must_use]
    pub fn table_in(readme: &str) -> Option<&str> {
        let (_, after) = readme.split_once(TABLE_START)?;
        let (table, _) = after.split_once(TABLE_END)?;
        Some(table.trim_matches('\n'))
    }

    /// The Rust type of a named schema; empty if it is of none.
    #[must_use]
    pub fn type_of(&self, name: &str) -> &str {
        self.types.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The names of the fields of each object that has a Rust type, by the object's name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let defs = self.root.get("$defs").map(Node::entries).unwrap_or_default();
        defs.iter().filter(|(name, _)| !self.type_of(name).is_empty()).map(|(name, def)| {
            let properties = def.get("properties").map(Node::entries).unwrap_or_default();
            (
                name.as_str(),
                properties.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "$schema").collect(),
            )
        })
    }
}

impl Node {
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(found, _)| found == name).map(|(_, node)| node)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(entries) => {
                entries.iter_mut().find(|(found, _)| found == name).map(|(_, node)| node)
            }
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A node as JSON; links in descriptions, which lead within a README, become their text.
struct Plain<'a>(&'a Node);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Node::Null => serializer.serialize_unit(),
            Node::Bool(flag) => serializer.serialize_bool(*flag),
            Node::Integer(number) => match u64::try_from(*number) {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.serialize_i64(i64::try_from(*number).unwrap_or(i64::MIN)),
            },
            Node::Float(number) => serializer.serialize_f64(*number),
            Node::Text(text) => serializer.serialize_str(text),
            Node::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Plain(item))?;
                }
                list.end()
            }
            Node::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, node) in entries {
                    match node {
                        Node::Text(text) if name == "description" => {
                            map.serialize_entry(name, &without_links(text))?;
                        }
                        node => map.serialize_entry(name, &Plain(node))?,
                    }
                }
                map.end()
            }
        }
    }
}

/// `see [match](#match)` as `see match`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[')
        && let Some((label, behind)) = link.split_once("](")
        && let Some((_, after)) = behind.split_once(')')
        && !label.contains(['[', ']'])
    {
        plain.extend([before, label]);
        rest = after;
    }
    plain + rest
}
