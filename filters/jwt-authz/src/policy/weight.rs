//! How much memory a value takes.
//!
//! Counted, not measured: a host does not say what an allocation has cost. Where a structure may be more or
//! less dense, the least dense case counts.

use serde_json::Value as Json;

/// What an allocation of so many bytes takes: the allocators of Wasm (dlmalloc) and of Linux (glibc) put a
/// word in front, and hand out whole units.
#[must_use]
pub const fn allocated(bytes: usize) -> usize {
    const UNIT: usize = 16;
    if bytes == 0 { 0 } else { (bytes + size_of::<usize>()).next_multiple_of(UNIT) }
}

/// What a value has allocated.
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

/// The nodes of a `BTreeMap<String, Value>`. Each has room for eleven entries, and all but the root have at
/// least five.
const fn nodes(entries: usize) -> usize {
    const ROOM: usize = 11;
    const LEAST: usize = 5;
    // A reference to the parent, the place there, and how many entries there are.
    let leaf = ROOM * (size_of::<String>() + size_of::<Json>()) + 2 * size_of::<usize>();
    let inner = leaf + (ROOM + 1) * size_of::<usize>();
    match entries {
        0 => 0,
        1..=ROOM => allocated(leaf),
        _ => {
            // Between two leaves there is an entry of an inner node.
            let leaves = (entries + 1) / (LEAST + 1);
            leaves * allocated(leaf) + (1 + leaves / LEAST) * allocated(inner)
        }
    }
}
