//! The paths that upstreams may read in one request target.

use super::{escaped, is_normal, merge_slashes, path_of, resolve_dots, unescape};
use crate::truth::Truth;
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// How upstreams read an escaped slash or backslash (`%2F`, `%5C`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EscapedSlashes {
    /// As a slash or as a character of a segment, depending on the upstream.
    #[default]
    Either,
    /// As a character of a segment.
    Character,
}

/// All paths that upstreams may read in a request target, without query and fragment.
///
/// Each of these steps is optional: `%2F`, `%5C` and `\` are read as slashes; a `;` or `%3B` and the rest of its segment
/// is removed, before or after that; repeated slashes are merged; dot segments are resolved, before or after that; two
/// leading slashes begin an authority. Other escapes are always decoded, as in the
/// [normal form](super::normalize).
///
/// Most paths have only one reading.
#[derive(Clone, Debug)]
pub struct Readings<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    /// The request has no path, like CONNECT requests, or its readings exceed [`MAX_BYTES`].
    Unknown,
    One(Cow<'a, [u8]>),
    Several(Rc<[Vec<u8>]>),
}

/// The readings of a request's path that are expensive to find, for all configs that test it.
#[derive(Debug, Default)]
pub struct Expansions(RefCell<Vec<Expansion>>);

#[derive(Debug)]
struct Expansion {
    target: Vec<u8>,
    escaped_slashes: EscapedSlashes,
    /// `None` if they exceed [`MAX_BYTES`].
    paths: Option<Rc<[Vec<u8>]>>,
}

impl Expansions {
    /// The readings, if they are known, or else the result of `expand`. Those of another target are forgotten: a filter has
    /// changed it.
    fn find_or(
        &self,
        target: &[u8],
        escaped_slashes: EscapedSlashes,
        expand: impl FnOnce() -> Option<Rc<[Vec<u8>]>>,
    ) -> Option<Rc<[Vec<u8>]>> {
        let Ok(mut known) = self.0.try_borrow_mut() else { return expand() };
        known.retain(|expansion| expansion.target == target);
        let found = known.iter().find(|expansion| expansion.escaped_slashes == escaped_slashes);
        if let Some(expansion) = found {
            return expansion.paths.clone();
        }
        let paths = expand();
        known.push(Expansion { target: target.to_vec(), escaped_slashes, paths: paths.clone() });
        paths
    }
}

/// Maximum total length of the readings of a path. Clients choose the path, and each test looks at all readings.
const MAX_BYTES: usize = 64 << 10;

impl<'a> Readings<'a> {
    /// The readings of a request target. `known`: what other configs have found.
    #[must_use]
    pub fn of(target: &'a [u8], escaped_slashes: EscapedSlashes, known: Option<&Expansions>) -> Self {
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
        let expand = || expand(path, escaped_slashes).map(|set| set.paths.into());
        let paths = match known {
            None => expand(),
            Some(known) => known.find_or(target, escaped_slashes, expand),
        };
        Self(paths.map_or(Kind::Unknown, Kind::Several))
    }

    /// Whether a test on the path holds. Undecided if the results of the readings differ, or there are none.
    pub fn test(&self, test: impl Fn(&[u8]) -> bool) -> Truth {
        self.test_each(|path| test(path).into())
    }

    /// Like [`Readings::test`], for a test that may itself be undecided.
    pub fn test_each(&self, test: impl Fn(&[u8]) -> Truth) -> Truth {
        match &self.0 {
            Kind::Unknown => Truth::Undecided,
            Kind::One(path) => test(path),
            Kind::Several(paths) => Truth::agreed(paths.iter().map(|path| test(path))),
        }
    }
}

/// A canonical form of the path for counting requests: the reading in which all steps are taken, so that clients cannot
/// vary the path of a resource. `None` if the request has no path.
///
/// Slashes are merged before dot segments are resolved. Otherwise `/x//../a` would be `/x/a` for any `x`, but `/a` for
/// an upstream that merges first.
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
    // Resolving leading dot segments may leave two leading slashes.
    let resolved = resolve_dots(path);
    let path = if resolved.starts_with(b"//") { without_authorities(&resolved) } else { path };
    Some(Cow::Owned(resolve_dots(&merged(path))))
}

/// Removes all leading authorities.
fn without_authorities(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"//") {
        let authority = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        path = rest.get(authority..).unwrap_or_default();
    }
    path
}

/// An optional step; `None` if it changes nothing.
type Way = fn(&[u8]) -> Option<Vec<u8>>;

/// Distinct paths, at most [`MAX_BYTES`] in total.
#[derive(Default)]
struct Set {
    paths: Vec<Vec<u8>>,
    bytes: usize,
}

impl Set {
    /// Adds a path; `None` if the total would exceed the maximum.
    fn add(&mut self, path: Vec<u8>) -> Option<()> {
        if !self.paths.contains(&path) {
            self.bytes = self.bytes.checked_add(path.len()).filter(|bytes| *bytes <= MAX_BYTES)?;
            self.paths.push(path);
        }
        Some(())
    }

    /// Adds the result of each step for each path.
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

/// All readings of an unescaped path. Each step drops duplicates, so its work is bounded by [`MAX_BYTES`].
fn expand(path: Vec<u8>, escaped_slashes: EscapedSlashes) -> Option<Set> {
    let mut set = Set::default();
    // Parameters may be removed before escapes are decoded, as in Tomcat, or after.
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
        // Resolving leading dot segments may leave two leading slashes.
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
            // A path without a leading slash.
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

/// Which characters besides `/` are read as slashes.
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

    /// Replaces these characters by `/`, and encodes a `\` that is not among them.
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

/// The path with a leading slash.
fn rooted(mut path: Vec<u8>) -> Vec<u8> {
    if !path.starts_with(b"/") {
        path.insert(0, b'/');
    }
    path
}

/// The path after the authority that two leading slashes begin (RFC 3986, section 3.2).
fn without_authority(path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(b"//")?;
    let authority = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    Some(rooted(rest.get(authority..).unwrap_or_default().to_vec()))
}

/// Removes `;`, encoded or not, and what follows it in each segment; `None` if there is none.
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
