//! What a filter's schema promises: it refuses nothing that the filter takes, and it refuses what it can know to
//! be wrong. And what is committed is what the filter describes.

use mesh_config::describe::Schema;
use mesh_config::{Problem, ProblemKind, Problems};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A filter, as these laws see it.
pub(crate) struct Described {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its description.
    pub(crate) schema: Schema,
    /// Reads a config.
    pub(crate) parse: fn(&[u8]) -> Result<(), Problems>,
    /// Configs that are good, and have every field between them.
    pub(crate) good: Vec<Value>,
    /// Configs that are refused, and have the fields that no good one has.
    pub(crate) refused: Vec<Value>,
    /// The committed `schema.json`.
    pub(crate) committed: &'static str,
    /// Its README.
    pub(crate) readme: &'static str,
}

impl Described {
    fn json(&self) -> Value {
        serde_json::from_str(&self.schema.to_json()).unwrap()
    }

    fn validator(&self) -> jsonschema::Validator {
        jsonschema::draft202012::new(&self.json()).unwrap()
    }

    fn problems(&self, config: &Value) -> Vec<Problem> {
        match (self.parse)(config.to_string().as_bytes()) {
            Ok(()) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        }
    }
}

/// Runs every check.
pub(crate) fn check(filter: &Described) {
    what_is_committed_is_what_is_described(filter);
    the_good_configs_are_good(filter);
    every_default_is_of_its_own_kind(filter);
    what_is_asked_is_what_is_described(filter);
    the_schema_refuses_nothing_that_the_filter_takes(filter);
    the_schema_refuses_what_it_can_know_to_be_wrong(filter);
}

fn what_is_committed_is_what_is_described(filter: &Described) {
    let name = filter.name;
    assert!(
        filter.committed == filter.schema.to_json(),
        "`cargo run -- schema {name} > filters/{name}/schema.json` makes another schema.json"
    );
    let table = Schema::table_in(filter.readme).expect("the README has no `<!-- fields -->`");
    assert!(
        table == filter.schema.to_table().trim_matches('\n'),
        "`cargo run -- schema {name} --table` prints other tables than README has"
    );
}

fn the_good_configs_are_good(filter: &Described) {
    assert!(jsonschema::draft202012::meta::is_valid(&filter.json()));
    let validator = filter.validator();
    for config in &filter.good {
        assert_eq!(filter.problems(config), [], "{config}");
        if let Some(error) = validator.iter_errors(config).next() {
            panic!("{config}\n{}: {error}", error.instance_path());
        }
    }
}

fn every_default_is_of_its_own_kind(filter: &Described) {
    let schema = filter.json();
    for (name, def) in schema["$defs"].as_object().unwrap() {
        let fields = def["properties"].as_object().cloned().unwrap_or_default();
        for (field, kind) in fields {
            let Some(default) = kind.get("default") else { continue };
            let mut kind = kind.clone();
            kind["$defs"] = schema["$defs"].clone();
            assert!(jsonschema::draft202012::is_valid(&kind, default), "{name}.{field}: {default}");
        }
    }
}

/// In debug builds a reader notes for which fields of which types it asks.
fn what_is_asked_is_what_is_described(filter: &Described) {
    for config in filter.good.iter().chain(&filter.refused) {
        drop(filter.problems(config));
    }
    let asked = mesh_config::asked::by_type();
    let mut described = BTreeMap::new();
    for (name, fields) in filter.schema.fields() {
        described.insert(name.to_owned(), fields.into_iter().collect::<BTreeSet<_>>());
    }
    for (name, fields) in &described {
        let Some(asked) = asked.get(name.as_str()) else {
            assert!(fields.is_empty(), "no config here has a {name}");
            continue;
        };
        assert_eq!(&asked.iter().copied().collect::<BTreeSet<_>>(), fields, "{name}");
    }
}

