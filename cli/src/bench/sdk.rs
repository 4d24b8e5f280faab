//! The same do-nothing filter, written with the Rust SDK (`tests/sdk-noop`).

use std::path::Path;

use mesh_host::callbacks::Callbacks;
use serde_json::json;

use super::rows::{Row, wasm};
use crate::module::{self, appear, strip};

/// Two rows: the module as the SDK makes it, with all its exports, and with those of a filter that looks at
/// request headers only. `folder` takes the second module.
pub(super) fn rows(folder: &Path) -> anyhow::Result<[Row; 2]> {
    let all = module::SDK_NOOP.build()?;
    let trimmed = folder.join("sdk-noop.wasm");
    appear::write(&trimmed, &strip::keep(&std::fs::read(&all)?, Callbacks::REQUEST_HEADERS)?)?;
    Ok([
        wasm("Rust SDK, does nothing", &all, &json!({})),
        wasm("Rust SDK, exports trimmed", &trimmed, &json!({})),
    ])
}
