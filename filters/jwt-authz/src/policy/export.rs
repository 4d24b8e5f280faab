//! The claims that other modules may see.

use mesh_policy::matching::claim::find;
use serde_json::{Map, Value as Json};

/// An object with these claims only, each where it stands; `None` if none of them is there.
pub(super) fn export(claims: &Json, exported: &[Vec<String>]) -> Option<Json> {
    let mut object = Map::new();
    for names in exported {
        if let Some(claim) = find(claims, names) {
            put(&mut object, names, claim);
        }
    }
    (!object.is_empty()).then_some(Json::Object(object))
}

/// Puts a claim where these names lead.
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
