//! Lists in one line, for the log.

use crate::mode::Mode;
use std::fmt::{Display, Write as _};

/// A line stays readable with so many items.
const MAX_ITEMS: usize = 8;

/// The number of items and the first of them: `2 limits: a, b`.
pub fn list<T: Display>(what: &str, items: impl ExactSizeIterator<Item = T>) -> String {
    let count = items.len();
    let mut line = match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    for (index, item) in items.take(MAX_ITEMS).enumerate() {
        let _infallible = write!(line, "{}{item}", if index == 0 { ": " } else { ", " });
    }
    if count > MAX_ITEMS {
        line.push_str(", ...");
    }
    line
}

/// The name of a part, with its mode unless that is `enforce`: `a (shadow)`.
#[must_use]
pub fn named(name: &str, mode: Mode) -> String {
    match mode {
        Mode::Enforce => name.to_owned(),
        mode => format!("{name} ({mode})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{list, named};
    use crate::mode::Mode;
    use crate::testing::test;

    #[test]
    fn lists() {
        assert_eq!(list("limit", [0; 0].iter()), "0 limits");
        assert_eq!(list("limit", ["a"].iter()), "1 limit: a");
        assert_eq!(list("limit", ["a", "b"].iter()), "2 limits: a, b");
        assert_eq!(list("rule", [1, 2, 3, 4, 5, 6, 7, 8, 9].iter()), "9 rules: 1, 2, 3, 4, 5, 6, 7, 8, ...");
    }

    #[test]
    fn names() {
        let names = [Mode::Enforce, Mode::Shadow, Mode::Off].map(|mode| named("a", mode));
        assert_eq!(names, ["a", "a (shadow)", "a (off)"]);
    }
}
