//! JSON as it was written: order and duplicate names kept, so that both can be judged.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON value. Only for descriptions is it public.
#[derive(Clone, Debug)]
pub enum Node {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number without a fraction.
    Integer(i128),
    /// Numbers that pass through Istio arrive as floats: `5` as `5.0`.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object, in the order in which it was written.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Depth is bounded by the parser (128).
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The value as it is anywhere else; `None` if an object has a name twice.
    pub(crate) fn to_json(&self) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Integer(value) => i64::try_from(*value)
                .map(Json::from)
                .or_else(|_| u64::try_from(*value).map(Json::from))
                .unwrap_or(Json::Null),
            Self::Float(value) => Json::from(*value),
            Self::Text(value) => Json::String(value.clone()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Object(entries) => {
                let mut object = serde_json::Map::new();
                for (name, value) in entries {
                    if object.insert(name.clone(), value.to_json()?).is_some() {
                        return None;
                    }
                }
                Json::Object(object)
            }
        })
    }

    /// The value as an error message names it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => decimal(*value),
            Self::Text(value) => format!("`{}`", shorten(value)),
            Self::List(_) => "an array".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

/// A number as a message has it, without an exponent unless it is very large.
///
/// By serde_json, which every module has: the formatter of the standard library adds 15 KB.
#[must_use]
pub fn decimal(number: f64) -> String {
    let text = serde_json::Value::from(number).to_string();
    if let Some(whole) = text.strip_suffix(".0") {
        return whole.to_owned();
    }
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    match exponent.parse::<i32>() {
        Ok(exponent @ -40..0) => {
            let zeros = "0".repeat(usize::try_from(-1 - exponent).unwrap_or(0));
            format!("{sign}0.{zeros}{whole}{fraction}")
        }
        // At this size there is no fraction.
        Ok(exponent @ 0..40) => {
            let zeros = usize::try_from(exponent).unwrap_or(0).saturating_sub(fraction.len());
            format!("{sign}{whole}{fraction}{}", "0".repeat(zeros))
        }
        _ => text,
    }
}

/// What somebody wrote, as a line of a message has it: up to 40 characters, none of them a line break or
/// another control character.
#[must_use]
pub fn shorten(text: &str) -> String {
    const MAX: usize = 40;
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(MAX).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;
    use crate::testing::test;

    #[test]
    fn numbers_as_people_write_them() {
        for (number, expected) in [
            (0.0, "0"),
            (5.0, "5"),
            (-3.0, "-3"),
            (2.5, "2.5"),
            (0.000_01, "0.00001"),
            (-1.25e-7, "-0.000000125"),
            (33.333_33, "33.33333"),
            (100.0001, "100.0001"),
            (1e17, "100000000000000000"),
            (-18_446_744_073_709_551_616.0, "-18446744073709552000"),
        ] {
            assert_eq!(decimal(number), expected);
        }
        assert_eq!(decimal(1e300), "1e+300");
    }
}
