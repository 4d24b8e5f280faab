//! The costs as a chart: an SVG that needs nothing else and is readable on light and dark pages.

use std::fmt::Write as _;

use super::costs::{Cost, Costs};
use super::listeners::{CHAIN, MODULES, NOOP, STEERING_CHAIN, SUITE_OF_FIVE};

/// In units of the drawing: the names' column, the column of bars, and that of figures behind the longest bar.
const NAMES: f64 = 230.0;
const BARS: f64 = 440.0;
const FIGURES: f64 = 60.0;
const LINE: f64 = 30.0;
const BAR: f64 = 18.0;
const TOP: f64 = 44.0;
/// Distance of text from what it belongs to.
const GAP: f64 = 8.0;

const STYLE: &str = "\
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.native { fill: #8c959f }
.module { fill: #bf8700 }
.suite { fill: #0969da }
.interval { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.native { fill: #7d8590 }
.module { fill: #d29922 }
.suite { fill: #4493f8 }
.interval { stroke: #e6edf3 }
}
";

/// The rows that the chart has, in its order.
const ROWS: [&str; 5] = [NOOP, CHAIN, STEERING_CHAIN, SUITE_OF_FIVE, MODULES];

/// Draws what five filters add to a request, with their intervals.
pub(super) fn chart(costs: &Costs) -> String {
    let rows: Vec<&Cost> =
        ROWS.iter().filter_map(|name| costs.rows.iter().find(|row| row.name == *name)).collect();
    let longest = rows.iter().map(|row| row.added.high).fold(1.0, f64::max);
    let width = NAMES + BARS + FIGURES;
    let height = TOP + rows.len() as f64 * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{TITLE}</title>\n<style>\n{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"20\">{TITLE}</text>\n"
    );
    for (index, row) in rows.into_iter().enumerate() {
        bar(&mut svg, row, TOP + index as f64 * LINE, BARS / longest);
    }
    svg.push_str("</svg>\n");
    svg
}

const TITLE: &str = "Processor time added to a request, in microseconds";

/// One row: its name, a bar, the interval, the figure. `scale`: units for a nanosecond.
fn bar(svg: &mut String, row: &Cost, top: f64, scale: f64) {
    let place = |nanos: f64| NAMES + nanos.max(0.0) * scale;
    let [low, end, high] = [row.added.low, row.added.median, row.added.high].map(place);
    let (text, middle) = (top + BAR - 4.0, top + BAR / 2.0);
    let _infallible = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{}</text>\n\
         <rect class=\"{}\" x=\"{NAMES:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{BAR:.1}\" rx=\"2\"/>\n\
         <path class=\"interval\" d=\"M{low:.1} {middle:.1}H{high:.1}\"/>\n\
         <text x=\"{:.1}\" y=\"{text:.1}\">{:.1}</text>\n",
        NAMES - GAP,
        escaped(&row.name),
        class(&row.name),
        end - NAMES,
        high.max(end) + GAP,
        row.added.median / 1e3,
    );
}

fn class(name: &str) -> &'static str {
    match name {
        SUITE_OF_FIVE => "suite",
        CHAIN | STEERING_CHAIN => "native",
        _ => "module",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::costs::tests::costs;

    #[test]
    fn the_longest_interval_fills_the_chart() {
        let mut costs = costs(2000.0);
        let suite = costs.rows.iter_mut().find(|row| row.name == SUITE_OF_FIVE).unwrap();
        suite.added.high = 10_000.0;
        let svg = chart(&costs);
        assert!(svg.contains("width=\"440.0\" height=\"18.0\""), "{svg}");
        assert!(svg.contains("class=\"suite\" x=\"230.0\" y=\"134.0\" width=\"176.0\""), "{svg}");
        assert!(svg.contains("d=\"M406.0 143.0H450.0\""), "{svg}");
        assert!(svg.contains(">8.0</text>"), "{svg}");
    }

    #[test]
    fn it_needs_nothing_else() {
        let svg = chart(&costs(2000.0));
        assert_eq!(svg.matches("http").count(), 1, "{svg}");
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("<rect").count(), ROWS.len());
    }

    /// Noise may put the cost of a row below that of no filter.
    #[test]
    fn a_bar_is_never_shorter_than_nothing() {
        let svg = chart(&costs(-500.0));
        assert!(!svg.contains("=\"-"), "{svg}");
    }
}
