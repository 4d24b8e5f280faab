//! Extracts modules, imports and paths from a Rust file.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::str::FromStr as _;

/// The contents of a module, without code that is compiled only for tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Declared modules; with their contents if they are inline.
    pub(crate) modules: Vec<(String, Option<Source>)>,
    pub(crate) uses: Vec<Use>,
    /// Paths of at least two segments.
    pub(crate) paths: Vec<Vec<String>>,
    /// Identifiers that are not part of a path.
    pub(crate) names: Vec<String>,
    /// Macros with `#[macro_export]`, whose path starts at the root of the crate.
    pub(crate) macros: Vec<String>,
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// The imported path; the last segment may be `*`.
    pub(crate) path: Vec<String>,
    /// The name in this module.
    pub(crate) name: String,
    /// Whether other modules can use the name.
    pub(crate) is_public: bool,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let mut source = Self::default();
        source.read(TokenStream::from_str(text).unwrap());
        source
    }

    fn read(&mut self, tokens: TokenStream) {
        let mut tokens = Tokens { all: tokens.into_iter().collect(), at: 0 };
        let mut is_public = false;
        let mut is_exported = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let Some(attribute) = tokens.attribute() else { continue };
                    if is_for_tests(&attribute) {
                        tokens.skip_item();
                    } else if attribute.to_string() == "macro_export" {
                        is_exported = true;
                    }
                    continue;
                }
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "pub" => {
                        tokens.group(Delimiter::Parenthesis);
                        is_public = true;
                        continue;
                    }
                    "mod" => self.module(&mut tokens),
                    "use" => {
                        let tree = tokens.until_semicolon();
                        let mut found = Vec::new();
                        use_tree(&tree, &[], &mut found);
                        self.uses.extend(found.into_iter().map(|(path, name)| Use { path, name, is_public }));
                    }
                    "macro_rules" => {
                        tokens.next();
                        if let Some(TokenTree::Ident(name)) = tokens.next()
                            && is_exported
                        {
                            self.macros.push(name.to_string());
                        }
                    }
                    word => self.path(word, &mut tokens),
                },
                _ => {}
            }
            (is_public, is_exported) = (false, false);
        }
    }

    fn module(&mut self, tokens: &mut Tokens) {
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        let text = tokens.group(Delimiter::Brace).map(|body| {
            let mut source = Self::default();
            source.read(body);
            source
        });
        self.modules.push((name.to_string(), text));
    }

    /// Reads the path that starts with this word.
    fn path(&mut self, first: &str, tokens: &mut Tokens) {
        let mut path = vec![first.to_owned()];
        while tokens.is_colons()
            && let Some(TokenTree::Ident(next)) = tokens.all.get(tokens.at + 2)
        {
            path.push(next.to_string());
            tokens.at += 3;
        }
        if path.len() > 1 {
            self.paths.push(path);
        } else {
            self.names.append(&mut path);
        }
    }
}

struct Tokens {
    all: Vec<TokenTree>,
    at: usize,
}

impl Tokens {
    fn next(&mut self) -> Option<TokenTree> {
        self.at += 1;
        self.all.get(self.at - 1).cloned()
    }

    fn punct(&self, at: usize) -> Option<char> {
        match self.all.get(at) {
            Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
            _ => None,
        }
    }

    fn is_colons(&self) -> bool {
        self.punct(self.at) == Some(':') && self.punct(self.at + 1) == Some(':')
    }

    fn group(&mut self, delimiter: Delimiter) -> Option<TokenStream> {
        match self.all.get(self.at) {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                self.at += 1;
                Some(group.stream())
            }
            _ => None,
        }
    }

    /// The contents of an attribute, after its `#`.
    fn attribute(&mut self) -> Option<TokenStream> {
        if self.punct(self.at) == Some('!') {
            self.at += 1;
        }
        self.group(Delimiter::Bracket)
    }

    fn until_semicolon(&mut self) -> Vec<TokenTree> {
        let rest = self.all.get(self.at..).unwrap_or_default();
        let tree: Vec<_> = rest.iter().take_while(|token| !is(token, ';')).cloned().collect();
        self.at += tree.len() + 1;
        tree
    }

    /// Skips the item, field or variant after an attribute.
    fn skip_item(&mut self) {
        while self.punct(self.at) == Some('#') {
            self.at += 1;
            self.attribute();
        }
        let words = ["pub", "mod", "fn", "struct", "enum", "impl", "trait", "type", "const", "static", "use"];
        let first = self.all.get(self.at).map(ToString::to_string).unwrap_or_default();
        let is_item = words.contains(&first.as_str());
        if first == "use" {
            self.until_semicolon();
            return;
        }
        while let Some(token) = self.next() {
            let is_body = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if is_body || is(&token, ';') || (!is_item && is(&token, ',')) {
                return;
            }
        }
    }
}

