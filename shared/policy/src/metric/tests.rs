use super::documentation::{labels, stats_tags, table};

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
        Denied: Counter, "denied" by "limit";
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
         | `mesh_filters_filter_denied{limit=\"…\"}` | counter | Requests that were refused. |\n\
         | `mesh_filters_config_hash{plugin=\"…\"}` | gauge | 32 bits of a hash of the active config: the same in \
         all proxies with the same config. |\n"
    );
}

#[test]
fn each_label_is_a_tag() {
    assert_eq!(labels::<Example>(), ["limit", "plugin", "provider"]);
    assert_eq!(
        stats_tags::<Example>(),
        "stats_config:\n  stats_tags:\n    - tag_name: limit\n      regex: '(limit=\\.=(.*?);\\.;)'\n    \
         - tag_name: plugin\n      regex: '(plugin=\\.=(.*?);\\.;)'\n    \
         - tag_name: provider\n      regex: '(provider=\\.=(.*?);\\.;)'\n"
    );
}
