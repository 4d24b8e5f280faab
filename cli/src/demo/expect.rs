//! Compares a response with the expected one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::http::Response;

/// The expected response. What is left out may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// Headers, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
    /// The body.
    pub body: Option<Body>,
}

/// An expected header. If it is sent twice, both values are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Header {
    /// Exactly this value.
    Exact(String),
    /// A value with this beginning; the rest depends on the time.
    Prefix {
        /// The beginning.
        prefix: String,
    },
    /// Any value, or no value.
    Present {
        /// Whether the header is expected.
        present: bool,
    },
}

/// An expected body.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// Exactly this text.
    Exact(String),
    /// A text that contains all of these.
    Contains {
        /// The parts.
        contains: Vec<String>,
    },
}

impl Expect {
    /// How a response differs; empty if it is as expected.
    #[must_use]
    pub fn differences(&self, answer: &Response) -> Vec<String> {
        let mut differences = Vec::new();
        if answer.status.as_u16() != self.status {
            differences.push(format!("the status is {}, expected {}", answer.status.as_u16(), self.status));
        }
        for (name, header) in &self.headers {
            let values: Vec<_> = answer
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            if !header.holds(&values) {
                let found = if values.is_empty() { "absent".to_owned() } else { values.join(", ") };
                differences.push(format!("the header `{name}` is {found}, expected {header}"));
            }
        }
        if let Some(body) = &self.body {
            differences.extend(body.difference(&answer.text()));
        }
        differences
    }
}

impl Header {
    fn holds(&self, values: &[String]) -> bool {
        match self {
            Self::Exact(exact) => !values.is_empty() && values.iter().all(|value| value == exact),
            Self::Prefix { prefix } => {
                !values.is_empty() && values.iter().all(|value| value.starts_with(prefix))
            }
            Self::Present { present } => *present != values.is_empty(),
        }
    }
}

impl Body {
    fn difference(&self, text: &str) -> Option<String> {
        match self {
            Self::Exact(exact) => (text.trim_end() != exact).then(|| format!("the body is not `{exact}`")),
            Self::Contains { contains } => {
                let part = contains.iter().find(|part| !text.contains(part.as_str()))?;
                Some(format!("the body does not contain `{part}`"))
            }
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        for (name, header) in &self.headers {
            match header {
                Header::Present { present: true } => write!(formatter, " | {name}")?,
                Header::Present { present: false } => write!(formatter, " | no {name}")?,
                Header::Exact(_) | Header::Prefix { .. } => write!(formatter, " | {name}: {header}")?,
            }
        }
        match &self.body {
            None => Ok(()),
            Some(Body::Exact(text)) => write!(formatter, " | {text}"),
            Some(Body::Contains { contains }) => write!(formatter, " | …{}…", contains.join("…")),
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(value) => formatter.write_str(value),
            Self::Prefix { prefix } => write!(formatter, "{prefix}…"),
            Self::Present { present: true } => formatter.write_str("any value"),
            Self::Present { present: false } => formatter.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeaderMap, HeaderValue, StatusCode, Version};
    use bytes::Bytes;

    fn expect(text: &str) -> Expect {
        crate::yaml::parse(text).unwrap()
    }

    fn answer(headers: &[(&'static str, &'static str)], body: &'static str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        Response {
            status: StatusCode::OK,
            version: Version::HTTP_11,
            headers: map,
            body: Bytes::from_static(body.as_bytes()),
            trailers: HeaderMap::new(),
        }
    }

    #[test]
    fn an_answer_as_expected_differs_nowhere() {
        let expect = expect(
            "{status: 200, headers: {a: x, b: {prefix: y}, c: {present: false}, d: {present: true}}, body: v1}",
        );
        let answer = answer(&[("a", "x"), ("b", "yes"), ("d", "")], "v1");
        assert_eq!(expect.differences(&answer), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_named() {
        let expect = expect(
            "{status: 429, headers: {a: x, b: {prefix: y}, c: {present: false}}, body: {contains: [o, z]}}",
        );
        let answer = answer(&[("b", "yes"), ("b", "no"), ("c", "")], "one");
        assert_eq!(
            expect.differences(&answer),
            [
                "the status is 200, expected 429",
                "the header `a` is absent, expected x",
                "the header `b` is yes, no, expected y…",
                "the header `c` is , expected none",
                "the body does not contain `z`",
            ]
        );
    }

    #[test]
    fn the_expectation_reads_like_an_answer() {
        let expect = expect("{status: 200, headers: {a: x, b: {prefix: y}, c: {present: false}}, body: v1}");
        assert_eq!(expect.to_string(), "200 | a: x | b: y… | no c | v1");
    }
}
