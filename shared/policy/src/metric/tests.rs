use super::Metric as _;
use super::documentation::{labels, stats_tags, table};
use crate::scope::{Block, Scope};

crate::metrics! {
    /// Metrics.
    enum Example {
        /// Requests that went on.
        Allowed: Counter, "allowed" by "limit";
        /// Keys of the set,
        /// in use.
        Keys: Gauge, "keys" by "provider";
        /// Requests that could not be read.
        Unreadable: Counter, "unreadable";
        /// Requests that were refused.
        Denied: Counter, "denied" by "limit", "reason";
    }
}

#[test]
fn the_table_has_a_row_for_each_metric() {
    assert_eq!(
        table::<Example>("filter"),
        "| metric | type | value |\n|---|---|---|\n\
         | `mesh_filters_filter_allowed{limit=\"…\"}` | counter | Requests that went on. |\n\
         | `mesh_filters_filter_keys{provider=\"…\"}` | gauge | Keys of the set, in use. |\n\
         | `mesh_filters_filter_unreadable` | counter | Requests that could not be read. |\n\
         | `mesh_filters_filter_denied{limit=\"…\",reason=\"…\"}` | counter | Requests that were refused. |\n\
         | `mesh_filters_filter_config_hash{plugin=\"…\"}` | gauge | 32 bits of a hash of the config that was \
         accepted last: the same in all proxies with the same config. |\n"
    );
}

#[test]
fn each_label_is_a_tag() {
    assert_eq!(labels::<Example>(), ["limit", "plugin", "provider", "reason"]);
    assert_eq!(
        stats_tags::<Example>(),
        "stats_config:\n  stats_tags:\n    - tag_name: limit\n      regex: '(limit=\\.=(.*?);\\.;)'\n    \
         - tag_name: plugin\n      regex: '(plugin=\\.=(.*?);\\.;)'\n    \
         - tag_name: provider\n      regex: '(provider=\\.=(.*?);\\.;)'\n    \
         - tag_name: reason\n      regex: '(reason=\\.=(.*?);\\.;)'\n"
    );
}

#[test]
fn a_name_has_each_label_with_its_value() {
    let name = |metric: Example, values: &[&str]| {
        metric.definition().full_name("filter", &Scope::of_plugin("p"), values)
    };
    assert_eq!(name(Example::Unreadable, &[]), "mesh_filters.filter.unreadable");
    assert_eq!(name(Example::Allowed, &["a"]), "mesh_filters.filter.limit=.=a;.;allowed");
    assert_eq!(name(Example::Denied, &["a", "b"]), "mesh_filters.filter.limit=.=a;.;reason=.=b;.;denied");
}

#[test]
fn the_block_is_the_first_label() {
    let scope = Scope::new("p".to_owned(), Block::new("by-user"));
    let name = |metric: Example, values: &[&str]| metric.definition().full_name("filter", &scope, values);
    assert_eq!(name(Example::Unreadable, &[]), "mesh_filters.filter.block=.=by-user;.;unreadable");
    assert_eq!(name(Example::Allowed, &["a"]), "mesh_filters.filter.block=.=by-user;.;limit=.=a;.;allowed");
}
