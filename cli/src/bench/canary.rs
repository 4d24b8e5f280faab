//! The canary filter beside modules that do nothing.

use std::path::Path;

use serde_json::json;

use super::rows::{BARE, NOOP, Row, wasm};
use crate::module;

/// The rows, in the order of the table.
pub(crate) fn rows(filter: &Path, _folder: &Path) -> anyhow::Result<Vec<Row>> {
    let noop = module::NOOP.build()?;
    let ours = |name, config| wasm(name, filter, config).of_filter();
    let split = json!({"split": {"name": "s", "sticky": [{"header": "x-user-id"}],
        "variants": [{"name": "v1", "weight": 90}, {"name": "v2", "weight": 10}]}});
    Ok(vec![Row::new(BARE, Vec::new()), wasm(NOOP, &noop, &json!({})), ours("sticky split", &split)])
}
