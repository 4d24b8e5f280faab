//! The paths that upstreams may read one request target as.

use super::{escaped, is_normal, merge_slashes, path_of, resolve_dots, unescape};
use crate::truth::Truth;
use std::borrow::Cow;

/// What an escaped slash or backslash (`%2F`, `%5C`) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EscapedSlashes {
    /// A slash to some upstreams, a character of a segment to others.
    #[default]
    Either,
    /// A character of a segment.
    Character,
}

/// Every path that an upstream may read a request target as, each without query and fragment.
///
/// A reading takes or leaves each of these: `%2F`, `%5C` and `\` are slashes; a `;` (`%3B` too) and what
/// follows in its segment is cut off, before that or after; slashes in a row are merged; dot segments are
/// resolved, before or after that; two slashes in front begin an authority. Other escapes are decoded in all of
/// them, as in the [normal form](super::normalize).
///
/// Nearly every path holds nothing of the kind and has one reading.
#[derive(Clone, Debug)]
pub struct Readings<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    /// There is no path, as in a CONNECT request, or its readings exceed [`MAX_BYTES`].
    Unknown,
    One(Cow<'a, [u8]>),
    Several(Vec<Vec<u8>>),
}

/// The most bytes that the readings of a path may have together. A client chooses the path, and each test on
/// it reads all of them.
const MAX_BYTES: usize = 64 << 10;

impl<'a> Readings<'a> {
    /// The readings of a request target; empty if the request has none.
    #[must_use]
    pub fn of(target: &'a [u8], escaped_slashes: EscapedSlashes) -> Self {
        if target.is_empty() {
            return Self(Kind::Unknown);
        }
        let path = path_of(target);
        if is_normal(path) && !may_vary(path) {
            return Self(Kind::One(Cow::Borrowed(path)));
        }
        let path = unescape(path);
        if !may_vary(&path) {
            return Self(Kind::One(Cow::Owned(rooted(path))));
        }
        Self(match expand(path, escaped_slashes) {
            None => Kind::Unknown,
            Some(set) => Kind::Several(set.paths),
        })
    }

    /// Whether a test on the path holds: undecided if the readings answer it differently, or are not known.
    pub fn test(&self, test: impl Fn(&[u8]) -> bool) -> Truth {
        self.test_each(|path| test(path).into())
    }

    /// The same for a test that may itself be undecided.
    pub fn test_each(&self, test: impl Fn(&[u8]) -> Truth) -> Truth {
        match &self.0 {
            Kind::Unknown => Truth::Undecided,
            Kind::One(path) => test(path),
            Kind::Several(paths) => Truth::agreed(paths.iter().map(|path| test(path))),
        }
    }
}

/// The one reading of a path that takes all of them, for counting requests by their path: what a client may vary
/// without asking for something else is gone. `None` if the request has no path.
///
/// Slashes are merged before dot segments are resolved. The other way round, `/x//../a` would be `/x/a` for any
/// `x`, and `/a` to an upstream that merges first.
#[must_use]
pub fn folded(target: &[u8]) -> Option<Cow<'_, [u8]>> {
    if target.is_empty() {
        return None;
    }
    let path = path_of(target);
    if is_normal(path) && !may_vary(path) {
        return Some(Cow::Borrowed(path));
    }
    let path = unescape(path);
    let path = without_parameters(&path).unwrap_or(path);
    let path = Slashes::ALL.replaced(&path);
    let path = without_authorities(&path);
    // Where dot segments in front are resolved, two slashes come to the front.
    let resolved = resolve_dots(path);
    let path = if resolved.starts_with(b"//") { without_authorities(&resolved) } else { path };
    Some(Cow::Owned(resolve_dots(&merged(path))))
}

/// What follows the authorities, however many follow each other.
fn without_authorities(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"//") {
        let authority = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        path = rest.get(authority..).unwrap_or_default();
    }
    path
}

/// What a reader may make of a path; `None` if nothing.
type Way = fn(&[u8]) -> Option<Vec<u8>>;

/// Distinct paths, within [`MAX_BYTES`].
#[derive(Default)]
struct Set {
    paths: Vec<Vec<u8>>,
    bytes: usize,
}

impl Set {
    /// `None` if it does not fit.
    fn add(&mut self, path: Vec<u8>) -> Option<()> {
        if !self.paths.contains(&path) {
            self.bytes = self.bytes.checked_add(path.len()).filter(|bytes| *bytes <= MAX_BYTES)?;
            self.paths.push(path);
        }
        Some(())
    }

