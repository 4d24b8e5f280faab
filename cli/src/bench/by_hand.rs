//! Modules that are written by hand.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::rows::{Row, wasm};

/// A row with a module in WebAssembly's text format. `folder` takes the module.
pub(super) fn row(name: &str, text: &str, folder: &Path) -> anyhow::Result<Row> {
    Ok(wasm(name, &module(name, text, folder)?, &json!({})))
}

/// Writes a module in WebAssembly's text format into `folder`.
pub(super) fn module(name: &str, text: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join(name).with_extension("wasm");
    std::fs::write(&path, wat::parse_str(text)?)?;
    Ok(path)
}
