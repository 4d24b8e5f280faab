//! The modules of a crate and their imports.

use crate::source::{Source, Use};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of a crate.
pub(crate) struct Crate {
    name: String,
    modules: BTreeMap<ModulePath, Source>,
    macros: BTreeMap<String, ModulePath>,
}

/// The path of a module without the crate's name; empty for the root.
type ModulePath = Vec<String>;

/// An import of one module by another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The path as it is written.
    pub(crate) path: String,
}

impl Import {
    /// The two children of the closest common parent that contain the two ends.
    pub(crate) fn siblings(&self) -> Option<(String, String)> {
        let (from, to): (Vec<_>, Vec<_>) = (self.from.split("::").collect(), self.to.split("::").collect());
        let parents = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        let sibling = |path: &[&str]| Some(path.get(..=parents)?.join("::"));
        Some((sibling(&from)?, sibling(&to)?))
    }
}

/// The item that a path refers to.
struct Target {
    /// The module that defines the item.
    module: ModulePath,
    /// Whether the item is that module itself.
    is_module: bool,
}

impl Crate {
    /// Reads a crate from its root file.
    pub(crate) fn read(root: &Path, name: &str) -> Self {
        let mut found = Self::empty(name);
        let file = |path: &Path| {
            let text = std::fs::read_to_string(path);
            Source::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        };
        let folder = root.parent().unwrap();
        found.add(Vec::new(), file(root), &mut |module| {
            let path: PathBuf = folder.join(module.join("/"));
            let in_file = path.with_extension("rs");
            file(&if in_file.is_file() { in_file } else { path.join("mod.rs") })
        });
        found
    }

    fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), modules: BTreeMap::new(), macros: BTreeMap::new() }
    }

    fn add(&mut self, path: ModulePath, mut source: Source, read: &mut dyn FnMut(&ModulePath) -> Source) {
        for (name, text) in &mut source.modules {
            let child = [path.as_slice(), std::slice::from_ref(name)].concat();
            let text = text.take().unwrap_or_else(|| read(&child));
            self.add(child, text, read);
        }
        self.macros.extend(source.macros.iter().map(|name| (name.clone(), path.clone())));
        self.modules.insert(path, source);
    }

    /// All imports of other modules. A re-export of an item of a descendant counts only if the module uses the
    /// name itself.
    pub(crate) fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (module, source) in &self.modules {
            let re_exported = |found: &Use| found.is_public && !source.names.contains(&found.name);
            let uses = source.uses.iter().map(|found| (&found.path, re_exported(found)));
            let paths = source.paths.iter().map(|path| (path, false));
            for (path, re_exported) in uses.chain(paths) {
                let Some(target) = self.target(module, path, 0) else { continue };
                let is_below = target.module.starts_with(module);
                if target.module != *module && !(re_exported && is_below) {
                    let (from, to) = (self.show(module), self.show(&target.module));
                    imports.insert(Import { from, to, path: path.join("::") });
                }
            }
        }
        imports
    }

    /// The modules that use another crate, each with a path that does.
    pub(crate) fn users_of(&self, other: &str) -> Vec<(String, String)> {
        let of = |(module, source): (&ModulePath, &Source)| {
            let uses = source.uses.iter().map(|found| &found.path);
            let mut paths = uses.chain(&source.paths);
            let path = paths.find(|path| path.first().is_some_and(|first| first == other))?;
            Some((self.show(module), path.join("::")))
        };
        self.modules.iter().filter_map(of).collect()
    }

    /// Resolves a path in a module; `None` if it leads to another crate.
    fn target(&self, from: &ModulePath, path: &[String], depth: usize) -> Option<Target> {
        const DEEPEST: usize = 16;
        let (first, rest) = path.split_first()?;
        if depth > DEEPEST {
            return None;
        }
        let parent = || from.split_last().map(|(_, parent)| parent.to_vec());
        let start = match first.as_str() {
            "crate" => Target { module: Vec::new(), is_module: true },
            "self" => Target { module: from.clone(), is_module: true },
            "super" => Target { module: parent()?, is_module: true },
            name if self.has(from, name) => self.find(from, name, depth)?,
            _ => return None,
        };
        rest.iter().try_fold(start, |target, name| match (target.is_module, name.as_str()) {
            (true, "super") => {
                let (_, parent) = target.module.split_last()?;
                Some(Target { module: parent.to_vec(), is_module: true })
            }
            (true, name) => self.find(&target.module, name, depth),
            (false, _) => Some(target),
        })
    }

    /// Whether a name is declared as a module, or imported, in a module.
    fn has(&self, module: &ModulePath, name: &str) -> bool {
        let source = &self.modules[module];
        source.modules.iter().any(|(child, _)| child == name) || self.import(module, name).is_some()
    }

    fn import(&self, module: &ModulePath, name: &str) -> Option<&Use> {
        self.modules[module].uses.iter().find(|found| found.name == name && found.path != [name])
    }

    /// Resolves a name in a module: a child module, an import, or an item of its own.
    fn find(&self, module: &ModulePath, name: &str, depth: usize) -> Option<Target> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        if self.modules.contains_key(&child) {
            return Some(Target { module: child, is_module: true });
        }
        if let Some(found) = self.import(module, name) {
            return self.target(module, &found.path, depth + 1);
        }
        let home = self.macros.get(name).filter(|_| module.is_empty()).unwrap_or(module);
        Some(Target { module: home.clone(), is_module: false })
    }

    fn show(&self, module: &ModulePath) -> String {
        [std::slice::from_ref(&self.name), module.as_slice()].concat().join("::")
    }
}

