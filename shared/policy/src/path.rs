//! The path and the query of a request target (`:path`).

mod query;
mod readings;

pub use query::{Query, without_query};
pub use readings::{EscapedSlashes, Expansions, Readings, folded};

use std::borrow::Cow;

/// The path of a request target in normal form, without query and fragment, like RFC 3986, section 6.2.2, and Envoy's
/// `normalize_path` and `merge_slashes`. Paths in configs have this form; the path of a request may have several
/// [`Readings`].
///
/// - `\` becomes `/`, and a leading slash is added if it is missing, so `/` is a prefix of every path.
/// - Percent-encoded characters that are allowed in a segment are decoded (`%61` is `a`, `%3A` is `:`). Other escapes
///   get upper-case digits, and characters that are not allowed, including a bare `%`, are percent-encoded. The RFC
///   decodes unreserved characters only, but upstreams decode others, too, and a rule for `/keys:rotate` must match
///   `/keys%3Arotate`. `%3B` stays encoded, as a `;` ends a segment's name.
/// - Dot segments, including encoded ones, are resolved and never lead above the root. Then repeated slashes are
///   merged.
///
/// `%2F` stays encoded, as upstreams differ in whether it separates segments. Borrowed if the path is already normal.
#[must_use]
pub fn normalize(target: &[u8]) -> Cow<'_, [u8]> {
    let path = path_of(target);
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let mut normal = unescape(path);
    replace_backslashes(&mut normal);
    let mut normal = resolve_dots(&normal);
    merge_slashes(&mut normal);
    Cow::Owned(normal)
}

/// Whether the path has a percent-encoded `/` or `\`. Upstreams differ in how they read these, so a policy that protects
/// paths may refuse them.
#[must_use]
pub fn has_escaped_slash(target: &[u8]) -> bool {
    let path = path_of(target);
    path.windows(3).any(|three| matches!(escaped(three), Some(b'/' | b'\\')))
}

/// Whether upstreams differ in which path this is, so that a policy that protects paths may refuse it. Legitimate clients
/// resolve dot segments before they send a path.
///
/// - `//a/b`: read as a reference (RFC 3986, section 4.2), this is the path `/b` on the authority `a`.
/// - A dot segment, encoded or not, between slashes of any kind (`/`, `\`, `%2F`, `%5C`) or before a parameter
///   (`/a/..;x/b`): some upstreams resolve it, before or after they decode, merge slashes and remove parameters.
#[must_use]
pub fn is_ambiguous(target: &[u8]) -> bool {
    let path = path_of(target);
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    if path.len() > 1 && path.iter().take(2).all(is_slash) {
        return true;
    }
    let decoded = decode_segment(path);
    let name = |segment: &[u8]| matches!(segment.split(|byte| *byte == b';').next(), Some(b"." | b".."));
    decoded.split(is_slash).any(name)
}

/// Percent-decodes a segment of a path, or another text, once, for comparing it with a value. `+` and invalid escapes (`%zz`) are
/// unchanged. A decoded `/` is part of the segment, so the result must not be used to build a path.
#[must_use]
pub fn decode_segment(segment: &[u8]) -> Cow<'_, [u8]> {
    decode(segment, false)
}

/// The part of a text that looks like a router's pattern, but would be compared literally.
#[must_use]
pub fn pattern_in(text: &[u8]) -> Option<&'static str> {
    let holds = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    if text.contains(&b'*') {
        Some("`*`")
    } else if text.iter().any(|byte| matches!(byte, b'{' | b'}')) {
        Some("`{…}`")
    } else if text.iter().any(|byte| matches!(byte, b'[' | b']' | b'<' | b'>')) {
        Some("`[…]` and `<…>`")
    } else if text.contains(&b'^') {
        Some("`^`")
    } else if holds(b"/:") {
        Some("segment that begins with `:`")
    } else if holds(b"://") {
        Some("scheme and host")
    } else {
        None
    }
}

fn path_of(target: &[u8]) -> &[u8] {
    target.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

/// Whether [`normalize`] would change nothing.
fn is_normal(path: &[u8]) -> bool {
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        let normal = match byte {
            b'/' => !matches!(
                after,
                [b'/', ..] | [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..]
            ),
            b'%' => {
                let upper = !after.iter().take(2).any(u8::is_ascii_lowercase);
                upper && escaped(rest).is_some_and(|byte| !is_plain(byte))
            }
            byte => may_stand(*byte),
        };
        if !normal {
            return false;
        }
        rest = after;
    }
    path.starts_with(b"/")
}

/// Decodes, normalizes and adds percent-encoding. A raw `\` is unchanged; the caller replaces it.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        let decoded = escaped(rest);
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
        match (decoded, *byte) {
            (Some(byte), _) if is_plain(byte) => out.push(byte),
            (None, byte) if may_stand(byte) || byte == b'\\' => out.push(byte),
            (Some(byte), _) | (None, byte) => {
                out.push(b'%');
                out.extend(
                    [byte >> 4, byte & 15]
                        .map(|digit| if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }),
                );
            }
        }
    }
    out
}

fn replace_backslashes(path: &mut [u8]) {
    for byte in path {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
}

/// Resolves dot segments (RFC 3986, section 5.2.4). The result begins with a slash.
fn resolve_dots(path: &[u8]) -> Vec<u8> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let mut out: Vec<u8> = Vec::with_capacity(path.len() + 1);
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let directory = match segment {
            b"." => true,
            b".." => {
                out.truncate(out.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                true
            }
            segment => {
                out.push(b'/');
                out.extend_from_slice(segment);
                false
            }
        };
        if directory && segments.peek().is_none() {
            out.push(b'/');
        }
    }
    out
}

fn merge_slashes(path: &mut Vec<u8>) {
    path.dedup_by(|a, b| *a == b'/' && *b == b'/');
}

/// The decoded byte, if `text` begins with an escape.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// Unreserved characters (RFC 3986, section 2.3).
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Characters that upstreams read alike, encoded or not.
const fn is_plain(byte: u8) -> bool {
    may_stand(byte) && !matches!(byte, b'/' | b';')
}

/// Characters that are allowed in a path without encoding (RFC 3986, section 3.3).
const fn may_stand(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
}

/// Percent-decodes once. With `plus_is_space`, `+` is a space, as in forms.
fn decode(text: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    let is_space = |byte: u8| plus_is_space && byte == b'+';
    if !text.iter().any(|byte| *byte == b'%' || is_space(*byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let decoded = escaped(rest);
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
        out.push(decoded.unwrap_or(if is_space(*byte) { b' ' } else { *byte }));
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
