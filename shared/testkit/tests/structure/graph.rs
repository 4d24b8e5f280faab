//! The graph of imports, and its circles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A directed graph of modules.
#[derive(Default)]
pub(crate) struct Graph {
    /// The modules that each module imports, each with a path that imports it.
    imports: BTreeMap<String, BTreeMap<String, String>>,
}

impl Graph {
    pub(crate) fn add(&mut self, from: &str, to: &str, path: &str) {
        let imports = self.imports.entry(from.to_owned()).or_default();
        imports.entry(to.to_owned()).or_insert_with(|| path.to_owned());
    }

    /// For each module a shortest circle through it, one line per import. Circles that share an import with an
    /// earlier one are left out.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut reported = BTreeSet::new();
        let mut circles = Vec::new();
        for module in self.imports.keys() {
            let Some(circle) = self.circle(module) else { continue };
            let imports: Vec<_> =
                circle.iter().copied().zip(circle.iter().copied().cycle().skip(1)).collect();
            if imports.iter().all(|import| !reported.contains(import)) {
                let line =
                    |(from, to): &(&str, &str)| format!("{from} -> {to} ({})", self.imports[*from][*to]);
                circles.push(imports.iter().map(line).collect::<Vec<_>>().join("\n"));
            }
            reported.extend(imports);
        }
        circles
    }

    /// A shortest path from a module to itself.
    fn circle(&self, start: &str) -> Option<Vec<&str>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([self.imports.get_key_value(start)?.0.as_str()]);
        while let Some(module) = queue.pop_front() {
            for next in self.imports.get(module).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    let way = std::iter::successors(Some(module), |module| before.get(module).copied());
                    let mut circle: Vec<_> = way.collect();
                    circle.reverse();
                    return Some(circle);
                }
                if !before.contains_key(next.as_str()) {
                    before.insert(next, module);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    #[track_caller]
    fn check(imports: &[(&str, &str)], expected: &[&str]) {
        let mut graph = Graph::default();
        imports.iter().for_each(|(from, to)| graph.add(from, to, "x"));
        assert_eq!(graph.circles(), expected);
    }

    #[test]
    fn circles_are_found_and_reported_once() {
        check(&[], &[]);
        check(&[("a", "b"), ("b", "c"), ("a", "c")], &[]);
        check(&[("a", "b"), ("b", "a")], &["a -> b (x)\nb -> a (x)"]);
        check(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")], &["a -> b (x)\nb -> c (x)\nc -> a (x)"]);
        let two = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")];
        check(&two, &["a -> b (x)\nb -> a (x)", "c -> b (x)\nb -> c (x)"]);
    }
}
