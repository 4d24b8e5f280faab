//! Memory usage of values.
//!
//! It is estimated, since Wasm has no way to ask for the size of an allocation. Where the density of a structure
//! varies, the least dense case is assumed.

use serde_json::Value as Json;

/// Memory used by an allocation of `bytes` bytes. The allocators of Wasm (dlmalloc) and Linux (glibc) add a header
/// of one word and round up to a multiple of 16 bytes.
#[must_use]
pub const fn allocated(bytes: usize) -> usize {
    const UNIT: usize = 16;
    if bytes == 0 { 0 } else { (bytes + size_of::<usize>()).next_multiple_of(UNIT) }
}

/// Memory allocated by `value`, in bytes, without the value itself.
#[must_use]
pub fn allocated_by(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => allocated(text.capacity()),
        Json::Array(items) => {
            allocated(items.capacity() * size_of::<Json>()) + items.iter().map(allocated_by).sum::<usize>()
        }
        Json::Object(entries) => {
            let of_entry = |(name, value): (&String, &Json)| allocated(name.capacity()) + allocated_by(value);
            nodes(entries.len()) + entries.iter().map(of_entry).sum::<usize>()
        }
    }
}

/// Memory of the nodes of a `BTreeMap<String, Value>`. A node has room for 11 entries, and all but the root hold at
/// least 5.
const fn nodes(entries: usize) -> usize {
    const ROOM: usize = 11;
    const LEAST: usize = 5;
    // A pointer to the parent, the index in it, and the number of entries.
    let leaf = ROOM * (size_of::<String>() + size_of::<Json>()) + 2 * size_of::<usize>();
    let inner = leaf + (ROOM + 1) * size_of::<usize>();
    match entries {
        0 => 0,
        1..=ROOM => allocated(leaf),
        _ => {
            // An entry of an inner node separates two leaves.
            let leaves = (entries + 1) / (LEAST + 1);
            leaves * allocated(leaf) + (1 + leaves / LEAST) * allocated(inner)
        }
    }
}
