//! Path templates: `/users/{id}/*`.

use super::not_normal::not_normal;
use crate::matching::string::MAX_BYTES;
use crate::path::normalize;
use mesh_config::kinds::string;
use mesh_config::{Kind, ProblemKind, Value};

/// A template of a path in normal form, with the syntax of Envoy's URI template match (`envoy.path.match.uri_template`).
///
/// - `{name}` and `*` match one nonempty segment.
/// - `**`, at the end, matches the rest of the path, which may be empty: `/a/**` matches `/a`, `/a/` and `/a/b/c`.
/// - Everything else is compared literally.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    segments: Box<[Segment]>,
    /// Whether the template ends with `**`.
    open: bool,
    /// Whether segments are compared without regard to case (ASCII).
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Text(Box<[u8]>),
    Any,
    Named(Box<str>),
}

/// Maximum number of segments of a template.
const MAX_SEGMENTS: usize = 32;

/// Maximum length of a segment's name.
const MAX_NAME: usize = 32;

impl Template {
    pub(crate) fn kind(ignore_case: bool) -> impl Kind<Out = Self> {
        let text = string::<Box<str>>().at_most(MAX_BYTES).described_as("", &["/users/{id}/**"]);
        text.and_then(move |value, template| Self::read(value, &template, ignore_case))
    }

    fn read(value: &Value<'_>, template: &str, ignore_case: bool) -> Option<Self> {
        let mut texts: Vec<&str> = template.strip_prefix('/').unwrap_or(template).split('/').collect();
        if texts.len() > MAX_SEGMENTS {
            return value.too_many(texts.len(), "segments", MAX_SEGMENTS);
        }
        let open = texts.pop_if(|last| *last == "**").is_some();
        let segments: Vec<_> =
            texts.into_iter().map(|text| Segment::read(text, value)).collect::<Option<_>>()?;
        let names = || segments.iter().filter_map(Segment::name);
        if let Some(name) = names().find(|name| names().filter(|other| other == name).count() > 1) {
            let message = format_args!("found `{{{name}}}` twice, expected once");
            return value.problem(ProblemKind::Duplicate, message);
        }
        let normal = normal_form(template);
        if normal != template {
            return not_normal(value, template.as_bytes().escape_ascii(), normal);
        }
        Some(Self { segments: segments.into(), open, ignore_case })
    }

    /// Whether a path in normal form matches.
    pub(crate) fn is_match(&self, path: &[u8]) -> bool {
        let mut found = segments_of(path);
        let is_match =
            |segment: &Segment| found.next().is_some_and(|text| segment.is_match(text, self.ignore_case));
        self.segments.iter().all(is_match) && (self.open || found.next().is_none())
    }

    pub(crate) fn has_capture(&self, name: &str) -> bool {
        self.index_of(name).is_some()
    }

    /// The segment with this name, if the path, in normal form, matches.
    pub(crate) fn capture<'a>(&self, path: &'a [u8], name: &str) -> Option<&'a [u8]> {
        let index = self.index_of(name)?;
        if self.is_match(path) { segments_of(path).nth(index) } else { None }
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.segments.iter().position(|segment| segment.name() == Some(name))
    }
}

impl Segment {
    fn read(text: &str, value: &Value<'_>) -> Option<Self> {
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            return if is_name(name) {
                Some(Self::Named(name.into()))
            } else {
                value.problem(ProblemKind::BadPattern, format_args!(
                    "found `{}`, expected a name of 1 to {MAX_NAME} letters, digits or `_`, a letter first",
                    text.as_bytes().escape_ascii(),
                ))
            };
        }
        match text {
            "*" => Some(Self::Any),
            text if text.starts_with(':') => value.problem(ProblemKind::BadPattern, format_args!(
                "found `{}`, expected `{{name}}`: a segment of any text; use `regex` for that very text",
                text.as_bytes().escape_ascii(),
            )),
            "**" => {
                let message = "found `**` in front of other segments, expected it as the last";
                value.problem(ProblemKind::BadPattern, message)
            }
            text if text.contains(['*', '{', '}']) => value.problem(ProblemKind::BadPattern, format_args!(
                "found `{}`, expected `*`, `{{name}}` or `**` as a whole segment, or none of `*`, `{{` and `}}`",
                text.as_bytes().escape_ascii(),
            )),
            text => Some(Self::Text(text.as_bytes().into())),
        }
    }

    fn is_match(&self, text: &[u8], ignore_case: bool) -> bool {
        match self {
            Self::Text(expected) if ignore_case => text.eq_ignore_ascii_case(expected),
            Self::Text(expected) => text == &**expected,
            Self::Any | Self::Named(_) => !text.is_empty(),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Text(_) | Self::Any => None,
        }
    }
}

/// Splits a path in normal form, which begins with a slash.
fn segments_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/')
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The normal form of a template.
fn normal_form(template: &str) -> String {
    // In a normal form braces would be encoded, but stars would not; literal segments of a template have neither.
    let starred = template.replace(['{', '}'], "*");
    let normal = normalize(starred.as_bytes());
    let segments = String::from_utf8_lossy(&normal)
        .split('/')
        .map(|text| match text.strip_prefix('*').and_then(|text| text.strip_suffix('*')) {
            Some(name) if !name.is_empty() => format!("{{{name}}}"),
            _ => text.to_owned(),
        })
        .collect::<Vec<_>>();
    segments.join("/")
}

#[cfg(test)]
mod tests;
