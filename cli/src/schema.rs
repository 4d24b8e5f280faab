//! Prints what a filter's config may be.

use std::process::ExitCode;

use crate::registry::Filter;

/// Prints the JSON Schema of a filter's config, or the field tables of its README.
#[must_use]
pub fn schema(filter: Filter, table: bool) -> ExitCode {
    let schema = filter.schema();
    print!("{}", if table { schema.to_table() } else { schema.to_json() });
    ExitCode::SUCCESS
}
