//! A JSON Schema under construction.

use crate::node::Node;

/// The schema of a value: its keywords, in order.
#[derive(Clone, Debug)]
pub struct Shape(pub(crate) Vec<(String, Node)>);

impl Shape {
    /// Values of a JSON type.
    #[must_use]
    pub fn of_type(name: &str) -> Self {
        Self(Vec::new()).with("type", name)
    }

    /// A schema from its text; anything if that is not an object in JSON.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        match Node::parse(json.as_bytes()) {
            Ok(Node::Object(keywords)) => Self(keywords),
            _ => Self(Vec::new()),
        }
    }

    /// One of these.
    #[must_use]
    pub fn any_of(shapes: impl IntoIterator<Item = Self>) -> Self {
        let shapes = shapes.into_iter().map(Node::from).collect();
        Self(vec![("anyOf".to_owned(), Node::List(shapes))])
    }

    /// One of these words, with what each means. Where `off` is one, so is `false`.
    #[must_use]
    pub fn words(words: &[&str], docs: &[&str]) -> Self {
        let mut all: Vec<Node> = words.iter().map(|word| Node::from(*word)).collect();
        if words.contains(&"off") {
            all.push(Node::Bool(false));
        }
        let shape = Self(vec![("enum".to_owned(), Node::List(all))]);
        if docs.iter().all(|doc| doc.is_empty()) {
            return shape;
        }
        let docs = docs.iter().map(|doc| Node::Text(one_line(doc))).collect();
        shape.with("enumDescriptions", Node::List(docs))
    }

    /// Lists whose items match this schema.
    #[must_use]
    pub fn list_of(items: Self) -> Self {
        Self(Vec::new()).with("items", items)
    }

    /// Objects whose field of this name, if it is there, matches this schema.
    #[must_use]
    pub fn with_field(name: &str, value: Self) -> Self {
        Self(Vec::new()).with("properties", Node::Object(vec![(name.to_owned(), value.into())]))
    }

    /// Adds conditions: an object with one of these fields must match the schema beside it, too.
    #[must_use]
    pub fn if_given<'a>(self, also: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let condition = |(field, then): (&str, Self)| {
            let has_field = Self(Vec::new()).with("required", vec![field]);
            Self(Vec::new()).with("if", has_field).with("then", then).into()
        };
        let conditions = also.into_iter().map(condition).collect();
        self.with("allOf", Node::List(conditions))
    }

    /// With a keyword.
    #[must_use]
    pub fn with(mut self, keyword: &str, value: impl Into<Node>) -> Self {
        self.0.push((keyword.to_owned(), value.into()));
        self
    }
}

impl From<Shape> for Node {
    fn from(shape: Shape) -> Self {
        Self::Object(shape.0)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<u64> for Node {
    fn from(number: u64) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i32> for Node {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<usize> for Node {
    fn from(number: usize) -> Self {
        Self::Integer(number as i128)
    }
}

impl From<f64> for Node {
    fn from(number: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "an integer that a float holds exactly")]
        if number.fract() == 0.0 && number.abs() < 9e15 {
            Self::Integer(number as i128)
        } else {
            Self::Float(number)
        }
    }
}

impl From<Vec<&str>> for Node {
    fn from(items: Vec<&str>) -> Self {
        Self::List(items.into_iter().map(Self::from).collect())
    }
}

/// The name of the schema that a schema refers to.
pub(crate) fn reference(schema: &Node) -> Option<&str> {
    match schema.get("$ref")? {
        Node::Text(reference) => reference.strip_prefix("#/$defs/"),
        _ => None,
    }
}

/// The text of doc comments, on one line.
pub(crate) fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
