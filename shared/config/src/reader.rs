//! Reads the fields of an object.

use crate::case::{same_name, snake_case};
use crate::form::{Form, Group};
use crate::kind::Kind;
use crate::node::Node;
use crate::problem::{ProblemKind, Sink};
use crate::suggest::{nearest, quoted};
use crate::value::{Value, field_path};
use std::collections::BTreeSet;
use std::fmt::Display;

/// The [`Form`] that reads. What is asked for is what is allowed: any other field is refused.
pub struct Reader<'a> {
    entries: &'a [(String, Node)],
    path: String,
    sink: &'a Sink,
    depth: usize,
    asked: Vec<&'static str>,
    /// Names of other products, each with what it is called here.
    elsewhere: Vec<(&'static str, &'static str)>,
    /// The alternatives of which there is none.
    without_choice: Vec<Vec<&'static str>>,
}

/// What stands in a field.
enum Field<'a> {
    LeftOut,
    Null,
    Given(Value<'a>),
}

impl<'a> Reader<'a> {
    /// Reads an object with known fields: a field that `fields` does not ask for is a problem. `type_name`
    /// says whose fields they are, for tests.
    pub fn object<T>(
        value: &Value<'a>,
        type_name: &'static str,
        fields: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut reader = Self::new(value, value.entries()?);
        let object = fields(&mut reader);
        reader.finish(type_name).and(object)
    }

