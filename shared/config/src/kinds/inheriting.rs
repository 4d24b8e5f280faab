//! Configs that take some fields from another one.

use crate::case::same_name;
use crate::describe::{Defs, Shape};
use crate::kind::Kind;
use crate::node::Node;
use crate::problem::{ProblemKind, Problems, Sink};
use crate::value::{Value, field_path};

/// An object that takes some of its fields from another one, and may not have them itself.
pub struct Inheriting<'a, K> {
    kind: K,
    from: Option<&'a Value<'a>>,
    fields: &'static [&'static str],
}

/// An object of `kind` that takes these fields from another one, and may not have them itself. What is wrong with them is
/// reported where the other one is read.
pub const fn inheriting<'a, K: Kind>(
    kind: K,
    from: Option<&'a Value<'a>>,
    fields: &'static [&'static str],
) -> Inheriting<'a, K> {
    Inheriting { kind, from, fields }
}

impl<K> Inheriting<'_, K> {
    fn is_inherited(&self, name: &str) -> bool {
        self.fields.iter().any(|field| same_name(name, field))
    }

    /// The object with the fields of the other one in place of its own.
    fn merged(&self, entries: &[(String, Node)]) -> Node {
        let inherited = match self.from.map(|from| from.node) {
            Some(Node::Object(entries)) => entries.as_slice(),
            _ => &[],
        };
        let own = entries.iter().filter(|(name, _)| !self.is_inherited(name));
        let all = inherited.iter().filter(|(name, _)| self.is_inherited(name)).chain(own);
        Node::Object(all.cloned().collect())
    }
}

impl<K: Kind> Kind for Inheriting<'_, K> {
    type Out = K::Out;

    fn read(&self, value: &Value<'_>) -> Option<K::Out> {
        let entries = value.entries()?;
        let mut is_good = true;
        for (name, _) in entries.iter().filter(|(name, _)| self.is_inherited(name)) {
            is_good = false;
            value.report_at(
                &field_path("", name),
                ProblemKind::Conflict,
                "found it in a route, expected it in the block's own config: it is the same for all routes",
            );
        }
        let (node, sink) = (self.merged(entries), Sink::default());
        let merged = Value { node: &node, path: value.path.clone(), sink: &sink, depth: value.depth };
        let out = self.kind.read(&merged);
        for problem in Problems::from_sink(sink).iter().flat_map(Problems::iter) {
            let within = problem.path.strip_prefix(&value.path).unwrap_or_default();
            let field = within.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
            if !self.is_inherited(field) {
                value.report_at(within, problem.kind.unwrap_or(ProblemKind::Conflict), &problem.message);
            }
        }
        out.filter(|_| is_good)
    }

    fn shape(&self, defs: &mut Defs) -> Shape {
        let shape = self.kind.shape(defs);
        defs.without(shape, self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::inheriting;
    use crate::kinds::{integer, list, object, string};
    use crate::testing::test;
    use crate::{Form, ProblemKind, Value};

    crate::object! {
        #[derive(Clone, Debug, PartialEq)]
        struct Part {
            names: Vec<String> = required(list(string())),
            max_size: u32 = default(7, integer(1..=10)),
            own: u32 = default(1, integer(1..=10)),
        }
        check Part::check;
    }

    impl Part {
        fn check(&self, form: &mut impl Form) -> Option<()> {
            if self.own == 9 {
                return form.problem_at("own", ProblemKind::Conflict, "nine");
            }
            Some(())
        }
    }

    const INHERITED: &[&str] = &["names", "max_size"];

    /// Reads `part` beside `whole`: what it is, or the problems.
    #[track_caller]
    fn check(whole: &str, part: &str, expected: Result<(&[&str], u32, u32), &str>) {
        struct Both;

        impl crate::Kind for Both {
            type Out = Part;

            fn read(&self, value: &Value<'_>) -> Option<Part> {
                let entries = value.entries()?;
                let whole = value.entry_at("whole", &entries.first()?.1);
                let part = value.entry_at("part", &entries.get(1)?.1);
                inheriting(object::<Part>(), Some(&whole), INHERITED).read(&part)
            }

            fn shape(&self, defs: &mut crate::describe::Defs) -> crate::describe::Shape {
                inheriting(object::<Part>(), None, INHERITED).shape(defs)
            }
        }

        let json = format!(r#"{{"whole": {whole}, "part": {part}}}"#);
        let found = crate::read(json.as_bytes(), &Both).map_err(|problems| problems.to_string());
        let found = found
            .as_ref()
            .map(|part| (part.names.iter().map(String::as_str).collect::<Vec<_>>(), part.max_size, part.own));
        let expected = expected.map(|(names, max_size, own)| (names.to_vec(), max_size, own));
        assert_eq!(found.map_err(String::as_str), expected, "{json}");
    }

    #[test]
    fn fields_come_from_the_other_one() {
        check(r#"{"names": ["a"], "max_size": 3, "own": 2}"#, "{}", Ok((&["a"], 3, 1)));
        check(r#"{"names": ["a"], "maxSize": 3}"#, r#"{"own": 5}"#, Ok((&["a"], 3, 5)));
        check(r#"{"names": []}"#, r#"{"own": 5}"#, Ok((&[], 7, 5)));
    }

    #[test]
    fn an_inherited_field_is_refused() {
        let refused =
            "found it in a route, expected it in the block's own config: it is the same for all routes";
        for name in ["max_size", "maxSize"] {
            let part = format!(r#"{{"{name}": 3}}"#);
            check(r#"{"names": []}"#, &part, Err(&format!("part.{name}: {refused}")));
        }
        check(
            r#"{"names": []}"#,
            r#"{"names": 5, "own": 9}"#,
            Err(&format!("part.names: {refused}\npart.own: nine")),
        );
    }

    /// The other one's problems are reported once, where it is read.
    #[test]
    fn what_is_wrong_with_the_other_one_is_not_reported_again() {
        check(r#"{"names": 5}"#, r#"{"own": 0}"#, Err("part.own: found 0, expected an integer from 1 to 10"));
        check("{}", r#"{"wn": 0}"#, Err("part.wn: unknown field, did you mean `own`?"));
        check("5", "5", Err("part: found 5, expected an object"));
    }

    #[test]
    fn the_schema_lacks_what_is_inherited() {
        let schema = crate::schema("part", "", &inheriting(object::<Part>(), None, INHERITED));
        let fields: Vec<_> = schema.fields().collect();
        assert_eq!(fields, [("Part", vec!["names", "max_size", "own"])]);
        let json = schema.to_json();
        assert!(json.contains("Part.route"), "{json}");
    }
}
