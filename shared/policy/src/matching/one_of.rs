//! Exactly one of several tests, each a field of its own.

use mesh_config::{Fields, Value, quoted};

/// Reads the one field of `names` that is there; none and several are problems.
pub(crate) fn one_of<T>(
    fields: &Fields<'_>,
    names: &[&'static str],
    mut read: impl FnMut(&'static str, Value<'_>) -> Option<T>,
) -> Option<T> {
    let given: Vec<_> =
        names.iter().filter_map(|name| Some((*name, read(name, fields.get(name)?)))).collect();
    match <[_; 1]>::try_from(given) {
        // Beside a test, another one that is empty was meant to say more.
        Ok([(_, test)]) => fields.no_null(names).and(test),
        Err(given) if given.is_empty() => {
            fields.no_null(names)?;
            let allowed = quoted(names.iter().copied());
            fields.problem_here(&format!("found no test, expected one of {allowed}"))
        }
        Err(given) => {
            let found = quoted(given.iter().map(|(name, _)| *name));
            fields.problem_here(&format!("found {found}, expected one of them only"))
        }
    }
}
