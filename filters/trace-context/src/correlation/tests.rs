//! Tests of the table: workers without interleaving, random scripts of several workers, and every script of a few calls.

#[cfg(not(target_family = "wasm"))]
mod every_script;
#[cfg(not(target_family = "wasm"))]
mod laws;
mod memory;
mod model;
mod seeded;
#[cfg(not(target_family = "wasm"))]
mod simulation;
mod units;

use super::{Id, Settings, Stored, Table};
use mesh_policy::hash::Key;
use mesh_policy::headers::HeaderName;
use mesh_policy::scope::Scope;
use mesh_policy::store::{Store, StoreError};
use std::time::Duration;

/// Names and values of headers.
type Content = Vec<(String, Vec<u8>)>;

const SETTINGS: Settings =
    Settings { ttl: Duration::from_secs(30), capacity: 64, max_value_bytes: 20, max_entry_bytes: 64 };

fn table(settings: Settings) -> Table {
    Table::new(&Scope::of_plugin("p"), settings, Key::new([7; 16]))
}

/// Headers whose values say by which call they are stored; more headers for some calls than for others.
fn content(call: usize) -> Content {
    let names = ["traceparent", "x", "x"].into_iter().take(1 + call % 3);
    names.map(|name| (name.to_owned(), format!("of {call}").into_bytes())).collect()
}

fn store(
    table: &Table,
    id: &[u8],
    content: &[(impl AsRef<str>, impl AsRef<[u8]>)],
    store: &mut impl Store,
) -> Result<Stored, StoreError> {
    let names: Vec<_> = content.iter().map(|(name, _)| HeaderName::new(name.as_ref()).unwrap()).collect();
    let headers: Vec<_> = names.iter().zip(content.iter().map(|(_, value)| value.as_ref())).collect();
    table.store(Id::new(id).unwrap(), &headers, store)
}

fn find(table: &Table, id: &[u8], store: &mut impl Store) -> Result<Option<Content>, StoreError> {
    let header = |(name, value): (&[u8], &[u8])| (String::from_utf8(name.to_vec()).unwrap(), value.to_vec());
    let entry = table.find(Id::new(id).unwrap(), store)?;
    Ok(entry.map(|entry| entry.iter().map(header).collect()))
}

/// So many ids of one set. Some have the same length, and some begin with another one.
fn ids_of_a_set(table: &Table, count: usize) -> Vec<Vec<u8>> {
    let record = |id: &[u8]| table.record(Id::new(id).unwrap());
    let ids = (0u8..=255).flat_map(|byte| [1, 2, 128].map(|length| vec![byte; length]));
    let ids: Vec<_> = ids.filter(|id| record(id) == record(b"id")).take(count).collect();
    assert_eq!(ids.len(), count);
    ids
}