fn the_schema_refuses_nothing_that_the_filter_takes(filter: &Described) {
    let (validator, names) = (filter.validator(), names(filter));
    let law = |config: Value| {
        if filter.problems(&config).is_empty() {
            let normalized = normalized(&config, &names);
            prop_assert!(validator.is_valid(&normalized), "the schema refuses {normalized}");
        }
        Ok(())
    };
    TestRunner::default().run(&mutated(filter), law).unwrap();
}

fn the_schema_refuses_what_it_can_know_to_be_wrong(filter: &Described) {
    let validator = filter.validator();
    let law = |config: Value| {
        let problems = filter.problems(&config);
        if let Some(problem) = problems.iter().find(|problem| is_knowable(problem)) {
            prop_assert!(!validator.is_valid(&config), "the schema takes {config}\n{problem}");
        }
        Ok(())
    };
    TestRunner::default().run(&mutated(filter), law).unwrap();
}

/// Whether a schema can know of the problem: not of rules between fields, of the length of a duration, of names
/// that refer to something, and of names in another case.
fn is_knowable(problem: &Problem) -> bool {
    match problem.kind {
        Some(ProblemKind::UnknownField | ProblemKind::WrongType) => true,
        Some(ProblemKind::UnknownWord) => problem.message.contains("expected one of"),
        Some(ProblemKind::OutOfRange) => !problem.message.contains("a duration"),
        _ => false,
    }
}

/// Every name of a field, by its spelling in camel case.
fn names(filter: &Described) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (_, fields) in filter.schema.fields() {
        for field in fields {
            names.insert(camel_case(field), field.to_owned());
        }
    }
    names
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (start, rest) = word.split_at(word.len().min(1));
        name + &start.to_ascii_uppercase() + rest
    })
}

/// The config in snake case, without the nulls that count as left out.
fn normalized(config: &Value, names: &BTreeMap<String, String>) -> Value {
    match config {
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (names.get(name).unwrap_or(name).clone(), normalized(value, names)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(|item| normalized(item, names)).collect(),
        other => other.clone(),
    }
}

/// A good config in which a few places have something else, are gone, or have something more.
fn mutated(filter: &Described) -> impl Strategy<Value = Value> + use<> {
    let names: Vec<String> = names(filter).into_iter().flat_map(|(camel, snake)| [camel, snake]).collect();
    let pieces = pieces(&filter.good);
    let good = filter.good.clone();
    let piece = prop_oneof![
        4 => prop::sample::select(pieces),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0u64..2000).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!({})),
        1 => Just(json!([])),
        1 => "[a-zA-Z0-9:/._({*-]{0,8}".prop_map(Value::from),
        1 => prop::sample::select(&["off", "enforce", "allow", "ALLOW", "path", "1m", "10.0.0.0/8"][..]).prop_map(Value::from),
    ];
    let change = (any::<prop::sample::Index>(), prop::option::of(prop::sample::select(names)), piece);
    (prop::sample::select(good), prop::collection::vec(change, 1..4)).prop_map(|(mut config, changes)| {
        for (place, name, piece) in changes {
            let mut places = Vec::new();
            list_places(&config, "", &mut places);
            let Some(value) = config.pointer_mut(place.get(&places).as_str()) else { continue };
            match (value, name) {
                (Value::Object(entries), Some(name)) => drop(entries.insert(name, piece)),
                (value, _) => *value = piece,
            }
        }
        config
    })
}

/// Every value within these.
fn pieces(values: &[Value]) -> Vec<Value> {
    let mut pieces = Vec::new();
    for value in values {
        pieces.push(value.clone());
        match value {
            Value::Object(entries) => {
                pieces.extend(self::pieces(&entries.values().cloned().collect::<Vec<_>>()));
            }
            Value::Array(items) => pieces.extend(self::pieces(items)),
            _ => {}
        }
    }
    pieces
}

fn list_places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                list_places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                list_places(item, &format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
}
