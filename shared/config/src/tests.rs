use super::{MAX_BYTES, ProblemKind, Problems, read};
use crate::kinds::{boolean, choice, duration, entries, integer, list, number, string};
use crate::testing::test;
use std::time::Duration;

crate::choice! {
    #[derive(Clone, Copy, Debug)]
    enum Mode {
        Enforce = "enforce",
        Shadow = "shadow",
    }
}

crate::object! {
    #[derive(Debug)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Item {
        x: u8 = required(integer(0..=9)),
    }
}

crate::object! {
    #[derive(Debug)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Config {
        /// A name.
        name: String = required(string().not_empty()),
        mode: Mode = default("enforce", choice()),
        count: u8 = default(1, integer(1..=10)),
        share: f64 = default(1.0, number(0.0..=1.0)),
        a_flag: bool = default(false, boolean()),
        per: Duration = default("1s", duration(Duration::from_millis(1)..=Duration::from_secs(60))),
        items: Vec<Item> = omitted(list(Item::kind())),
        map: Vec<(String, String)> = omitted(entries(|name, _| Some(name.to_owned()), string(), 10, "names")),
    }
    elsewhere {
        "burst_size" => "count",
    }
}

crate::object! {
    #[derive(Debug)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Small {
        a: u8 = default(1, integer(0..=1)),
    }
}

#[track_caller]
fn check(config: &str, expected: &str) {
    let problems = read(config.as_bytes(), &Config::kind()).err().map(|problems| problems.to_string());
    assert_eq!(problems.unwrap_or_default(), expected);
}