    /// Every path, and beside it what each way makes of it.
    fn with(self, ways: &[Way]) -> Option<Self> {
        let mut set = Self::default();
        for path in self.paths {
            for other in ways.iter().filter_map(|way| way(&path)) {
                set.add(other)?;
            }
            set.add(path)?;
        }
        Some(set)
    }
}

/// All readings of an unescaped path. Every stage drops what it has already, so the work is bounded by
/// [`MAX_BYTES`] for each of them.
fn expand(path: Vec<u8>, escaped_slashes: EscapedSlashes) -> Option<Set> {
    let mut set = Set::default();
    // Parameters may be cut off before escapes are decoded, as Tomcat does, or after.
    for path in [without_parameters(&path), Some(path)].into_iter().flatten() {
        for slashes in Slashes::readings(escaped_slashes) {
            set.add(slashes.replaced(&path))?;
        }
    }
    set.with(&[without_authority])?
        .with(&[without_parameters])?
        .with(&[
            |path| Some(resolve_dots(path)),
            |path| Some(merged(path)),
            |path| Some(merged(&resolve_dots(path))),
            |path| Some(resolve_dots(&merged(path))),
        ])?
        // Where dot segments in front are resolved, two slashes come to the front.
        .with(&[without_authority])
}

/// Whether an unescaped path may have another reading.
fn may_vary(path: &[u8]) -> bool {
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        let varies = match byte {
            b'\\' | b';' => true,
            b'/' => matches!(
                after,
                [b'/', ..] | [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..]
            ),
            b'%' => matches!(escaped(rest), Some(b'/' | b'\\' | b';')),
            // A path that does not begin with a slash.
            b'.' if rest.len() == path.len() => true,
            _ => false,
        };
        if varies {
            return true;
        }
        rest = after;
    }
    false
}

/// What else than `/` is a slash.
#[derive(Clone, Copy)]
struct Slashes {
    /// `\`
    backslash: bool,
    /// `%2F`
    escaped_slash: bool,
    /// `%5C`
    escaped_backslash: bool,
}

impl Slashes {
    const ALL: Self = Self { backslash: true, escaped_slash: true, escaped_backslash: true };

    fn readings(escaped_slashes: EscapedSlashes) -> impl Iterator<Item = Self> {
        (0..8u8)
            .map(|bits| Self {
                backslash: bits & 1 != 0,
                escaped_slash: bits & 2 != 0,
                escaped_backslash: bits & 4 != 0,
            })
            .filter(move |slashes| {
                escaped_slashes == EscapedSlashes::Either
                    || !(slashes.escaped_slash || slashes.escaped_backslash)
            })
    }

    /// The path with these slashes replaced, and a `\` that is none escaped.
    fn replaced(self, path: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(path.len() + 1);
        let mut rest = path;
        while let [byte, after @ ..] = rest {
            let (is_slash, length) = match (byte, escaped(rest)) {
                (b'\\', _) => (self.backslash, 1),
                (_, Some(b'/')) => (self.escaped_slash, 3),
                (_, Some(b'\\')) => (self.escaped_backslash, 3),
                _ => (false, 0),
            };
            if is_slash {
                out.push(b'/');
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            match byte {
                b'\\' => out.extend_from_slice(b"%5C"),
                byte => out.push(*byte),
            }
            rest = after;
        }
        rooted(out)
    }
}

/// With a slash in front.
fn rooted(mut path: Vec<u8>) -> Vec<u8> {
    if !path.starts_with(b"/") {
        path.insert(0, b'/');
    }
    path
}

/// What follows the authority, if two slashes in front begin one (RFC 3986, section 3.2).
fn without_authority(path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(b"//")?;
    let authority = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    Some(rooted(rest.get(authority..).unwrap_or_default().to_vec()))
}

/// The path with `;`, escaped or not, and what follows it cut off each segment.
fn without_parameters(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    let mut cut = false;
    while let [byte, after @ ..] = rest {
        cut = *byte != b'/' && (cut || *byte == b';' || escaped(rest) == Some(b';'));
        if !cut {
            out.push(*byte);
        }
        rest = after;
    }
    (out.len() < path.len()).then_some(out)
}

fn merged(path: &[u8]) -> Vec<u8> {
    let mut path = path.to_vec();
    merge_slashes(&mut path);
    path
}

#[cfg(test)]
mod tests;