#[cfg(test)]
mod tests {
    use super::{Crate, Import, Source};

    /// Compares the imports of a crate in one file with the expected ones.
    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let mut found = Crate::empty("c");
        found.add(Vec::new(), Source::parse(text), &mut |module| panic!("{module:?} is not there"));
        let imports = found.imports();
        let imports: Vec<_> =
            imports.iter().map(|import| (import.from.as_str(), import.to.as_str())).collect();
        assert_eq!(imports, expected);
    }

    #[test]
    fn a_path_leads_to_the_module_that_defines_its_item() {
        check("mod a { use crate::b::B; } mod b { pub struct B; }", &[("c::a", "c::b")]);
        check(
            "mod a { use super::b; fn f() { b::d::f() } } mod b { mod d {} }",
            &[("c::a", "c::b"), ("c::a", "c::b::d")],
        );
        check("mod a { fn f() { crate::b::f() } } mod b {}", &[("c::a", "c::b")]);
        check("mod a { use super::super::X; }", &[]);
        check("mod a { use std::fmt; fn f() { fmt::b() } } mod b { use serde::Value; }", &[]);
    }

    #[test]
    fn siblings_are_below_the_same_parent() {
        let siblings = |from: &str, to: &str| {
            let import = Import { from: from.to_owned(), to: to.to_owned(), path: String::new() };
            import.siblings()
        };
        let pair = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(siblings("c::a::b", "c::d::e"), pair("c::a", "c::d"));
        assert_eq!(siblings("c::a::b", "c::a::d"), pair("c::a::b", "c::a::d"));
        assert_eq!(siblings("c::a", "c::a::d"), None);
        assert_eq!(siblings("c::a", "c"), None);
    }

    #[test]
    fn a_re_export_is_seen_through() {
        let text = "mod a { mod b { use super::D; } mod d {} pub use d::D; }";
        check(text, &[("c::a::b", "c::a::d")]);
        check(
            "pub use a::A; mod a { pub use self::d::A; mod d {} } mod e { use crate::A; }",
            &[("c::e", "c::a::d")],
        );
        check(
            "mod a { use crate::m; } mod b { #[macro_export] macro_rules! m { () => {} } }",
            &[("c::a", "c::b")],
        );
    }

    #[test]
    fn a_parent_that_uses_what_it_re_exports_imports_it() {
        check("pub mod a {} pub use a::A;", &[]);
        check("pub mod a {} pub use a::A; fn f(a: A) {}", &[("c", "c::a")]);
        check("mod a {} use a::A;", &[("c", "c::a")]);
    }
}
