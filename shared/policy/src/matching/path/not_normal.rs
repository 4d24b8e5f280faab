//! The problem of a path that is not in normal form.

use mesh_config::{ProblemKind, Value};
use std::fmt::Display;

pub(super) fn not_normal<T>(value: &Value<'_>, found: impl Display, normal: impl Display) -> Option<T> {
    let expected = format_args!("found `{found}`, which no path in normal form can be, expected `{normal}`");
    value.problem(ProblemKind::BadPattern, expected)
}
