//! Prints what a filter's config may be.

use std::process::ExitCode;

use crate::registry::Filter;

/// Prints the JSON Schema of a filter's config, or a generated part of its README.
#[must_use]
pub fn schema(filter: Filter, table: bool, metrics: bool) -> ExitCode {
    let text = match (table, metrics) {
        (_, true) => filter.metrics(),
        (true, false) => filter.schema().to_table(),
        (false, false) => filter.schema().to_json(),
    };
    print!("{text}");
    ExitCode::SUCCESS
}
