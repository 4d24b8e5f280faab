//! Documentation generated from the declaration of metrics. Not compiled into modules.

use super::{Definition, Kind, Metric};
use std::fmt::Write as _;

/// The label of `config_hash`, which the host layer has for every filter.
const PLUGIN: &str = "plugin";

/// A README's part on a filter's metrics: the table, and the bootstrap that makes labels of them.
#[must_use]
pub fn markdown<M: Metric>(filter: &str) -> String {
    format!(
        "{}\nIn Envoy's stats a label is part of the name. These tags in Envoy's bootstrap extract it:\n\n```yaml\n{}```\n\n\
         In Istio, `extraStatTags` in the mesh config or in a pod's annotation does the same:\n\n\
         ```yaml\nmeshConfig:\n  defaultConfig:\n    extraStatTags: [{}]\n```\n",
        table::<M>(filter),
        stats_tags::<M>(),
        labels::<M>().join(", ")
    )
}

/// A Markdown table of a filter's metrics, with their Prometheus names.
#[must_use]
pub fn table<M: Metric>(filter: &str) -> String {
    let filter = filter.replace('-', "_");
    let mut table = String::from("| metric | type | value |\n|---|---|---|\n");
    for metric in M::ALL {
        let Definition { name, kind, labels } = metric.definition();
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let labels: Vec<_> = labels.iter().map(|label| format!("{label}=\"…\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let help = metric.help();
        let _infallible = writeln!(table, "| `mesh_filters_{filter}_{name}{labels}` | {kind} | {help} |");
    }
    let _infallible = writeln!(
        table,
        "| `mesh_filters_{filter}_config_hash{{{PLUGIN}=\"…\"}}` | gauge | 32 bits of a hash of the config that was accepted \
         last: the same in all proxies with the same config. |"
    );
    table
}

/// The labels of a filter's metrics, in alphabetical order.
#[must_use]
pub fn labels<M: Metric>() -> Vec<&'static str> {
    let mut labels: Vec<_> =
        M::ALL.iter().flat_map(|metric| metric.definition().labels).copied().chain([PLUGIN]).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The part of Envoy's bootstrap that extracts labels from the names of metrics.
#[must_use]
pub fn stats_tags<M: Metric>() -> String {
    let mut tags = String::from("stats_config:\n  stats_tags:\n");
    for label in labels::<M>() {
        let _infallible = write!(tags, "    - tag_name: {label}\n      regex: '({label}=\\.=(.*?);\\.;)'\n");
    }
    tags
}