fn is(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

/// Whether an attribute is a `cfg` for tests only: `test`, or the feature `testing` for dev-dependencies.
fn is_for_tests(attribute: &TokenStream) -> bool {
    let tokens: Vec<_> = attribute.clone().into_iter().collect();
    matches!(tokens.as_slice(), [TokenTree::Ident(cfg), TokenTree::Group(predicate)]
        if *cfg == "cfg" && holds(predicate.stream()) == Some(false))
}

/// The value of a `cfg` predicate outside of tests, if it is known.
fn holds(predicate: TokenStream) -> Option<bool> {
    let tokens: Vec<_> = predicate.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name)] if *name == "test" => Some(false),
        [TokenTree::Ident(name), _, value] if *name == "feature" && value.to_string() == "\"testing\"" => {
            Some(false)
        }
        [TokenTree::Ident(name), TokenTree::Group(operands)] => {
            let operands: Vec<_> = operands.stream().into_iter().collect();
            let operands = operands.split(|token| is(token, ',')).filter(|operand| !operand.is_empty());
            let mut operands = operands.map(|operand| holds(operand.iter().cloned().collect()));
            match name.to_string().as_str() {
                "not" => operands.next()?.map(|holds| !holds),
                "all" if operands.any(|operand| operand == Some(false)) => Some(false),
                "any" if operands.all(|operand| operand == Some(false)) => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The paths of a `use`, with the names that they bind.
fn use_tree(tree: &[TokenTree], before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    for branch in tree.split(|token| is(token, ',')) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut tokens = branch.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    use_tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, found);
                    path.clear();
                }
                TokenTree::Ident(word) if *word == "as" => name = tokens.next().map(ToString::to_string),
                TokenTree::Ident(word) if *word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                _ => {}
            }
        }
        if let Some(last) = path.last() {
            let name = name.unwrap_or_else(|| last.clone());
            found.push((path, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn uses(text: &str) -> Vec<(String, String, bool)> {
        let uses = Source::parse(text).uses.into_iter();
        uses.map(|found| (found.path.join("::"), found.name, found.is_public)).collect()
    }

    fn paths(text: &str) -> Vec<String> {
        Source::parse(text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn every_branch_of_a_use_is_a_path() {
        let found = uses("use a; pub use b::{self, c as d, e::*, f::{g, h as _}}; pub(crate) use crate::i;");
        let found: Vec<_> =
            found.iter().map(|(path, name, is_public)| (path.as_str(), name.as_str(), *is_public)).collect();
        let expected = [
            ("a", "a", false),
            ("b", "b", true),
            ("b::c", "d", true),
            ("b::e::*", "*", true),
            ("b::f::g", "g", true),
            ("b::f::h", "_", true),
            ("crate::i", "i", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_are_found_in_code_and_in_macros() {
        let text = r#"fn f(x: super::X) -> Vec<crate::y::Y> { format!("{}", crate::a::b::c::<u8>()) }"#;
        assert_eq!(paths(text), ["super::X", "crate::y::Y", "crate::a::b::c"]);
        assert_eq!(
            paths("// crate::a::b\n/// crate::c::d\nfn f() -> &str { \"crate::e::f\" }"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn what_is_only_for_tests_is_left_out() {
        let text = "#[cfg(test)] mod tests;
            #[cfg(all(test, not(unix)))] #[path = \"x\"] mod laws { use crate::a; }
            #[cfg(test)] use crate::b::{c, d};
            #[cfg(test)] pub(super) fn f<A, B>() -> crate::e::E { crate::g::h() }
            struct S { #[cfg(test)] i: crate::j::J, k: crate::l::L }
            #[cfg(all(any(test, feature = \"testing\"), not(unix)))] pub mod testing { use crate::n; }
            #[cfg(any(test, unix))] #[cfg(not(test))] mod real { use crate::m; }";
        let source = Source::parse(text);
        assert_eq!(source.uses, []);
        assert_eq!(source.paths, [["crate", "l", "L"]]);
        let [(name, Some(real))] = source.modules.as_slice() else { panic!("{:?}", source.modules) };
        assert_eq!((name.as_str(), real.uses.len()), ("real", 1));
    }

    #[test]
    fn modules_and_exported_macros() {
        let source = Source::parse(
            "pub mod a; mod b { mod c; } #[macro_export] macro_rules! m { () => {} } macro_rules! n { () => {} }",
        );
        assert_eq!(
            source.modules.iter().map(|(name, text)| (name.as_str(), text.is_some())).collect::<Vec<_>>(),
            [("a", false), ("b", true)]
        );
        assert_eq!(source.macros, ["m"]);
    }
}
