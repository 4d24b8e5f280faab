//! The valid configs of a filter, and random ones made of their words.

use super::Contract;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

impl Contract {
    /// The examples, with their paths.
    pub(super) fn examples(&self) -> Vec<(String, String)> {
        let folder = Path::new(self.folder).join("examples");
        let files =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut examples: Vec<_> = files
            .map(|file| file.unwrap().path())
            .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
            .collect();
        examples.sort();
        examples
    }

    /// The complete configs of the README, in their order.
    pub(super) fn configs_in_readme(&self) -> Vec<String> {
        let readme = std::fs::read_to_string(Path::new(self.folder).join("README.md")).unwrap();
        let blocks = readme.split("```json\n").skip(1).filter_map(|block| block.split("```").next());
        blocks.filter(|block| block.starts_with('{')).map(str::to_owned).collect()
    }

    /// All valid configs.
    pub(super) fn good(&self) -> Vec<String> {
        let examples = self.examples().into_iter().map(|(_, example)| example);
        let more = self.good.iter().map(|config| (*config).to_owned());
        examples.chain(self.configs_in_readme()).chain(more).collect()
    }

    /// Random JSON that contains names and strings of this filter's configs.
    pub(super) fn random_json(&self) -> impl Strategy<Value = Value> + use<> {
        let mut words: BTreeSet<_> = self.words.iter().map(|word| (*word).to_owned()).collect();
        for config in self.good() {
            collect_words(&serde_json::from_str(&config).unwrap(), &mut words);
        }
        let words: Vec<_> = words.into_iter().collect();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z0-9:/._({*-]{0,8}".prop_map(Value::from),
            prop::sample::select(words.clone()).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            let name = prop_oneof![1 => any::<String>(), 3 => prop::sample::select(words.clone())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }
}

/// JSON pointers to all values in a value.
pub(super) fn places(value: &Value) -> Vec<String> {
    fn add(value: &Value, at: &str, places: &mut Vec<String>) {
        places.push(at.to_owned());
        match value {
            Value::Object(entries) => {
                entries
                    .iter()
                    .for_each(|(name, value)| add(value, &format!("{at}/{}", escaped(name)), places));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(index, item)| add(item, &format!("{at}/{index}"), places));
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    add(value, "", &mut places);
    places
}

/// Escapes a name for a JSON pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Collects the names and strings in a value.
fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = words.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::Object(entries) => {
            words.extend(entries.keys().cloned());
            entries.values().for_each(|value| collect_words(value, words));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::places;
    use serde_json::json;

    #[test]
    fn every_place_can_be_found() {
        let value = json!({"a/b": [1, {"c": "d"}]});
        let places = places(&value);
        assert_eq!(places, ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c"]);
        assert!(places.iter().all(|place| value.pointer(place).is_some()));
    }
}
