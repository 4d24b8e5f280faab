//! Selects the claims that other filters may read.

use mesh_policy::matching::claim::find;
use serde_json::{Map, Value as Json};

/// An object with the exported claims at their paths; `None` if the token has none of them.
pub(super) fn export(claims: &Json, exported: &[Vec<String>]) -> Option<Json> {
    let mut object = Map::new();
    for names in exported {
        if let Some(claim) = find(claims, names) {
            put(&mut object, names, claim);
        }
    }
    (!object.is_empty()).then_some(Json::Object(object))
}

/// Inserts a claim at the path `names`.
fn put(object: &mut Map<String, Json>, names: &[String], claim: &Json) {
    match names {
        [] => {}
        [name] => {
            object.insert(name.clone(), claim.clone());
        }
        [name, rest @ ..] => {
            let within = object.entry(name.clone()).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(within) = within {
                put(within, rest, claim);
            }
        }
    }
}
