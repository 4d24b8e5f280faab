//! Modules that are written by hand.

use std::path::Path;

use serde_json::json;

use super::rows::{Row, wasm};

/// A row with a module in WebAssembly's text format. `folder` takes the module.
pub(super) fn row(name: &str, text: &str, folder: &Path) -> anyhow::Result<Row> {
    let path = folder.join(name).with_extension("wasm");
    std::fs::write(&path, wat::parse_str(text)?)?;
    Ok(wasm(name, &path, &json!({})))
}