    fn new(value: &Value<'a>, entries: &'a [(String, Node)]) -> Self {
        Self {
            entries,
            path: value.path.clone(),
            sink: value.sink,
            depth: value.depth,
            asked: Vec::new(),
            elsewhere: Vec::new(),
            without_choice: Vec::new(),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, name: &'static str) -> Field<'a> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        match self.entries.iter().find(|(found, _)| same_name(found, name)) {
            None => Field::LeftOut,
            Some((_, Node::Null)) => Field::Null,
            Some((found, node)) => Field::Given(self.value_at(found, node)),
        }
    }

    fn value_at(&self, name: &str, node: &'a Node) -> Value<'a> {
        Value { node, path: field_path(&self.path, name), sink: self.sink, depth: self.depth }
    }

    /// The field, if it is given. `null` counts as left out.
    fn given(&mut self, name: &'static str) -> Option<Value<'a>> {
        match self.look_up(name) {
            Field::Given(value) => Some(value),
            Field::LeftOut | Field::Null => None,
        }
    }

    #[inline(never)]
    fn required_value(&mut self, name: &'static str) -> Option<Value<'a>> {
        let value = self.given(name);
        if value.is_none() {
            self.report(name, ProblemKind::Missing, &"missing");
        }
        value
    }

    /// The field, or its default, which is kept in `default`.
    #[inline(never)]
    fn value_or<'b>(&mut self, name: &'static str, json: &str, default: &'b mut Node) -> Value<'b>
    where
        'a: 'b,
    {
        match self.given(name) {
            Some(value) => value,
            None => {
                *default = Node::parse(json.as_bytes()).unwrap_or(Node::Null);
                Value {
                    node: default,
                    path: field_path(&self.path, name),
                    sink: self.sink,
                    depth: self.depth,
                }
            }
        }
    }

    /// The field; `null`, which is what an empty field of a YAML file becomes, is a problem: it would
    /// lift a restriction that somebody has begun to write.
    #[inline(never)]
    fn restricting(&mut self, name: &'static str) -> Field<'a> {
        let field = self.look_up(name);
        if matches!(field, Field::Null) {
            let message = "found null, expected a value; leave the field out for no restriction";
            self.report(name, ProblemKind::WrongType, &message);
        }
        field
    }

    #[cold]
    #[inline(never)]
    fn report(&self, field: &str, kind: ProblemKind, message: &dyn Display) {
        self.sink.report(kind, &field_path(&self.path, field), message.to_string());
    }

    #[cold]
    #[inline(never)]
    fn report_here(&self, kind: ProblemKind, message: &dyn Display) {
        self.sink.report(kind, &self.path, message.to_string());
    }

    /// `Some` if every field was asked for, and none is there twice, in whichever case.
    #[inline(never)]
    fn finish(self, type_name: &'static str) -> Option<()> {
        #[cfg(debug_assertions)]
        crate::asked::record(type_name, &self.asked);
        #[cfg(not(debug_assertions))]
        let _ = type_name;
        let mut known = distinct(self.entries, &self.path, self.sink);
        let mut is_misspelt = false;
        for (name, _) in self.entries {
            let is_schema = self.path.is_empty() && name == "$schema";
            if is_schema || self.asked.iter().any(|asked| same_name(name, asked)) {
                continue;
            }
            if self.sink.is_full() {
                return None;
            }
            is_misspelt = true;
            known = None;
            self.report(name, ProblemKind::UnknownField, &self.advice(name));
        }
        for names in self.without_choice {
            known = None;
            // A choice that is misspelt is one mistake, not two.
            if !is_misspelt {
                let message = format!("found none, expected one of {}", quoted(names));
                self.sink.report(ProblemKind::Missing, &self.path, message);
            }
        }
        known
    }

    /// What to write instead of a name that is not known.
    fn advice(&self, name: &str) -> String {
        if let Some((_, here)) = self.elsewhere.iter().find(|(elsewhere, _)| same_name(name, elsewhere)) {
            return format!("unknown field, did you mean `{here}`?");
        }
        match nearest(&snake_case(name), &self.asked) {
            Some(nearest) => format!("unknown field, did you mean `{nearest}`?"),
            None if self.asked.is_empty() => "unknown field, expected none".to_owned(),
            None => format!("unknown field, expected one of {}", quoted(&self.asked)),
        }
    }
}

impl Form for Reader<'_> {
    fn required<K: Kind>(&mut self, name: &'static str, _: &'static str, kind: K) -> Option<K::Out> {
        kind.read(&self.required_value(name)?)
    }

    fn default<K: Kind>(
        &mut self,
        name: &'static str,
        _: &'static str,
        json: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        let mut default = Node::Null;
        kind.read(&self.value_or(name, json, &mut default))
    }

    fn omitted<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        _: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        match self.given(name) {
            Some(value) => kind.read(&value),
            None => Some(K::Out::default()),
        }
    }

    fn restriction<K: Kind<Out: Default>>(
        &mut self,
        name: &'static str,
        _: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        match self.restricting(name) {
            Field::Given(value) => kind.read(&value),
            Field::LeftOut => Some(K::Out::default()),
            Field::Null => None,
        }
    }

    fn alternative<K: Kind>(
        &mut self,
        group: &mut Group,
        name: &'static str,
        _: &'static str,
        kind: K,
    ) -> Option<K::Out> {
        group.names.push(name);
        let field = if group.takes_null { self.look_up(name) } else { self.restricting(name) };
        match field {
            Field::Given(value) => {
                group.given.push(name);
                group.choices += 1;
                kind.read(&value)
            }
            Field::Null => {
                group.has_null |= !group.takes_null;
                None
            }
            Field::LeftOut => None,
        }
    }

    fn together(&mut self, group: &mut Group, names: &'static [&'static str]) {
        group.names.extend(names);
        let before = group.given.len();
        group.given.extend(names.iter().filter(|name| self.is_given(name)));
        group.choices += usize::from(group.given.len() > before);
    }

    fn close(&mut self, group: Group, is_required: bool) -> Option<()> {
        if group.choices == 0 && is_required && !group.has_null {
            self.without_choice.push(group.names);
            return None;
        }
        if group.choices > 1 {
            let found = quoted(group.given);
            self.report_here(
                ProblemKind::Conflict,
                &format_args!("found {found}, expected one of them only"),
            );
            return None;
        }
        // Beside a choice, another one that is empty was meant to say more.
        if group.has_null { None } else { Some(()) }
    }

    fn require_one_of<T>(&mut self, names: &[&'static str]) -> Option<T> {
        self.without_choice.push(names.to_vec());
        None
    }

    fn elsewhere(&mut self, names: &'static [(&'static str, &'static str)]) {
        self.elsewhere.extend(names);
    }

    fn is_given(&mut self, name: &'static str) -> bool {
        matches!(self.look_up(name), Field::Given(_))
    }

    fn problem_at<T>(&mut self, field: &str, kind: ProblemKind, message: impl Display) -> Option<T> {
        if field.is_empty() {
            self.report_here(kind, &message);
        } else if field.contains(['[', '.']) {
            let separator = if self.path.is_empty() { "" } else { "." };
            self.sink.report(kind, &format!("{}{separator}{field}", self.path), message.to_string());
        } else {
            self.report(field, kind, &message);
        }
        None
    }
}

/// `Some` if no name is there twice: parsers differ in which of the two they take. `clientIp` and
/// `client_ip` are one name.
fn distinct(entries: &[(String, Node)], path: &str, sink: &Sink) -> Option<()> {
    distinct_by(entries, path, sink, |name| snake_case(name).into_bytes())
}

/// `Some` if no two names are the `same`.
#[inline(never)]
pub(crate) fn distinct_by(
    entries: &[(String, Node)],
    path: &str,
    sink: &Sink,
    same: fn(&str) -> Vec<u8>,
) -> Option<()> {
    let mut seen = Seen::default();
    let mut distinct = Some(());
    for (name, _) in entries {
        if !seen.is_new(same(name)) {
            sink.report(
                ProblemKind::Duplicate,
                &field_path(path, name),
                "found twice, expected once".to_owned(),
            );
            distinct = None;
        }
    }
    distinct
}

/// What was seen before.
#[derive(Default)]
pub(crate) struct Seen(BTreeSet<Vec<u8>>);

impl Seen {
    /// Whether this is seen for the first time.
    #[inline(never)]
    pub(crate) fn is_new(&mut self, key: Vec<u8>) -> bool {
        self.0.insert(key)
    }
}
