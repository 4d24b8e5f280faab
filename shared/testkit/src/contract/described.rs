//! The schema of a config: it agrees with the parser, and the committed files are generated from it.

use super::Contract;
use super::configs::places;
use super::laws::hold;
use mesh_config::{Problem, ProblemKind, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

impl Contract {
    /// `schema.json` and the README's tables are the generated ones.
    pub fn the_schema_and_the_tables_are_up_to_date(&self) {
        let (name, schema) = (self.filter, (self.schema)());
        let read = |file: &str| std::fs::read_to_string(Path::new(self.folder).join(file)).unwrap();
        assert!(
            read("schema.json") == schema.to_json(),
            "`cargo run -- schema {name} > filters/{name}/schema.json` makes another schema.json"
        );
        let readme = read("README.md");
        let table = Schema::table_in(&readme).expect("the README has no `<!-- fields -->`");
        assert!(
            table == schema.to_table().trim_matches('\n'),
            "`cargo run -- schema {name} --table` prints other tables than README has"
        );
    }

    /// The README's part on metrics is what their declaration gives.
    pub fn the_metrics_in_the_readme_are_up_to_date(&self) {
        let name = self.filter;
        let readme = std::fs::read_to_string(Path::new(self.folder).join("README.md")).unwrap();
        let part = readme
            .split_once("<!-- metrics -->")
            .and_then(|(_, rest)| rest.split_once("<!-- end of metrics -->"));
        let (part, _) = part.expect("the README has no `<!-- metrics -->` with its end");
        assert!(
            part.trim_matches('\n') == (self.metrics)(name).trim_matches('\n'),
            "`cargo run -- schema {name} --metrics` prints another text than README has"
        );
    }

    /// The schema is valid, and so are all valid configs by it.
    pub fn the_schema_accepts_the_good_configs(&self) {
        assert!(jsonschema::draft202012::meta::is_valid(&self.json_schema()));
        let validator = self.validator();
        for config in self.good_values() {
            assert_eq!(self.problems(&config), [], "{config}");
            if let Some(error) = validator.iter_errors(&config).next() {
                panic!("{config}\n{}: {error}", error.instance_path());
            }
        }
    }

    /// Asserts that the schema refuses a config, as the parser does.
    #[track_caller]
    pub fn assert_schema_refuses(&self, config: &str) {
        let config = serde_json::from_str(config).unwrap();
        assert_ne!(self.problems(&config), [], "{config}");
        assert!(!self.validator().is_valid(&config), "{config}");
    }

    /// The schema of a field accepts its default.
    pub fn every_default_is_of_its_own_kind(&self) {
        let schema = self.json_schema();
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

    /// The schema has exactly the fields that the parser asks for. Only debug builds record those.
    #[cfg(not(debug_assertions))]
    pub const fn what_is_asked_is_what_is_described(&self) {}

    /// The schema has exactly the fields that the parser asks for. Only debug builds record those.
    #[cfg(debug_assertions)]
    pub fn what_is_asked_is_what_is_described(&self) {
        use std::collections::BTreeSet;
        let refused = self.refused.iter().map(|config| serde_json::from_str(config).unwrap());
        for config in self.good_values().into_iter().chain(refused) {
            drop(self.problems(&config));
        }
        let asked = mesh_config::asked::by_type();
        let schema = (self.schema)();
        for (name, fields) in schema.fields() {
            let fields: BTreeSet<_> = fields.into_iter().collect();
            let Some(asked) = asked.get(schema.type_of(name)) else {
                assert!(fields.is_empty(), "no config here has a {name}");
                continue;
            };
            assert_eq!(asked.iter().copied().collect::<BTreeSet<_>>(), fields, "{name}");
        }
    }

    /// The schema accepts what the parser accepts, and refuses unknown fields, wrong types, unknown words and
    /// numbers out of range.
    pub fn the_schema_and_the_reader_agree(&self) {
        let (validator, names) = (self.validator(), self.names());
        hold(&self.mutated(), |config| {
            let problems = self.problems(&config);
            if problems.is_empty() {
                let normalized = normalized(&config, &names);
                prop_assert!(validator.is_valid(&normalized), "the schema refuses {normalized}");
            } else if let Some(problem) = problems.iter().find(|problem| is_knowable(problem)) {
                prop_assert!(!validator.is_valid(&config), "the schema accepts {config}\n{problem}");
            }
            Ok(())
        });
    }

    fn json_schema(&self) -> Value {
        serde_json::from_str(&(self.schema)().to_json()).unwrap()
    }

    fn validator(&self) -> jsonschema::Validator {
        jsonschema::draft202012::new(&self.json_schema()).unwrap()
    }

    fn good_values(&self) -> Vec<Value> {
        self.good().iter().map(|config| serde_json::from_str(config).unwrap()).collect()
    }

    fn problems(&self, config: &Value) -> Vec<Problem> {
        match (self.parse)(config.to_string().as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        }
    }

    /// The names of all fields, by their spelling in camel case.
    fn names(&self) -> BTreeMap<String, String> {
        let schema = (self.schema)();
        let fields = schema.fields().flat_map(|(_, fields)| fields);
        fields.map(|field| (camel_case(field), field.to_owned())).collect()
    }

    /// A valid config with a few values replaced or added.
    fn mutated(&self) -> impl Strategy<Value = Value> + use<> {
        let names: Vec<String> = self.names().into_iter().flat_map(|(camel, snake)| [camel, snake]).collect();
        let good = self.good_values();
        let piece = prop_oneof![
            4 => prop::sample::select(pieces(&good)),
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
                let places = places(&config);
                let Some(value) = config.pointer_mut(place.get(&places).as_str()) else { continue };
                match (value, name) {
                    (Value::Object(entries), Some(name)) => drop(entries.insert(name, piece)),
                    (value, _) => *value = piece,
                }
            }
            config
        })
    }
}

/// Whether a schema can find the problem. It does not know rules between fields, bounds of durations, references
/// to names, and names in another case.
fn is_knowable(problem: &Problem) -> bool {
    match problem.kind {
        Some(ProblemKind::UnknownField | ProblemKind::WrongType) => true,
        Some(ProblemKind::UnknownWord) => problem.message.contains("expected one of"),
        Some(ProblemKind::OutOfRange) => !problem.message.contains("a duration"),
        _ => false,
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (start, rest) = word.split_at(word.len().min(1));
        name + &start.to_ascii_uppercase() + rest
    })
}

/// The config in snake case, without nulls.
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

/// All values in these.
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
