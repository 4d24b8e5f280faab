//! Whose records, counters and decisions something is.

use crate::name::{self, name};
use mesh_config::Kind;

/// A plugin, or a block of its config that has a name of its own: blocks share neither records nor counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    plugin: String,
    block: Option<Block>,
}

/// The name of a block: 1 to 64 of `A-Za-z0-9_.-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block(String);

impl Scope {
    /// `plugin`: its name in the proxy's config, which may be empty. `block`: `None` for a filter alone, and for a block
    /// that has the filter's name.
    #[must_use]
    pub const fn new(plugin: String, block: Option<Block>) -> Self {
        Self { plugin, block }
    }

    /// A plugin without named blocks.
    #[must_use]
    pub fn of_plugin(plugin: &str) -> Self {
        Self::new(plugin.to_owned(), None)
    }

    /// The same plugin, with another block.
    #[must_use]
    pub fn with_block(&self, block: Option<Block>) -> Self {
        Self::new(self.plugin.clone(), block)
    }

    /// The plugin's name.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The block's name, if it has one of its own.
    #[must_use]
    pub fn block(&self) -> Option<&str> {
        self.block.as_ref().map(Block::as_str)
    }

    /// What the names of records in shared data begin with: `<layout>/<plugin>`, with a block
    /// `<layout>:<block>/<plugin>`.
    ///
    /// The names of two blocks never begin alike, since a block's name has neither `:` nor `/`. A layout has no `:`.
    #[must_use]
    pub fn record_name(&self, layout: &str) -> String {
        match self.block() {
            None => format!("{layout}/{}", self.plugin),
            Some(block) => format!("{layout}:{block}/{}", self.plugin),
        }
    }

    /// The key of the filter state `wasm.<key>` that the decisions of `filter` are written to: `rate_limit_decision`,
    /// with a block `<block>_decision`.
    #[must_use]
    pub fn decision_key(&self, filter: &str) -> String {
        format!("{}_decision", variable(self.block().unwrap_or(filter)))
    }
}

impl Block {
    /// A block's name; `None` if it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        name::is_name(text).then(|| Self(text.to_owned()))
    }

    /// How it is read from a config.
    pub fn kind() -> impl Kind<Out = Self> {
        name().map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name as it is in filter state: with `_` for `-` and `.`.
#[must_use]
pub fn variable(name: &str) -> String {
    name.replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::{Block, Scope, variable};
    use crate::testing::test;

    fn scope(plugin: &str, block: &str) -> Scope {
        Scope::new(plugin.to_owned(), Block::new(block))
    }

    /// Records outlive the module: an update that named them differently would lose what they hold.
    #[test]
    fn without_a_block_names_are_of_layout_and_plugin() {
        assert_eq!(Scope::of_plugin("default.limits").record_name("mf.rl2"), "mf.rl2/default.limits");
        assert_eq!(Scope::default().record_name("mf.rl2"), "mf.rl2/");
        let fault = Scope::of_plugin("a/b").record_name("mesh_filters.fault/places/1");
        assert_eq!(fault, "mesh_filters.fault/places/1/a/b");
    }

    #[test]
    fn a_block_stands_between_layout_and_plugin() {
        assert_eq!(scope("default.limits", "by-user").record_name("mf.rl2"), "mf.rl2:by-user/default.limits");
        assert_eq!(scope("", "a.b").record_name("mf.rl2"), "mf.rl2:a.b/");
    }

    #[test]
    fn decisions_are_the_filters_or_the_blocks() {
        assert_eq!(Scope::of_plugin("p").decision_key("rate-limit"), "rate_limit_decision");
        assert_eq!(scope("p", "by-user").decision_key("rate-limit"), "by_user_decision");
        assert_eq!(scope("p", "v1.2_x").decision_key("rate-limit"), "v1_2_x_decision");
    }

    #[test]
    fn a_name_in_filter_state_has_no_separators() {
        assert_eq!(variable("a-b.c_D"), "a_b_c_D");
    }

    #[test]
    fn a_block_has_a_name_that_needs_no_escape() {
        for good in ["a", "by-user", "v1.2_X", &"a".repeat(64)] {
            assert_eq!(Block::new(good).as_ref().map(Block::as_str), Some(good));
        }
        for bad in ["", "a/b", "a:b", "a b", "ä", &"a".repeat(65)] {
            assert_eq!(Block::new(bad), None, "{bad}");
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod laws {
    use super::{Block, Scope};
    use proptest::prelude::*;

    fn scope() -> impl Strategy<Value = Scope> {
        let block = prop::option::of("[a.-]{1,2}".prop_filter_map("a name", |name| Block::new(&name)));
        ("[a:/.-]{0,3}", block).prop_map(|(plugin, block)| Scope::new(plugin, block))
    }

    proptest! {
        #[test]
        fn no_two_scopes_have_a_record_in_common(a in scope(), b in scope(), parts in ["[a:/-]{0,3}", "[a:/-]{0,3}"]) {
            prop_assert_eq!(a == b, a.record_name("mf.x1") == b.record_name("mf.x1"));
            let [one, other] = [(&a, &parts[0]), (&b, &parts[1])]
                .map(|(scope, part)| format!("{}/{part}", scope.record_name("mf.x1")));
            if a.block() != b.block() {
                prop_assert_ne!(one, other);
            }
        }
    }
}
