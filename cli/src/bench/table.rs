//! The samples as a table.

use std::fmt::Write as _;

use super::estimate::Estimate;
use super::pair::older_name;
use super::rows::{Base, Row};

/// One line a row; with an older module, another table with one line a pair.
pub(super) fn table(rows: &[Row], samples: &[Vec<f64>]) -> String {
    let figures: Vec<f64> = samples.iter().map(|samples| lowest_third(samples)).collect();
    let of = |name: &str| rows.iter().position(|row| row.name == name);
    let figure = |name: &str| of(name).and_then(|index| figures.get(index)).copied().unwrap_or_default();
    let samples_of = |index: usize| samples.get(index).map(Vec::as_slice);
    let noop = |base: Base| figure(base.noop) - figure(base.bare);
    let mut table =
        format!("{:<32} {:>14} {:>10} {:>12}\n", "listener", "CPU us/request", "added us", "x do-nothing");
    for (row, nanos) in rows.iter().zip(&figures) {
        let added = nanos - figure(row.base.bare);
        let _infallible = writeln!(
            table,
            "{:<32} {:>14.2} {:>10.2} {:>12.2}",
            row.name,
            nanos / 1e3,
            added / 1e3,
            added / noop(row.base)
        );
    }
    let pairs: Vec<_> = rows
        .iter()
        .zip(samples)
        .filter_map(|(row, samples)| Some((row, samples, of(&older_name(&row.name))?)))
        .collect();
    if pairs.is_empty() {
        return table;
    }
    let _infallible = writeln!(
        table,
        "\n{:<32} {:>14} {:>14} {:>17}",
        "present module and older one", "difference us", "present/older", "with 95 % in"
    );
    for (row, samples, older) in pairs {
        // A row's figure and the paired difference: the ratio of what the two modules add to a request.
        let added = figures.get(older).copied().unwrap_or_default() - figure(row.base.bare);
        let ratio = |difference: f64| (added + difference) / added;
        let Some(found) = samples_of(older).and_then(|older| Estimate::of_difference(samples, older)) else {
            continue;
        };
        let _infallible = writeln!(
            table,
            "{:<32} {:>14.3} {:>14.3} {:>8.3} to {:.3}",
            row.name,
            found.median / 1e3,
            ratio(found.median),
            ratio(found.low),
            ratio(found.high)
        );
    }
    table
}

fn lowest_third(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    samples.truncate(samples.len().div_ceil(3));
    samples.iter().sum::<f64>() / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::{ANSWERED, ROUTED};

    #[test]
    fn a_row_a_line_and_a_pair_a_line() {
        let names = [ANSWERED.bare, ANSWERED.noop, "global", "global, older"];
        let rows: Vec<Row> = names.into_iter().map(|name| Row::new(name, Vec::new())).collect();
        let samples = [10_000.0, 12_000.0, 15_000.0, 16_000.0].map(|nanos| vec![nanos; 6]);
        let expected = "\
listener                         CPU us/request   added us x do-nothing
no filter                                 10.00       0.00         0.00
Wasm, does nothing                        12.00       2.00         1.00
global                                    15.00       5.00         2.50
global, older                             16.00       6.00         3.00

present module and older one      difference us  present/older      with 95 % in
global                                   -1.000          0.833    0.833 to 0.833
";
        assert_eq!(table(&rows, &samples), expected);
    }

    #[test]
    fn a_row_is_compared_with_its_own_base() {
        let answered = |name: &str| Row::new(name, Vec::new());
        let routed = |name: &str| Row::new(name, Vec::new()).routed(Vec::new());
        let rows = [
            answered(ANSWERED.bare),
            answered(ANSWERED.noop),
            routed(ROUTED.bare),
            routed(ROUTED.noop),
            routed("weights"),
        ];
        let samples = [10_000.0, 12_000.0, 30_000.0, 34_000.0, 31_000.0].map(|nanos| vec![nanos; 6]);
        let expected = "\
listener                         CPU us/request   added us x do-nothing
no filter                                 10.00       0.00         0.00
Wasm, does nothing                        12.00       2.00         1.00
routed, no filter                         30.00       0.00         0.00
routed, Wasm does nothing                 34.00       4.00         1.00
weights                                   31.00       1.00         0.25
";
        assert_eq!(table(&rows, &samples), expected);
    }

    #[test]
    fn what_others_add_is_not_in_the_lowest_third() {
        assert_eq!(lowest_third(&[3.0, 90.0, 1.0, 80.0, 70.0, 95.0]), 2.0);
    }
}