#[test]
fn good_configs_have_no_problems() {
    check(r#"{"name": "a"}"#, "");
    check(r#"{"name": "a", "count": 5.0, "aFlag": true, "per": "1.5s", "mode": null}"#, "");
    check(r#"{"name": "a", "items": [{"x": 1}], "map": {"x-a": "b"}}"#, "");
}

#[test]
fn zero_bytes_are_an_empty_object() {
    check("", "name: missing");
    check("{}", "name: missing");
    assert!(read(b"", &Small::kind()).is_ok());
}

#[test]
fn all_problems_come_at_once_each_with_its_path() {
    check(
        r#"{"mode": "enforced", "count": 0, "share": "x", "per": "1 parsec", "items": [{"x": 1}, {"x": -1, "y": 1}, 7], "map": {"x.y": 1}}"#,
        "name: missing\n\
         mode: found `enforced`, expected one of `enforce`, `shadow`; did you mean `enforce`?\n\
         count: found 0, expected an integer from 1 to 10\n\
         share: found `x`, expected a number from 0 to 1\n\
         per: found `1 parsec`, expected a duration from 1ms to 1m, as \"250ms\", \"1m\" or \"1h30m\"\n\
         items[1].x: found -1, expected an integer from 0 to 9\n\
         items[1].y: unknown field, expected one of `x`\n\
         items[2]: found 7, expected an object\n\
         map[\"x.y\"]: found 1, expected a string",
    );
}

#[test]
fn a_misspelt_name_gets_a_suggestion() {
    check(r#"{"nmae": "a"}"#, "name: missing\nnmae: unknown field, did you mean `name`?");
    check(r#"{"name": "a", "aFlagg": true}"#, "aFlagg: unknown field, did you mean `a_flag`?");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    check(r#"{"name": "a", "name": "b"}"#, "name: found twice, expected once");
    check(r#"{"name": "a", "a_flag": true, "aFlag": false}"#, "aFlag: found twice, expected once");
    check(r#"{"name": "a", "map": {"x": "1", "x": "2"}}"#, "map.x: found twice, expected once");
}

#[test]
fn a_user_s_own_names_are_what_they_are() {
    check(r#"{"name": "a", "map": {"xA": "1", "x_a": "2"}}"#, "");
    check(r#"{"name": "a", "map": {"X-A": "1", "X-A": "2"}}"#, "map.X-A: found twice, expected once");
}

#[test]
fn a_huge_object_is_refused_in_good_time() {
    let fields: Vec<String> = (0..50_000).map(|number| format!("\"f{number}\": 1")).collect();
    let config = format!("{{{}}}", fields.join(", "));
    assert_eq!(read(config.as_bytes(), &Config::kind()).err().unwrap().iter().count(), 100);
    let long = format!(r#"{{"{}": 1}}"#, "x".repeat(500_000));
    assert!(read(long.as_bytes(), &Config::kind()).is_err());
}

#[test]
fn whole_numbers_are_whole() {
    check(r#"{"name": "a", "count": 1.5}"#, "count: found 1.5, expected an integer from 1 to 10");
    check(
        r#"{"name": "a", "count": 1e30}"#,
        "count: found 1000000000000000000000000000000, expected an integer from 1 to 10",
    );
    check(r#"{"name": "a", "count": true}"#, "count: found true, expected an integer from 1 to 10");
}

#[test]
fn what_is_not_json_says_where() {
    check("{", "not valid JSON: EOF while parsing an object at line 1 column 1");
    check("[]", "found an array, expected an object");
    let deep = "[".repeat(200);
    check(&deep, "not valid JSON: recursion limit exceeded at line 1 column 128");
}

#[test]
fn a_long_value_is_shortened() {
    let config = format!(r#"{{"name": "a", "mode": "{}"}}"#, "x".repeat(60));
    let expected = format!("mode: found `{}…`, expected one of `enforce`, `shadow`", "x".repeat(40));
    check(&config, &expected);
}

/// Tools depend on these words.
#[test]
fn problems_have_kinds() {
    let kinds = |config: &str| {
        let problems = read(config.as_bytes(), &Config::kind()).err().unwrap();
        problems.iter().map(|problem| problem.kind.map_or("", ProblemKind::as_str)).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(
            r#"{"name": "", "mode": "on", "count": 11, "share": "x", "a_flag": 1, "per": "1", "items": [{}],
                "map": {"a": "1", "A": "2"}, "nmae": 1}"#
        ),
        [
            "bad-pattern",
            "unknown-word",
            "out-of-range",
            "wrong-type",
            "wrong-type",
            "bad-pattern",
            "missing",
            "duplicate",
            "unknown-field",
        ]
    );
    assert_eq!(kinds(r#"{"name": "a", "per": "1h"}"#), ["out-of-range"]);
    assert_eq!(kinds("{"), ["wrong-type"]);
    assert_eq!(kinds(&" ".repeat(MAX_BYTES + 1)), ["too-large"]);
}

#[test]
fn the_schema_at_the_top_is_for_editors() {
    check(r#"{"$schema": "https://example.com/schema.json", "name": "a"}"#, "");
    check(
        r#"{"name": "a", "items": [{"$schema": "", "x": 1}]}"#,
        "items[0][\"$schema\"]: unknown field, expected one of `x`",
    );
}

/// YAML reads an unquoted `off`, `no` or `true` as a boolean.
#[test]
fn a_boolean_for_a_string_gets_a_hint() {
    check(
        r#"{"name": false, "map": {"x-debug": true}}"#,
        "name: found false, expected a string; put it in quotes, as \"false\"\n\
         map.x-debug: found true, expected a string; put it in quotes, as \"true\"",
    );
    // Only where `off` is a word is `false` one.
    check(r#"{"name": "a", "mode": false}"#, "mode: found false, expected one of `enforce`, `shadow`");
}

#[test]
fn a_name_of_another_product_gets_the_one_here() {
    check(r#"{"name": "a", "burstSize": 5}"#, "burstSize: unknown field, did you mean `count`?");
    check(r#"{"name": "a", "burst_size": 5}"#, "burst_size: unknown field, did you mean `count`?");
}

#[test]
fn case_does_not_hide_a_suggestion() {
    check(
        r#"{"name": "a", "mode": "SHADOW"}"#,
        "mode: found `SHADOW`, expected one of `enforce`, `shadow`; did you mean `shadow`?",
    );
}

/// Every field is described, with its documentation; a schema that refers to itself ends.
#[test]
fn a_description_has_every_field() {
    let schema = crate::schema("config", "A config.", &Config::kind());
    let fields: Vec<_> = schema.fields().collect();
    let config = ["name", "mode", "count", "share", "a_flag", "per", "items", "map"];
    assert_eq!(fields, [("Config", config.to_vec()), ("Item", vec!["x"])]);
    let json: serde_json::Value = serde_json::from_str(&schema.to_json()).unwrap();
    assert_eq!(json.pointer("/$defs/Config/properties/name/description"), Some(&"A name.".into()));
    assert_eq!(json.pointer("/$defs/Config/required"), Some(&serde_json::json!(["name"])));
    assert_eq!(json.pointer("/$defs/Config/properties/count/maximum"), Some(&10.into()));
    assert_eq!(
        schema.to_table(),
        "| field | type | default | meaning |\n\
         |---|---|---|---|\n\
         | `name` | string | required | A name |\n\
         | `mode` | `enforce`, `shadow` | `\"enforce\"` |  |\n\
         | `count` | integer, 1 to 10 | `1` |  |\n\
         | `share` | number, 0 to 1 | `1` |  |\n\
         | `a_flag` | boolean | `false` |  |\n\
         | `per` | duration, 1ms to 1m | `\"1s\"` |  |\n\
         | `items` | array of object |  |  |\n\
         | `items[].x` | integer, 0 to 9 | required |  |\n\
         | `map` | object of string, at most 10 |  |  |\n"
    );
}

mod elsewhere {
    crate::object! {
        /// Another `Item`, whose fields are in another README.
        pub(super) struct Item {
            /// A number.
            pub(super) y: u32 = required(crate::kinds::integer(0..=9)),
        }
    }
}

crate::object! {
    /// An object of several documents.
    struct Whole {
        /// Described here.
        item: Item = required(Item::kind()),
        /// See [there](other.md).
        other: elsewhere::Item = required(crate::kinds::linked(elsewhere::Item::kind(), "other.md")),
    }
}

/// The schema has them.
#[test]
fn fields_in_another_readme_are_not_in_this_one_s_table() {
    let schema = crate::schema("whole", "A whole.", &Whole::kind());
    assert_eq!(
        schema.to_table(),
        "| field | type | default | meaning |\n\
         |---|---|---|---|\n\
         | `item` | object | required | Described here |\n\
         | `item.x` | integer, 0 to 9 | required |  |\n\
         | `other` | object | required | See [there](other.md) |\n"
    );
    let names: Vec<_> = schema.fields().map(|(name, _)| name).collect();
    assert_eq!(names, ["Item", "Whole", "mesh-config.Item"]);
    assert!(schema.type_of("mesh-config.Item").ends_with("elsewhere::Item"));
    let whole = read(br#"{"item": {"x": 1}, "other": {"y": 2}}"#, &Whole::kind()).unwrap();
    assert_eq!((whole.item.x, whole.other.y), (1, 2));
}

#[test]
fn problems_of_a_part_have_the_path_of_the_whole() {
    let problems = |config: &str| read(config.as_bytes(), &Config::kind()).err().unwrap();
    let whole = problems(r#"{"x": 1}"#).within("filters[1].a").and(Problems::one("b".to_owned()).within("c"));
    assert_eq!(
        whole.to_string(),
        "filters[1].a.name: missing\nfilters[1].a.x: unknown field, expected one of `name`, `mode`, `count`, \
         `share`, `a_flag`, `per`, `items`, `map`\nc: b"
    );
}
