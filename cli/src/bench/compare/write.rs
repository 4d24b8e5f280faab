//! Writes the report into the checkout.

use std::path::Path;

use super::chart::chart;
use super::findings::Findings;
use crate::module::appear;

/// The report and its chart, which README.md shows.
const REPORT: &str = "docs/benchmarks.md";
const CHART: &str = "benchmarks.svg";

const HEAD: &str = "\
# Benchmarks

Written by `cargo run -- bench --write`. The figures belong to one machine: quote the ratios, and run the command on yours.

";

/// Writes both files below `root`.
pub(super) fn write(root: &Path, findings: &Findings) -> anyhow::Result<()> {
    let report = root.join(REPORT);
    appear::write(&report.with_file_name(CHART), chart(&findings.costs).as_bytes())?;
    appear::write(&report, [HEAD, &findings.report(Some(CHART))].concat().as_bytes())
}
